"""The web server's side of Django: whole answers, long ones, live streams, kept connections to the database."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from config import serving
from config.serving import ThreadedHandler

MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
closed: list[str] = []


def greet(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(f"{request.method} {request.body.decode()} in {threading.current_thread().name}")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("of ours")


def export(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(f"{number}{threading.current_thread().name}\n" for number in range(4))


def live(request: HttpRequest) -> StreamingHttpResponse:
    async def events() -> AsyncIterator[bytes]:
        try:
            for number in range(1000):
                yield f"data: {number} {threading.current_thread().name}\n\n".encode()
                await asyncio.sleep(0 if number < 2 else 3600)
        finally:
            closed.append("live")

    return StreamingHttpResponse(events(), content_type="text/event-stream")


def backend(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return HttpResponse(str(cursor.fetchone()[0]))


urlpatterns = [
    path("greet", greet),
    path("fail", fail),
    path("export", export),
    path("live", live),
    path("backend", backend),
]


@pytest.fixture
def handler() -> Iterator[ThreadedHandler]:
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=MIDDLEWARE, ALLOWED_HOSTS=["localhost"]):
        made = ThreadedHandler(1)
        yield made
        made._threads.submit(connections.close_all).result()
        made._threads.shutdown()


async def call(
    handler: ThreadedHandler, path: str, *, body: bytes = b"", gone_after: Callable[[bytes], bool] | None = None
) -> tuple[int, list[tuple[bytes, bytes]], list[bytes]]:
    """(status, headers, parts) of a POST; the client leaves when `gone_after` holds for a part."""
    sent: list[dict[str, Any]] = []
    leaves = asyncio.Event()
    requests = iter([{"type": "http.request", "body": body}])

    async def receive() -> dict[str, Any]:
        for message in requests:
            return message
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if gone_after and gone_after(message.get("body", b"")):
            leaves.set()

    headers = [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": "POST", "path": f"/{path}", "query_string": b"", "headers": headers}
    await asyncio.wait_for(handler(scope, receive, send), 10)
    return sent[0]["status"], sent[0]["headers"], [message["body"] for message in sent[1:] if message["body"]]


def test_a_request_is_answered_by_a_thread_of_the_pool(handler: ThreadedHandler) -> None:
    status, headers, parts = asyncio.run(call(handler, "greet", body=b"hello"))

    assert (status, parts) == (200, [b"POST hello in request_0"])
    assert [value.split(b";")[0] for name, value in headers if name == b"Set-Cookie"] == [b"a=1", b"b=2"]


def test_a_fault_of_ours_is_a_500_and_the_thread_goes_on(handler: ThreadedHandler) -> None:
    failed, _, _ = asyncio.run(call(handler, "fail"))
    after, _, _ = asyncio.run(call(handler, "greet"))

    assert (failed, after) == (500, 200)


@pytest.mark.parametrize("held", [1, 10**6])
def test_an_export_is_read_in_one_thread_whether_it_is_short_or_long(
    handler: ThreadedHandler, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(serving, "HELD_BYTES", held)

    _, _, parts = asyncio.run(call(handler, "export"))

    assert b"".join(parts) == b"0request_0\n1request_0\n2request_0\n3request_0\n"


def test_a_live_stream_holds_no_thread_and_ends_when_the_client_leaves(handler: ThreadedHandler) -> None:
    closed.clear()

    async def stream_and_ask() -> tuple[Any, Any]:
        stream = asyncio.create_task(call(handler, "live", gone_after=lambda part: part.startswith(b"data: 2")))
        return await call(handler, "greet"), await stream

    (asked, _, _), (_, _, parts) = asyncio.run(stream_and_ask())

    assert asked == 200
    assert parts == [f"data: {number} MainThread\n\n".encode() for number in range(3)]
    assert closed == ["live"]


@pytest.mark.django_db(transaction=True)
def test_a_thread_keeps_its_connection_and_makes_another_when_the_server_ended_it(
    transactional_db: None, handler: ThreadedHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 600)

    def ask() -> int:
        status, _, parts = asyncio.run(call(handler, "backend"))
        assert status == 200
        return int(parts[0])

    first, second = ask(), ask()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    third = ask()

    assert first == second
    assert third != first
