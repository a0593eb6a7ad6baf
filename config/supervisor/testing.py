"""`bin/test`: pytest with a PostgreSQL, a Redis and a Celery worker of its own, all gone when it ends."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from config.embedded import EmbeddedError
from config.embedded.layout import DATABASE
from config.embedded.processes import die_with_parent
from config.embedded.stack import SUPERVISED, Stack
from config.supervisor import leftovers
from config.supervisor.children import CHECKOUT, Child, end_together
from config.supervisor.console import Failure, complain, say
from config.supervisor.signals import StopRequested, StopSignals
from config.supervisor.translations import compile_translations

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    signals = StopSignals()
    os.environ.pop(SUPERVISED, None)
    try:
        with temporary_data_dir() as data_dir, servers(data_dir), worker(data_dir, signals):
            status = _run_pytest(sys.argv[1:] if arguments is None else arguments, data_dir)
            return status if status >= 0 else 128 - status  # as a shell reports a death by signal
    except (Failure, EmbeddedError) as failure:
        complain(str(failure))
        return 1
    except StopRequested:
        return INTERRUPTED
    finally:
        signals.close()


@contextlib.contextmanager
def temporary_data_dir() -> Iterator[Path]:
    """Short, because sockets lie in it; passable for the servers' user."""
    data_dir = Path(tempfile.mkdtemp(prefix="entrepot-test-"))
    try:
        data_dir.chmod(0o711)
        yield data_dir
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)


@contextlib.contextmanager
def servers(data_dir: Path) -> Iterator[None]:
    stack = Stack(data_dir, postgres=not os.environ.get("DATABASE_URL"), redis=not os.environ.get("REDIS_URL"))
    try:
        with contextlib.suppress(PermissionError):
            compile_translations(CHECKOUT / "locale")
        stack.ensure(die_with_us=True)
        yield
    finally:
        stack.reset()
        if stack.layout.home != data_dir:
            shutil.rmtree(stack.layout.home, ignore_errors=True)


@contextlib.contextmanager
def worker(data_dir: Path, signals: StopSignals) -> Iterator[None]:
    """A real worker on the test database. It connects with its first task only, so pytest can create that first."""
    environment = {**_environment(data_dir), **leftovers.mark(data_dir), "ENTREPOT_DB_NAME": _test_database()}
    log = data_dir / "worker.log"
    command = [
        sys.executable,
        "-m",
        "config.supervisor.worker",
        "-A",
        "config",
        "worker",
        "-c",
        "2",
        "-l",
        "INFO",
        "-n",
        f"test-{os.getpid()}@%h",
    ]
    child = Child("worker", command, log=log, environment=environment, death=signal.SIGQUIT)
    child.keep_running(0)
    try:
        yield
    finally:
        if not child.is_running():
            say(f"The worker had ended by itself. The end of its log:\n{log.read_text()[-3000:]}")
        signals.close()
        end_together([child], seconds=4, signals=signals)
        leftovers.end_leftovers(data_dir)


def _run_pytest(arguments: list[str], data_dir: Path) -> int:
    """In our own process group: a terminal's Ctrl-C reaches pytest by itself, any other signal is passed on."""
    parent = os.getpid()
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "pytest", "--create-db", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **_environment(data_dir)},
        preexec_fn=lambda: die_with_parent(parent, signal.SIGINT),  # one thread, no lock can be held
    )
    try:
        return process.wait()
    except StopRequested as stop:
        if stop.number != signal.SIGINT:
            process.send_signal(signal.SIGINT)
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=3) or INTERRUPTED
            process.send_signal(number)
        return process.wait() or INTERRUPTED


def _environment(data_dir: Path) -> dict[str, str]:
    return {
        "ENTREPOT_DATA_DIR": str(data_dir),
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "ENTREPOT_TEST_WORKER": "1",
    }


def _test_database() -> str:
    """Django's name for it."""
    return "test_" + (urlsplit(os.environ.get("DATABASE_URL", "")).path.lstrip("/") or DATABASE)


if __name__ == "__main__":
    sys.exit(main())
