"""Starting servers and telling whether they live: by what a process is, never by a number found in a file."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from config.embedded.errors import EmbeddedError
from config.embedded.layout import RunUser

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int, death: signal.Signals) -> None:
    """Run in a new child, before its program: the kernel sends it `death` when the process `parent` is gone."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(death))
        if os.getppid() != parent:  # it went before we asked
            os._exit(1)


def clean_environment() -> dict[str, str]:
    """Ours without what would change a server's mind about locale or address."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C.UTF-8"}


def start_server(
    command: Sequence[str | Path], *, log: Path, user: RunUser | None, death: signal.Signals | None
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own; with `death`, it gets that signal when this process is gone."""
    parent = os.getpid()
    with log.open("ab") as output:
        try:
            return subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=clean_environment(),
                cwd="/",
                start_new_session=True,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
                # only the single-threaded supervisor asks for it, so nothing can hold a lock at the fork
                preexec_fn=(lambda: die_with_parent(parent, death)) if death else None,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedError(f"{command[0]} cannot be run here ({error}); is its disk mounted noexec?") from None


def processes_in(folder: Path) -> list[int]:
    """Living processes whose working directory is `folder`: both servers change into their data and stay there."""
    return [pid for pid in _all_pids() if _working_directory(pid) == str(folder) and not _is_zombie(pid)]


def send(pid: int, number: signal.Signals) -> None:
    """To a process that may be gone by now."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until(holds: Callable[[], bool], *, seconds: float) -> bool:
    """Ask again, less and less often, until it holds or the time is up."""
    deadline = time.monotonic() + seconds
    pause = 0.02
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.3, 0.2)
    return True


def end_of(log: Path, size: int = 20_000) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - size))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _all_pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except FileNotFoundError:
        return []


def _working_directory(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in {"Z", "X"}
    except (OSError, IndexError):
        return True
