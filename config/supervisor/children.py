"""One supervised process: started with its log, restarted with growing pauses, given up on when hopeless."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from config.embedded.processes import die_with_parent
from config.supervisor.console import Failure
from config.supervisor.signals import StopSignals

GIVE_UP_AFTER = 5  # rapid endings in a row
RAPID_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.5
CHECKOUT = Path(__file__).resolve().parents[2]


class Child:
    """`command` kept running; `death` is what the kernel sends it when this supervisor is gone."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: dict[str, str],
        pass_fds: tuple[int, ...] = (),
        death: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name, self.command, self.log = name, command, log
        self._environment, self._pass_fds, self._death = environment, pass_fds, death
        self.process: subprocess.Popen[bytes] | None = None
        self._endings = 0
        self._started_at = self._due_at = 0.0

    def keep_running(self, now: float) -> None:
        """Start it when it is due; raise Failure when it ended too often too soon."""
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            self._note_ending(now)
        if now >= self._due_at:
            self._start(now)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """To it and all of its own children."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def ask_to_end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def _note_ending(self, now: float) -> None:
        status = self.process.returncode if self.process else 0
        self.process = None
        self._endings = self._endings + 1 if now - self._started_at < RAPID_SECONDS else 1
        if self._endings >= GIVE_UP_AFTER:
            raise Failure(f"The {self.name} ended {self._endings} times in a row (status {status}); why: {self.log}")
        self._due_at = now + FIRST_PAUSE_SECONDS * 2 ** (self._endings - 1)

    def _start(self, now: float) -> None:
        self.process = spawn(
            self.command, log=self.log, environment=self._environment, pass_fds=self._pass_fds, death=self._death
        )
        self._started_at = now


def spawn(
    command: Sequence[str],
    *,
    environment: dict[str, str],
    log: Path | None = None,
    pass_fds: tuple[int, ...] = (),
    death: signal.Signals = signal.SIGTERM,
    output: int | None = subprocess.STDOUT,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that a terminal's Ctrl-C reaches the supervisor alone.

    Errors go to the log, if there is one; output goes along, or where `output` says (None: where ours goes).
    """
    parent = os.getpid()
    with contextlib.ExitStack() as stack:
        errors = stack.enter_context(log.open("ab")) if log else None
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=errors if output == subprocess.STDOUT else output,
            stderr=errors,
            env={**os.environ, **environment},
            cwd=CHECKOUT,
            pass_fds=pass_fds,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(parent, death),  # one thread, no lock can be held
        )


def end_together(children: Sequence[Child], *, seconds: float, signals: StopSignals) -> None:
    """Ask all at once, wait together (not after a second Ctrl-C), then end what is left with all that it started."""
    for child in children:
        child.ask_to_end()
    deadline = time.monotonic() + seconds
    while any(child.is_running() for child in children) and time.monotonic() < deadline and not signals.in_haste:
        time.sleep(0.02)
    for child in children:
        if child.is_running():
            child.send(signal.SIGKILL)
            if child.process:
                child.process.wait(timeout=5)
