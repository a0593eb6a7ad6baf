"""Run by any Python 3.11+, standard library alone: has the virtual environment ready, then hands over to it."""

import os
import signal
import socket
import sys
from pathlib import Path

from environment import Environment
from failure import Failure
from packages import install

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAMS = {"start": "config.supervisor", "test": "config.supervisor.testing"}


def main() -> int:
    name, arguments = sys.argv[1], sys.argv[2:]
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        environment = Environment(Path(os.environ.get("ENTREPOT_VENV") or CHECKOUT / ".venv"))
        if name == "start" and not {"-h", "--help"} & set(arguments):
            _check_port(arguments)
        install(environment, CHECKOUT / "requirements", for_tests=name == "test")
    except Failure as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"Cannot go on: {error.strerror or error}: {error.filename or 'no file named'}.\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        return 130
    if "--prepare-only" in arguments:
        return 0
    return _hand_over(environment.python, PROGRAMS[name], arguments)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _hand_over(python: Path, module: str, arguments: list[str]) -> int:
    """Become the program: one process, so signals reach it directly. Paths stay relative to the caller's folder."""
    path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH"))))
    sys.stdout.flush()
    os.execve(python, [str(python), "-P", "-m", module, *arguments], {**os.environ, "PYTHONPATH": path})  # noqa: S606
    return 1


def _check_port(arguments: list[str]) -> None:
    """A port in use is said before a minute of installing, not after it; the supervisor checks for good."""
    port, host = (
        _option(arguments, "--port", os.environ.get("PORT") or "8000"),
        _option(arguments, "--host", "127.0.0.1"),
    )
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Failure(f"{port} is not a port: give a number from 1 to 65535, e.g. bin/start --port 8000.")
    try:
        with socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return
    except OSError as error:
        if "in use" in (error.strerror or ""):
            raise Failure(
                f"Port {port} is in use: stop what uses it, or choose another, e.g. bin/start --port {int(port) + 1}."
            ) from None


def _option(arguments: list[str], name: str, default: str) -> str:
    for index, argument in enumerate(arguments):
        if argument == name and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith(f"{name}="):
            return argument.removeprefix(f"{name}=")
    return default


if __name__ == "__main__":
    sys.exit(main())
