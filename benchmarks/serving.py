"""The web processes of `bin/start` on a free port, for benchmarks that call them, and how to read their answers."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path
from typing import Any


class Server:
    """The web processes as the supervisor makes and restarts them, on a free port."""

    def __enter__(self) -> Server:
        from django.conf import settings

        from config.supervisor.children import Child
        from config.supervisor.signals import StopSignals
        from config.supervisor.supervise import Options, Supervisor

        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(512)
        self.port = int(self.listener.getsockname()[1])
        self.signals = StopSignals()
        data_dir = Path(settings.DATA_DIR)
        options = Options(host="127.0.0.1", port=self.port, data_dir=data_dir, empty=True)
        folder = data_dir / "log"
        folder.mkdir(exist_ok=True)
        made = Supervisor(options, self.signals)._make_children(self.listener, folder)
        self.children: list[Child] = [child for child in made if child.name.startswith("web")]
        for child in self.children:
            child.keep_running(time.monotonic())
        self._wait()
        return self

    def kill(self) -> None:
        """SIGKILL to every web process at once; they are started again at once, as a service manager would."""
        for child in self.children:
            if child.process is not None:
                child.send(signal.SIGKILL)
                child.process.wait()
                child.process = None
            child.keep_running(time.monotonic() + 3600)

    def __exit__(self, *_: Any) -> None:
        from config.supervisor.children import end_together

        end_together(self.children, seconds=4, signals=self.signals)
        self.signals.close()
        self.listener.close()

    def _wait(self) -> None:
        for _ in range(3 * len(self.children)):
            assert exchange(self.port, b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") == 200

    def pids(self) -> list[int]:
        return [child.process.pid for child in self.children if child.process]


def exchange(port: int, request: bytes) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request)
        return answer(connection)


def answer(connection: socket.socket) -> int:
    """The status of the next answer, which is read to its end."""
    data = connection.recv(65536)
    while (end := data.find(b"\r\n\r\n")) < 0:
        more = connection.recv(65536)
        if not more:
            raise OSError("the server closed the connection")
        data += more
    head = data[:end].lower()
    at = head.find(b"content-length:")
    length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    left = length - (len(data) - end - 4)
    while left > 0:
        left -= len(connection.recv(65536))
    return int(data[9:12])
