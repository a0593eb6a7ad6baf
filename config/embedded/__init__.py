"""PostgreSQL and Redis out of wheels, for a machine that has neither: where they listen, and how to have them running.

Importing this package starts nothing and imports nothing heavy; only `ensure_servers` does, and only when called.
"""

from pathlib import Path

from config.embedded.errors import EmbeddedError
from config.embedded.layout import Addresses, addresses, default_data_dir
from config.embedded.secret import secret_key

__all__ = ["Addresses", "EmbeddedError", "addresses", "default_data_dir", "ensure_servers", "secret_key"]


def ensure_servers(data_dir: Path, postgres: bool = True, redis: bool = True) -> None:
    """Have the chosen servers of this data directory answering when this returns; raises EmbeddedError otherwise."""
    from config.embedded.stack import Stack

    Stack(data_dir, postgres=postgres, redis=redis).ensure()
