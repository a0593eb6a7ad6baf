"""The outbox: an event is told if and only if its effect is; the feed is in order, whoever commits when."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import InternalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import outbox
from config.kernel.models import OutboxEvent
from config.kernel.outbox import Event, forget_events, last_position, place_events, record_events

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def keys() -> list[str]:
    return list(OutboxEvent.objects.exclude(position=None).order_by("position").values_list("key", flat=True))


@pytest.mark.django_db
def test_events_are_recorded_by_one_statement() -> None:
    with CaptureQueriesContext(connection) as queries:
        record_events([Event("availability.changed", f"listing:{n}", {"available": n}) for n in range(50)])

    assert len(queries) == 1
    assert OutboxEvent.objects.count() == 50


@pytest.mark.django_db
def test_no_events_are_no_statement() -> None:
    with CaptureQueriesContext(connection) as queries:
        record_events([])

    assert len(queries) == 0


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_recorded() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        record_events([Event("availability.changed")])


@pytest.mark.django_db(transaction=True)
def test_an_effect_that_is_rolled_back_is_not_told() -> None:
    with transaction.atomic():
        record_events([Event("availability.changed", "listing:1")])
        transaction.set_rollback(True)

    assert place_events() == 0
    assert OutboxEvent.objects.count() == 0


@pytest.mark.django_db
def test_events_are_placed_in_the_order_they_were_recorded_and_once() -> None:
    record_events([Event("availability.changed", key) for key in "abc"])
    first = place_events()
    before = last_position()
    record_events([Event("availability.changed", "d")])

    assert (first, place_events(), place_events()) == (3, 1, 0)
    assert keys() == ["a", "b", "c", "d"]
    assert last_position() == before + 1


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"payload": {"available": 7}}, {"key": "b"}, {"position": 1}, {"position": None}])
def test_what_was_told_is_never_changed(change: dict) -> None:
    record_events([Event("availability.changed", "a")])
    place_events()

    with pytest.raises(InternalError, match="Cannot update"), transaction.atomic():
        OutboxEvent.objects.update(**change)


@pytest.mark.django_db
def test_old_events_are_forgotten_but_none_that_nobody_could_see_yet() -> None:
    record_events([Event("availability.changed", "told")])
    place_events()
    record_events([Event("availability.changed", "untold")])
    later = datetime.now(UTC) + timedelta(days=1)

    assert forget_events(before=later) == 1
    assert OutboxEvent.objects.get().key == "untold"
    assert forget_events(before=NOW) == 0


@pytest.mark.django_db
def test_positions_go_on_after_everything_was_forgotten() -> None:
    record_events([Event("availability.changed", "a")])
    place_events()
    was = last_position()
    forget_events(before=datetime.now(UTC) + timedelta(days=1))
    record_events([Event("availability.changed", "b")])

    place_events()

    assert last_position() > was


@pytest.mark.django_db
def test_a_long_queue_is_placed_in_parts_without_mixing_the_order() -> None:
    record_events([Event("availability.changed", f"{n:03}") for n in range(25)])

    assert [outbox.place_events(at_most=10) for _part in range(4)] == [10, 10, 5, 0]
    assert keys() == [f"{n:03}" for n in range(25)]
