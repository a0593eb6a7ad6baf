"""The reconciler beside a house that works: nothing false is found, nothing true is missed."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from tests.cast import NOW, World
from tests.concurrency.meet import failures, run_concurrently
from warehouses.models import ReconcilerMark, StockDrift, StockLevel, StockMovement
from warehouses.selectors.drift import find_drifts
from warehouses.services import balances, reconciler
from warehouses.services.reconciler import reconcile
from warehouses.services.repairs import apply_repair
from warehouses.services.sales import Sale, SaleLine, cancel_order, record_sale
from warehouses.services.stock import Move, post_movements

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def beside(work: Callable[[], Any], *, threads: int = 1) -> Iterator[None]:
    """`work` again and again in threads of its own; what it raises is raised at the end."""
    stop, raised = threading.Event(), []

    def run() -> None:
        try:
            while not stop.is_set():
                work()
        except Exception as exc:
            raised.append(exc)
        finally:
            connection.close()

    workers = [threading.Thread(target=run, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        stop.set()
        for worker in workers:
            worker.join(30)
    assert raised == []


def storm(world: World) -> Callable[[], None]:
    """Receipts, orders and cancellations of two SKUs in two warehouses."""
    numbers = iter(range(10**9))

    def work() -> None:
        number = f"{threading.get_ident()}:{next(numbers)}"
        moves = [
            Move("receipt", sku.pk, place.pk, Decimal(3), f"{number}:{sku.pk}:{place.pk}", unit_cost=Decimal("1.37"))
            for sku in (world.mug, world.lamp)
            for place in (world.shelf, world.north_shelf)
        ]
        post_movements(moves, happened_at=NOW)
        sale = Sale(
            "WEB", number, NOW, [SaleLine("MUG", Decimal(2), Decimal(9)), SaleLine("LAMP", Decimal(1), Decimal(9))]
        )
        cancel_order(record_sale(sale, now=NOW)[0].pk, now=NOW)

    return work


def tamper(sku: Any, place: Any, on_hand: int, *, touch: bool = False) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('entrepot.stock_writer', 'on', true)")
        StockLevel.objects.filter(sku=sku, location=place).update(
            on_hand=on_hand, **({"updated_at": timezone.now()} if touch else {})
        )


def test_a_storm_of_postings_gives_no_false_drift_and_a_tampered_level_is_found_in_one_run(world: World) -> None:
    with beside(storm(world), threads=3):
        ends, runs, compared = time.monotonic() + 4, 0, 0
        while time.monotonic() < ends:
            ReconcilerMark.objects.filter(name="touched").update(reached=timezone.now() - timedelta(hours=1))
            compared += reconcile(timezone.now()).skus
            runs += 1
        moved = StockMovement.objects.count()

        assert StockDrift.objects.count() == 0
        assert (compared >= 2 * runs, runs > 10, moved > 40) == (True, True, True)

    assert find_drifts() == []
    tamper(world.tea, world.shelf, 0)  # nothing there yet: no row is changed
    tamper(world.mug, world.shelf, 7, touch=True)
    assert reconcile(timezone.now()).new == 2  # the level, and the units its value stands for


def test_without_one_snapshot_the_same_storm_looks_like_drift(world: World) -> None:
    """The negative control: levels first, then the ledger."""
    false = 0
    with beside(storm(world), threads=3):
        for _ in range(300):
            levels = StockLevel.objects.filter(sku=world.mug).aggregate(n=Sum("on_hand"))["n"]
            false += levels != StockMovement.objects.filter(sku=world.mug).aggregate(n=Sum("quantity"))["n"]

    assert false >= 1


def a_long_transaction_tampers(world: World, *, meanwhile: Callable[[], Any]) -> None:
    """It begins, writes a level (which says when it began), and commits only after `meanwhile`."""
    written, may_commit = threading.Event(), threading.Event()

    def long_one() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('entrepot.stock_writer', 'on', true)")
            cursor.execute(
                "UPDATE warehouses_stocklevel SET on_hand = 7, updated_at = now() WHERE sku_id = %s AND on_hand = 20",
                [world.lamp.pk],
            )
            written.set()
            assert may_commit.wait(30)

    def other() -> None:
        assert written.wait(30)
        time.sleep(0.05)
        try:
            meanwhile()
        finally:
            may_commit.set()

    assert failures(run_concurrently([long_one, other])) == []


def only_what_is_touched() -> None:
    """No SKU has its turn: what is found is found because it was touched."""
    ReconcilerMark.objects.update_or_create(name="turns", defaults={"reached": timezone.now() + timedelta(days=1)})


def test_a_transaction_that_stays_open_while_the_mark_moves_is_not_skipped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balances, "MARGIN", timedelta(0))
    only_what_is_touched()

    a_long_transaction_tampers(world, meanwhile=lambda: reconcile(timezone.now()))

    assert StockDrift.objects.count() == 0
    assert reconcile(timezone.now()).new == 2


def test_a_mark_that_moves_to_now_skips_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    monkeypatch.setattr(reconciler, "known_until", timezone.now)
    only_what_is_touched()

    a_long_transaction_tampers(world, meanwhile=lambda: reconcile(timezone.now()))

    assert reconcile(timezone.now()).new == 0
    assert len(find_drifts()) == 2


def test_two_who_repair_the_same_drift_repair_it_once(world: World) -> None:
    tamper(world.mug, world.shelf, 7, touch=True)
    reconcile(timezone.now())
    drift = StockDrift.objects.get(kind="level")

    def repair() -> StockDrift:
        return apply_repair(drift.pk, actor=world.planner, now=timezone.now(), way="follow_level")

    results = run_concurrently([repair, repair, lambda: reconcile(timezone.now())])

    assert [str(error) for error in failures(results)] == ["This drift has ended already."]
    assert StockMovement.objects.filter(kind="adjustment").count() == 1
    assert find_drifts() == []


def test_a_repair_beside_a_storm_is_done_or_refused_and_nothing_drifts_more(world: World) -> None:
    tamper(world.lamp, world.shelf, 50, touch=True)
    reconcile(timezone.now())
    drift = StockDrift.objects.get(kind="level")

    with beside(storm(world), threads=2):
        time.sleep(0.3)
        refused = failures([attempt(drift.pk, world)])
        for _ in range(20):
            if not StockDrift.objects.filter(kind="level", state="open").exists():
                break
            reconcile(timezone.now())
            attempt(drift.pk, world)

    assert [type(error).__name__ for error in refused] in ([], ["Conflict"])
    assert find_drifts() == []
    assert StockDrift.objects.get(pk=drift.pk).state == "repaired"


def attempt(pk: int, world: World) -> Any:
    """A repair looks at the newest figures or says that they have changed."""
    try:
        return apply_repair(pk, actor=world.planner, now=timezone.now())
    except Exception as exc:
        return exc
