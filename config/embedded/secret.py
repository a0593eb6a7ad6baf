"""The secret key of an installation that names none: made once, readable by its owner only."""

import contextlib
import os
import secrets
from pathlib import Path

from config.embedded.directories import create_data_dir
from config.embedded.errors import EmbeddedError


def secret_key(data_dir: Path) -> str:
    """The key in `<data_dir>/secret_key`; of several processes that find none, one makes it and all return the same.

    Where it can be neither read nor made (a read-only checkout, a file command), a key of this process alone is
    returned: enough for commands that sign nothing. The servers never start in such a place.
    """
    path = data_dir / "secret_key"
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        pass
    except OSError:
        return secrets.token_urlsafe(50)
    try:
        create_data_dir(data_dir)
        return _make_once(path)
    except (EmbeddedError, OSError):
        return secrets.token_urlsafe(50)


def _make_once(path: Path) -> str:
    """Write a whole file first, then link it into place: no reader ever sees half a key, and the first link wins."""
    draft = path.with_name(f".secret_key.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii")
