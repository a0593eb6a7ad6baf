"""Batches of signals at once: the same one counts once, different ones never wait for each other in a circle."""

from datetime import date, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from forecasting.models import DemandSignal, SignalBatch
from forecasting.services import signals
from forecasting.services.signals import ToldSignal, take_signals
from tests.cast import make_sku
from tests.concurrency.meet import failures, run_concurrently

pytestmark = pytest.mark.django_db(transaction=True)
DAY: date = timezone.localdate()


def told(codes: list[str]) -> list[ToldSignal]:
    return [ToldSignal(code, DAY, (1, 0, 0, 0)) for code in codes]


def now() -> datetime:
    return timezone.now()


def test_one_batch_sent_by_eight_at_once_counts_once(transactional_db: None, world: Any) -> None:
    def send() -> Any:
        return take_signals("WEB", "b-1", told(["MUG", "LAMP"]), now=now(), actor=world.integration)

    results = run_concurrently([send] * 8)

    assert failures(results) == []
    assert sorted(one.is_duplicate for one in results) == [False] + [True] * 7
    assert list(DemandSignal.objects.values_list("page_views", flat=True)) == [1, 1]
    assert SignalBatch.objects.count() == 1


def test_batches_with_their_skus_the_other_way_round_never_deadlock(transactional_db: None, world: Any) -> None:
    codes = [make_sku(f"D{n:03}").code for n in range(200)]

    def send(number: int, order: list[str]) -> Any:
        return take_signals("WEB", f"b-{number}", told(order), now=now(), actor=None)

    calls = [lambda n=n: send(n, codes if n % 2 else codes[::-1]) for n in range(12)]
    before = _deadlocks()
    results = run_concurrently(calls)

    assert failures(results) == []
    assert set(DemandSignal.objects.values_list("page_views", flat=True)) == {12}
    assert _deadlocks() == before


def test_rows_taken_in_the_order_they_were_sent_would_deadlock(transactional_db: None, world: Any) -> None:
    """The negative control: the same statement without its order, met half-way."""
    import threading

    mug, lamp = world.mug.pk, world.lamp.pk
    half_way = threading.Barrier(2)

    def unordered(first: int, second: int) -> None:
        with transaction.atomic():
            signals._add(world.web.pk, [(first, DAY, (1, 0, 0, 0))])
            half_way.wait(10)
            signals._add(world.web.pk, [(second, DAY, (1, 0, 0, 0))])

    results = run_concurrently([lambda: unordered(mug, lamp), lambda: unordered(lamp, mug)])

    assert [type(one) for one in failures(results)] == [OperationalError]


def _deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
