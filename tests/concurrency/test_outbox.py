"""A reader of the feed misses nothing that commits late, holds nobody up, and is held up by nobody."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from config.kernel.models import OutboxEvent
from config.kernel.outbox import Event, last_position, place_events, record_events
from tests.concurrency.meet import failures, run_concurrently

pytestmark = pytest.mark.django_db(transaction=True)


class Transaction:
    """A transaction on a connection of its own that has recorded an event and stays open until it is told to commit."""

    def __init__(self, key: str) -> None:
        self._recorded, self._commit = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=[key], daemon=True)
        self._thread.start()
        assert self._recorded.wait(20)

    def _run(self, key: str) -> None:
        try:
            with transaction.atomic():
                record_events([Event("availability.changed", key)])
                self._recorded.set()
                self._commit.wait(20)
        finally:
            connection.close()

    def commit(self) -> None:
        self._commit.set()
        self._thread.join(20)


class ReaderByPosition:
    """As every consumer of ours reads."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._after = last_position()

    def read(self) -> None:
        place_events()
        rows = OutboxEvent.objects.filter(position__gt=self._after).order_by("position")
        for position, key in rows.values_list("position", "key"):
            self._after = position
            self.seen.append(key)


class ReaderById:
    """The negative control: what goes wrong when the id is taken for a place in the feed."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._after = 0

    def read(self) -> None:
        for pk, key in OutboxEvent.objects.filter(pk__gt=self._after).order_by("pk").values_list("pk", "key"):
            self._after = pk
            self.seen.append(key)


@pytest.mark.parametrize(
    ("make_reader", "seen"), [(ReaderByPosition, ["quick", "late"]), (ReaderById, ["quick"])], ids=["ours", "control"]
)
def test_an_event_with_a_smaller_id_that_commits_later_is_seen_and_by_the_control_is_not(
    make_reader: Callable[[], Any], seen: list[str]
) -> None:
    reader = make_reader()
    late, quick = Transaction("late"), Transaction("quick")
    ids = dict(OutboxEvent.objects.values_list("key", "pk"))

    quick.commit()
    reader.read()
    late.commit()
    reader.read()

    assert ids == {}  # nobody saw either while both were open
    by_key = dict(OutboxEvent.objects.values_list("key", "pk"))
    assert by_key["late"] < by_key["quick"]
    assert reader.seen == seen


def test_a_long_transaction_holds_no_event_of_others_up() -> None:
    """A fence at the oldest open transaction would show nothing until the plan of the night has ended."""
    reader, plan = ReaderByPosition(), Transaction("of the plan")
    Transaction("sale").commit()

    reader.read()

    assert reader.seen == ["sale"]
    plan.commit()


def test_no_reader_sees_a_position_before_a_smaller_one() -> None:
    """Four placers at once, while events are being recorded: readers go forward only, and miss none."""
    readers = [ReaderByPosition() for _n in range(4)]

    def write(name: str) -> None:
        for n in range(40):
            with transaction.atomic():
                record_events([Event("availability.changed", f"{name}{n}")])

    def read(reader: ReaderByPosition) -> None:
        for _n in range(40):
            reader.read()

    results = run_concurrently([
        *(lambda name=name: write(name) for name in "ab"),  # type: ignore[misc]
        *(lambda reader=reader: read(reader) for reader in readers),  # type: ignore[misc]
    ])  # fmt: skip
    while place_events():
        pass
    for reader in readers:
        reader.read()

    assert failures(results) == []
    in_order = list(OutboxEvent.objects.order_by("position").values_list("key", flat=True))
    assert len(in_order) == 80
    for reader in readers:
        assert reader.seen == in_order
