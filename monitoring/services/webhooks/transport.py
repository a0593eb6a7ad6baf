"""One POST to an outside server that may be slow, broken or hostile: pinned, bounded in time and in bytes.

Only the status line of the answer is used. Written on the socket itself, because a client library follows redirects
and proxies, looks names up again, and counts its time-out anew with every byte that drips in.
"""

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitoring.models import WebhookDelivery
from monitoring.services.webhooks.targets import (
    Address,
    BadUrl,
    Resolver,
    Target,
    permitted_addresses,
    read_url,
    system_resolver,
)

TIMEOUT_SECONDS = 10.0
# Of the time-out: how long one of several addresses may take to connect.
CONNECT_SECONDS = 4.0
# How much of an answer is read at most; a polite server's whole answer fits.
READ_AT_MOST = 16 * 1024
LINGER_SECONDS = 0.5
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")

Fault = WebhookDelivery.Fault


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try: the answer's status if there was one, and the fault unless it went well."""

    status: int | None
    fault: str
    milliseconds: int

    @property
    def is_good(self) -> bool:
        return not self.fault


class _Failed(Exception):
    def __init__(self, fault: str) -> None:
        self.fault = fault


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    allow_private: bool,
    resolver: Resolver = system_resolver,
    timeout: float = TIMEOUT_SECONDS,
) -> Outcome:
    """Send it once; never raises for what the other side does, never takes longer than `timeout` seconds in all."""
    began = time.monotonic()
    deadline = began + timeout
    status: int | None = None
    try:
        target = read_url(url, allow_private=allow_private)
        addresses = _addresses(target, deadline, allow_private=allow_private, resolver=resolver)
        with contextlib.closing(_connect(target, addresses, deadline)) as connection:
            _send(connection, _request(target, body, headers), deadline)
            status = _status(connection, deadline)
        fault = _judge(status)
    except BadUrl:
        fault = Fault.BAD_URL
    except _Failed as failed:
        fault = failed.fault
    except TimeoutError:
        fault = Fault.TIMEOUT
    except ssl.SSLError:
        fault = Fault.TLS
    except OSError:
        fault = Fault.CONNECTION
    return Outcome(status, str(fault), round((time.monotonic() - began) * 1000))


def _judge(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return Fault.REDIRECT if 300 <= status < 400 else Fault.STATUS


def _addresses(target: Target, deadline: float, *, allow_private: bool, resolver: Resolver) -> list[Address]:
    """Looked up beside us, because a name server that does not answer cannot be interrupted."""
    found: list[str] = []
    errors: list[OSError] = []

    def look_up() -> None:
        try:
            found.extend(resolver(target.host, target.port))
        except (OSError, UnicodeError) as exc:
            errors.append(OSError(str(exc)))

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(_left(deadline))
    if thread.is_alive():
        raise TimeoutError
    if errors or not found:
        raise _Failed(Fault.NOT_FOUND)
    addresses = permitted_addresses(found, allow_private=allow_private)
    if not addresses:
        raise _Failed(Fault.FORBIDDEN)
    return addresses


def _connect(target: Target, addresses: list[Address], deadline: float) -> socket.socket:
    """A connection to one of the checked numbers; TLS is asked of, and proven for, the name."""
    last: OSError = ConnectionRefusedError()
    for address in addresses:
        try:
            plain = socket.create_connection((str(address), target.port), min(CONNECT_SECONDS, _left(deadline)))
            break
        except OSError as exc:
            last = exc
    else:
        raise last
    if target.scheme == "http":
        return plain
    try:
        plain.settimeout(_left(deadline))
        # The handshake reads several times; the watch ends it when all of them together take too long.
        with _ended_at(plain, deadline):
            return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host.rstrip("."))
    except BaseException:
        plain.close()
        raise


@contextlib.contextmanager
def _ended_at(connection: socket.socket, deadline: float) -> Iterator[None]:
    """Whatever is being read when the time is up fails."""
    late = threading.Event()
    same = connection.dup()

    def end() -> None:
        late.set()
        with contextlib.suppress(OSError):
            same.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(_left(deadline), end)
    watch.daemon = True
    watch.start()
    try:
        yield
    except OSError:
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        watch.cancel()
        same.close()


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.host_header}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "User-Agent: Entrepot-Webhooks/1",
        "Accept: */*",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


def _send(connection: socket.socket, request: bytes, deadline: float) -> None:
    rest = memoryview(request)
    while rest:
        connection.settimeout(_left(deadline))
        rest = rest[connection.send(rest) :]


def _status(connection: socket.socket, deadline: float) -> int:
    """The status of the final answer (1xx answers before it are skipped), within READ_AT_MOST bytes."""
    seen = b""
    while len(seen) < READ_AT_MOST:
        if (status := _final_status(seen)) is not None:
            _let_it_finish(connection, READ_AT_MOST - len(seen), deadline)
            return status
        connection.settimeout(_left(deadline))
        some = connection.recv(READ_AT_MOST - len(seen))
        if not some:
            break
        seen += some
    if (status := _final_status(seen)) is not None:
        return status
    raise _Failed(Fault.NO_ANSWER)


def _final_status(seen: bytes) -> int | None:
    """None while more must be read. Raises when it is no HTTP."""
    while True:
        line = _STATUS_LINE.match(seen)
        if line is None:
            if b"\n" in seen or (len(seen) >= 5 and not seen.startswith(b"HTTP/")):
                raise _Failed(Fault.NO_ANSWER)
            return None
        if not line[1].startswith(b"1"):
            return int(line[1])
        _interim, end, seen = seen.partition(b"\r\n\r\n")
        if not end:
            return None


def _let_it_finish(connection: socket.socket, at_most: int, deadline: float) -> None:
    """Read the little that a polite server still says: hanging up on it would look like an error over there."""
    until = min(deadline, time.monotonic() + LINGER_SECONDS)
    with contextlib.suppress(OSError):
        while at_most > 0 and (left := until - time.monotonic()) > 0:
            connection.settimeout(left)
            some = connection.recv(min(at_most, 4096))
            if not some:
                return
            at_most -= len(some)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
