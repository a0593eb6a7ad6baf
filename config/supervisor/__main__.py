"""`python -m config.supervisor`: what `bin/start` hands over to once the virtual environment is ready."""

import argparse
import os
import sys
from pathlib import Path

from config.embedded import default_data_dir
from config.embedded.stack import SUPERVISED
from config.supervisor.console import Failure, complain, say
from config.supervisor.signals import StopRequested, StopSignals
from config.supervisor.supervise import Options, serve


def main(arguments: list[str] | None = None) -> int:
    signals = StopSignals()
    os.environ.pop(SUPERVISED, None)  # we are the supervisor, also when another one's child started us
    try:
        serve(_parse(arguments), signals)
    except StopRequested:
        say("\nStopped.")
        return 0
    except Failure as failure:
        complain(str(failure))
        return 1
    except OSError as error:  # a full or read-only disk, met where nobody looked for it
        complain(f"Cannot go on: {error.strerror or error}: {error.filename or 'no file named'}.")
        return 1
    return 0


def _parse(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="bin/start", description="Run Entrepot on this machine until Ctrl-C.")
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1: this machine only)"
    )
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000), help="default 8000")
    parser.add_argument(
        "--data-dir", type=Path, default=default_data_dir(), help="where everything is kept (default var/)"
    )
    parser.add_argument("--empty", action="store_true", help="start without the demo company")
    options = parser.parse_args(arguments)
    return Options(host=options.host, port=options.port, data_dir=options.data_dir, empty=options.empty)


if __name__ == "__main__":
    sys.exit(main())
