"""The embedded Redis (Valkey): broker of the worker and cache, every write on disk before it is acknowledged."""

import os
import signal
import socket
import subprocess
from pathlib import Path

from config.embedded import binaries
from config.embedded.errors import EmbeddedError, reason_in_log
from config.embedded.layout import Layout
from config.embedded.processes import end_of, processes_in, send, start_server, wait_until

START_SECONDS = 60.0
STOP_SECONDS = 4.0


class Redis:
    """The server of one layout. Its methods are called with the stack's lock held, but for `is_ready`."""

    name = "Redis"

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.data = layout.redis_data
        self.socket = layout.redis_socket
        self.log = layout.logs / "redis.log"

    def is_ready(self) -> bool:
        """False also while it still loads its data."""
        return self._ask(b"PING\r\n").startswith(b"+PONG")

    def processes(self) -> list[int]:
        return processes_in(self.data)

    def start(self, death: signal.Signals | None = None) -> subprocess.Popen[bytes] | None:
        """Have the server answering; the process that this call started, or None when another one came up."""
        if self.processes() and wait_until(lambda: self.is_ready() or not self.processes(), seconds=START_SECONDS):
            if self.is_ready():
                return None
        elif self.processes():
            raise EmbeddedError(f"Redis does not answer after {START_SECONDS:.0f} s. Its log: {self.log}")
        self.socket.unlink(missing_ok=True)
        program = binaries.runnable(binaries.redis_server(), self.layout)
        process = start_server([program, self._write_settings()], log=self.log, user=self.layout.run_user, death=death)
        wait_until(lambda: self.is_ready() or process.poll() is not None, seconds=START_SECONDS)
        if process.poll() is not None or not self.is_ready():
            last = end_of(self.log).strip().splitlines()[-1:] or ["no reason was given"]
            why = reason_in_log("\n".join(end_of(self.log).splitlines()[-40:])) or last[0]
            raise EmbeddedError(f"Redis did not start: {why}. Its log: {self.log}")
        return process

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        self._ask(b"SHUTDOWN NOSAVE\r\n")  # the append-only file holds everything already
        for how in (signal.SIGTERM, signal.SIGKILL):
            if wait_until(lambda: not self.processes(), seconds=seconds):
                break
            for pid in self.processes():
                send(pid, how)
        if not wait_until(lambda: not self.processes(), seconds=seconds):
            raise EmbeddedError(f"Redis does not stop; see {self.log}")

    def _ask(self, command: bytes) -> bytes:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(2)
                connection.connect(str(self.socket))
                connection.sendall(command)
                return connection.recv(256)
        except OSError:
            return b""

    def _write_settings(self) -> Path:
        path = self.layout.run / "redis.conf"
        path.write_text(
            "port 0\n"
            f"unixsocket {_quoted(self.socket)}\n"
            "unixsocketperm 700\n"
            f"dir {_quoted(self.data)}\n"
            "daemonize no\n"
            "appendonly yes\n"
            "appendfsync always\n"
            'save ""\n'
            "maxmemory-policy noeviction\n"
        )
        if user := self.layout.run_user:
            os.chown(path, user.uid, user.gid)
        return path


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
