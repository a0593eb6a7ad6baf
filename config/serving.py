"""Django's pages on a fixed number of threads behind an ASGI server: each thread keeps its connection to the database.

Django's own ASGI handler runs every request in a thread made for it, which opens and closes a connection each time.
Here the loop takes in the request, one of the threads makes the answer from the first to the last middleware, and the
loop sends it. An answer that is an asynchronous stream is sent by the loop alone and holds no thread.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.urls import set_script_prefix

Message = dict[str, Any]
Send = Callable[[Message], Coroutine[Any, Any, None]]

HELD_BYTES = 4 * 1024 * 1024  # so much of an answer waits for a slow reader without holding a thread
SLOWEST_SECONDS = 60.0  # beyond that, for the next part to be taken


class ThreadedHandler(ASGIHandler):
    def __init__(self, threads: int) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(f"Only HTTP is served here, not {scope['type']}.")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        loop = asyncio.get_running_loop()

        def send_now(message: Message) -> None:
            asyncio.run_coroutine_threadsafe(send(message), loop).result(SLOWEST_SECONDS)

        with body:
            messages, stream = await loop.run_in_executor(self._threads, self._answer, scope, body, send_now)
        for message in messages:
            await send(message)
        if stream is not None:
            await _while_connected(self._send_stream(stream, send), receive)

    def _answer(self, scope: Any, body: Any, send_now: Callable[[Message], None]) -> tuple[list[Message], Any]:
        """In one of the threads: the messages still to be sent, or the asynchronous stream that the loop is to send."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = self.get_response(request) if request is not None else refusal
        response._handler_class = self.__class__
        if response.streaming and response.is_async:
            return [], response
        try:
            if not response.streaming:
                return [_start(response), _part(response.content, more=False)], None
            return _send_long(response, send_now), None
        finally:
            response.close()

    async def _send_stream(self, response: Any, send: Send) -> None:
        try:
            await send(_start(response))
            async for part in response:
                await send(_part(part))
            await send(_part(b"", more=False))
        finally:
            await asyncio.get_running_loop().run_in_executor(self._threads, response.close)


def _send_long(response: Any, send_now: Callable[[Message], None]) -> list[Message]:
    """Send from here what exceeds HELD_BYTES: it may be read from this thread's connection while it goes."""
    held, size = [_start(response)], 0
    for part in response:
        held.append(_part(part))
        size += len(part)
        if size > HELD_BYTES:
            for message in held:
                send_now(message)
            held.clear()
    return [*held, _part(b"", more=False)]


def _start(response: Any) -> Message:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    cookies = [cookie.output(header="").strip().encode("ascii") for cookie in response.cookies.values()]
    headers += [(b"Set-Cookie", cookie) for cookie in cookies]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


def _part(content: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def _while_connected(stream: Any, receive: Any) -> None:
    """Run the stream to its end, or until the client is gone."""
    sending, listening = asyncio.ensure_future(stream), asyncio.ensure_future(receive())
    try:
        await asyncio.wait([sending, listening], return_when=asyncio.FIRST_COMPLETED)
    finally:
        listening.cancel()
        sending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sending
