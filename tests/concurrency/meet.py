"""Transactions that meet: calls that start at the same moment, each in its own thread on its own connection."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection


def run_concurrently(calls: Sequence[Callable[[], Any]], *, timeout: float = 60) -> list[Any]:
    """What each call returned or raised, in the order of the calls; one that hangs is a TimeoutError."""
    barrier = threading.Barrier(len(calls))
    results: list[Any] = [TimeoutError("The call did not return.")] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()  # connecting takes long; the barrier is to be the last thing before the call
            barrier.wait(timeout)
            results[place] = call()
        except Exception as exc:
            results[place] = exc
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item, daemon=True) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    return results


def failures(results: Sequence[Any]) -> list[Exception]:
    return [result for result in results if isinstance(result, Exception)]
