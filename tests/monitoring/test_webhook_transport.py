"""S7: a server that is slow, endless, lying or hostile costs ten seconds and a few kilobytes at most."""

import contextlib
import socket
import threading
import time
from typing import Any

import pytest

from monitoring.services.webhooks import transport
from monitoring.services.webhooks.transport import READ_AT_MOST, Outcome, post
from tests.monitoring.certificate import server_context, trusting_context
from tests.monitoring.receiver import Receiver, receiver, says


def send(made: Receiver, *, timeout: float = 5, url: str = "", **kwargs: Any) -> Outcome:
    return post(
        url or made.url, body=b'{"a":1}', headers={"webhook-id": "msg_1"}, allow_private=True, timeout=timeout, **kwargs
    )


def test_a_message_arrives_as_it_was_signed() -> None:
    with receiver() as made:
        outcome = send(made)

    assert (outcome.status, outcome.fault) == (204, "")
    headers, body = made.requests[0]
    assert headers[":first"] == "POST /hooks?shop=1 HTTP/1.1"
    assert headers["host"] == f"127.0.0.1:{made.port}"
    assert (headers["content-type"], headers["webhook-id"], body) == ("application/json", "msg_1", b'{"a":1}')


@pytest.mark.parametrize(
    ("status", "fault"),
    [("200 OK", ""), ("202 Accepted", ""), ("299", ""), ("400 Bad Request", "status"), ("410 Gone", "status"),
     ("500 Oh dear", "status"), ("304 Not Modified", "redirect")],
)  # fmt: skip
def test_only_a_status_of_the_two_hundreds_is_good(status: str, fault: str) -> None:
    with receiver(says(status)) as made:
        outcome = send(made)

    assert (outcome.status, outcome.fault) == (int(status[:3]), fault)


def test_a_redirect_is_never_followed() -> None:
    with receiver() as inside, receiver(says("302 Found", headers=f"Location: {inside.url}\r\n")) as made:
        outcome = send(made)

    assert (outcome.status, outcome.fault) == (302, "redirect")
    assert (made.connections, inside.connections) == (1, 0)


def test_an_interim_answer_is_passed_over() -> None:
    with receiver(says("103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK")) as made:
        assert send(made).status == 200


def test_of_an_endless_body_a_few_kilobytes_are_read() -> None:
    sent = []

    def endless(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        while True:
            sent.append(connection.send(b"x" * 8192))

    with receiver(endless) as made:
        outcome = send(made)

    assert (outcome.status, outcome.fault) == (200, "")
    assert outcome.milliseconds < 2000
    assert sum(sent) < 10_000_000  # what fits into the buffers of both sides, of ten gigabytes
    assert READ_AT_MOST == 16384


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 103 Early Hints\r\n"], ids=["status line", "interim headers"])
def test_a_server_that_drips_is_left_when_the_time_is_up(start: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        for byte in b"HTTP/1.1 200 O" + b"K" * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    with receiver(drip) as made:
        outcome = send(made, timeout=0.6)

    assert (outcome.status, outcome.fault) == (None, "timeout")
    assert 550 <= outcome.milliseconds < 900


def test_headers_that_never_end_do_not_keep_us() -> None:
    def headers(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-More: yes\r\n")
            time.sleep(0.05)

    with receiver(headers) as made:
        outcome = send(made)

    assert (outcome.status, outcome.fault) == (200, "")
    assert outcome.milliseconds < 1500


def test_a_server_that_reads_nothing_is_left_when_the_time_is_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"

        outcome = post(url, body=b"x" * 20_000_000, headers={}, allow_private=True, timeout=0.5)

    assert outcome.fault == "timeout"
    assert outcome.milliseconds < 900


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/9 200\r\n\r\n", b"x" * 20000, b"HTTP/1.1 20"])
def test_what_is_no_http_is_no_answer(answer: bytes) -> None:
    with receiver(lambda connection: connection.sendall(answer)) as made:
        outcome = send(made)

    assert outcome.status is None
    assert outcome.fault in ("no_answer", "connection")


def test_nobody_listening_is_no_connection() -> None:
    with receiver() as made:
        pass

    assert send(made).fault == "connection"


def test_a_name_server_that_does_not_answer_is_left_when_the_time_is_up() -> None:
    def slow(host: str, port: int) -> list[str]:
        time.sleep(3)
        return ["127.0.0.1"]

    with receiver() as made:
        outcome = send(made, timeout=0.3, resolver=slow)

    assert (outcome.fault, made.connections) == ("timeout", 0)
    assert outcome.milliseconds < 700


def test_a_name_without_an_address_is_said_so() -> None:
    def none(host: str, port: int) -> list[str]:
        raise socket.gaierror

    with receiver() as made:
        assert send(made, resolver=none).fault == "not_found"


def test_the_number_is_dialled_and_the_name_is_asked_for() -> None:
    with receiver() as made:
        outcome = send(made, url=f"http://shop.example:{made.port}/x", resolver=lambda host, port: ["127.0.0.1"])

    assert outcome.status == 204
    assert made.requests[0][0]["host"] == f"shop.example:{made.port}"


def test_the_second_address_is_tried_when_the_first_does_not_answer() -> None:
    with receiver() as made:
        url = f"http://shop.example:{made.port}/x"
        assert send(made, url=url, resolver=lambda host, port: ["127.0.0.2", "127.0.0.1"]).status == 204


@pytest.mark.parametrize(
    ("name", "status", "fault"), [("shop.example", 204, ""), ("shop.example.", 204, ""), ("other.example", None, "tls")]
)
def test_tls_is_proven_for_the_name_while_the_number_is_dialled(
    monkeypatch: pytest.MonkeyPatch, name: str, status: int | None, fault: str
) -> None:
    trusting = trusting_context()
    monkeypatch.setattr(transport.ssl, "create_default_context", lambda: trusting)
    asked: list[str] = []

    with server_context() as tls, receiver(tls=tls) as made:
        tls.sni_callback = lambda _socket, asked_for, _context: asked.append(asked_for)
        outcome = send(made, url=f"https://{name}:{made.port}/", resolver=lambda host, port: ["127.0.0.1"])

    assert (outcome.status, outcome.fault) == (status, fault)
    assert asked == [name.rstrip(".")]


def test_a_server_without_a_trusted_certificate_gets_nothing() -> None:
    with server_context() as tls, receiver(tls=tls) as made:
        outcome = send(made, url=f"https://shop.example:{made.port}/", resolver=lambda host, port: ["127.0.0.1"])

    assert (outcome.status, outcome.fault) == (None, "tls")
    assert (made.connections, made.requests) == (1, [])


def test_a_handshake_that_drips_is_left_when_the_time_is_up() -> None:
    def drip() -> None:
        connection, _address = server.accept()
        with connection, contextlib.suppress(OSError):
            for byte in b"\x16\x03\x03\x3f\xff" + b"\x00" * 1000:  # a TLS record that is said to be long
                connection.sendall(bytes([byte]))
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, daemon=True).start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        outcome = post(url, body=b"{}", headers={}, allow_private=True, timeout=0.6)

    assert outcome.fault == "timeout"
    assert outcome.milliseconds < 900
