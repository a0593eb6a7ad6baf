"""The other side of a webhook: a small server in a thread that behaves as well or as badly as a test wants."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Behaviour = Callable[[socket.socket], None]


@dataclass
class Receiver:
    """`requests` holds what came in, as (headers, body); every connection is counted, whatever became of it."""

    port: int
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?shop=1"


def says(status: str, *, headers: str = "", body: bytes = b"") -> Behaviour:
    head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode()
    return lambda connection: connection.sendall(head + body)


@contextlib.contextmanager
def receiver(
    behaviour: Behaviour = says("204 No Content"),  # noqa: B008 (a constant)
    tls: ssl.SSLContext | None = None,
) -> Iterator[Receiver]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = Receiver(server.getsockname()[1])
        threading.Thread(target=_serve, args=[server, made, behaviour, tls], daemon=True).start()
        try:
            yield made
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # ends the accept that waits


def _serve(server: socket.socket, made: Receiver, behaviour: Behaviour, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _address = server.accept()
        except OSError:
            return
        made.connections += 1
        threading.Thread(target=_answer, args=[connection, made, behaviour, tls], daemon=True).start()


def _answer(plain: socket.socket, made: Receiver, behaviour: Behaviour, tls: ssl.SSLContext | None) -> None:
    plain.settimeout(20)
    with (
        contextlib.suppress(OSError, ValueError),
        tls.wrap_socket(plain, server_side=True) if tls else plain as connection,
    ):
        made.requests.append(_read(connection))
        behaviour(connection)


def _read(connection: socket.socket) -> tuple[dict[str, str], bytes]:
    seen = b""
    while b"\r\n\r\n" not in seen:
        seen += _some(connection)
    head, _gap, body = seen.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    headers[":first"] = first
    while len(body) < int(headers["content-length"]):
        body += _some(connection)
    return headers, body


def _some(connection: socket.socket) -> bytes:
    some = connection.recv(65536)
    if not some:
        raise ValueError("hung up")
    return some
