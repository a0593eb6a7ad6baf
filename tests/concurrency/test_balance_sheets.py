"""Balance sheets and the change of valuation among transactions that are still open, on real PostgreSQL."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from config.kernel.errors import Conflict
from tests.cast import NOW, World
from tests.concurrency.meet import failures, run_concurrently
from tests.warehouses.worth import worth_faults
from warehouses.models import BalanceSheet, CostLayer, StockRules
from warehouses.selectors.as_of import Clock, stock_as_of
from warehouses.selectors.company import stock_rules
from warehouses.services import balances
from warehouses.services.balances import audit_sheet, take_balance_sheet
from warehouses.services.landed_costs import record_landed_cost
from warehouses.services.stock import Move, post_movements
from warehouses.services.valuation_method import switch_valuation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def rules(transactional_db: None) -> StockRules:
    return stock_rules()


def in_a_transaction(
    work: Callable[[], Any], may_commit: threading.Event, started: threading.Event
) -> threading.Thread:
    """Runs `work` in its own transaction, which stays open until it may commit."""

    def run() -> None:
        try:
            with transaction.atomic():
                work()
                started.set()
                may_commit.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(30)
    return thread


def receive(world: World, quantity: str, cost: str, key: str) -> None:
    move = Move("receipt", world.tea.pk, world.shelf.pk, Decimal(quantity), key, unit_cost=Decimal(cost), reference=key)
    post_movements([move], happened_at=NOW)


def sheet_among_open_transactions(world: World, monkeypatch: pytest.MonkeyPatch) -> BalanceSheet | Conflict:
    """A posting begins; a moment passes; a sheet of that moment is asked for; the posting commits."""
    monkeypatch.setattr(balances, "MARGIN", timedelta(0))
    may_commit, started = threading.Event(), threading.Event()
    thread = in_a_transaction(partial(receive, world, "5", "2", "open"), may_commit, started)
    moment = datetime.now(UTC)
    answer: Any
    try:
        answer = take_balance_sheet(Clock.RECORDED, moment, now=moment + timedelta(seconds=1))
    except Conflict as exc:
        answer = exc
    finally:
        may_commit.set()
        thread.join(30)
    return answer


def test_no_sheet_is_taken_over_the_head_of_an_open_posting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = sheet_among_open_transactions(world, monkeypatch)

    assert isinstance(answer, Conflict)
    assert BalanceSheet.objects.count() == 0


def test_negative_control_without_the_look_at_open_transactions_units_are_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balances, "known_until", lambda: datetime.now(UTC) + timedelta(seconds=1))

    sheet = sheet_among_open_transactions(world, monkeypatch)

    assert isinstance(sheet, BalanceSheet)
    assert stock_as_of(sheet.as_of, clock=Clock.RECORDED).get((world.tea.pk, world.main.pk)) is None
    [missing] = audit_sheet(sheet.pk, now=NOW)
    assert (missing.quantity, missing.ledger_quantity) == (0, 5)


def test_a_sheet_of_the_goods_clock_adds_what_was_open_when_it_was_taken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balances, "MARGIN", timedelta(0))
    may_commit, started = threading.Event(), threading.Event()
    thread = in_a_transaction(partial(receive, world, "5", "2", "open"), may_commit, started)

    sheet = take_balance_sheet(Clock.HAPPENED, NOW + timedelta(days=1), now=NOW + timedelta(days=2))
    may_commit.set()
    thread.join(30)

    assert stock_as_of(sheet.as_of)[world.tea.pk, world.main.pk].quantity == 5
    assert audit_sheet(sheet.pk, now=NOW) == []


def test_one_sheet_asked_for_by_many_at_once_is_one_sheet(world: World) -> None:
    calls = [partial(take_balance_sheet, Clock.HAPPENED, NOW, now=NOW)] * 8

    results = run_concurrently(calls)

    assert failures(results) == []
    assert len({sheet.pk for sheet in results}) == 1
    assert audit_sheet(results[0].pk, now=NOW) == []


def test_the_valuation_changes_among_postings_and_no_value_is_lost(world: World) -> None:
    calls: list[Callable[[], Any]] = [
        partial(receive, world, "10", cost, f"{cost}:{n}") for n in range(8) for cost in ("1.3333", "2.5001")
    ]
    calls += [partial(switch_valuation, "avco" if n % 2 else "fifo", actor=None, now=NOW) for n in range(6)]
    issue = partial(Move, "sale", world.mug.pk, world.shelf.pk, Decimal(-3))
    calls += [partial(post_movements, [issue(f"out:{n}")], happened_at=NOW) for n in range(8)]

    results = run_concurrently(calls)

    assert failures(results) == []
    assert worth_faults() == []


def test_a_posting_that_waited_for_the_change_values_by_the_new_rule(world: World) -> None:
    receive(world, "10", "1.00", "first")
    may_commit, started = threading.Event(), threading.Event()
    thread = in_a_transaction(partial(switch_valuation, "avco", actor=None, now=NOW), may_commit, started)
    late = threading.Thread(target=lambda: (receive(world, "10", "3.00", "second"), connection.close()), daemon=True)
    late.start()
    late.join(1)
    assert late.is_alive()  # it waits

    may_commit.set()
    thread.join(30)
    late.join(30)

    # One layer of twenty at 2.00; by the old rule the second receipt would lie in a layer of its own.
    [layer] = CostLayer.objects.filter(sku=world.tea, remaining__gt=0)
    assert (layer.remaining, layer.value) == (20, 40)
    assert worth_faults() == []


def test_the_change_waits_for_a_posting_that_read_the_old_rule(world: World) -> None:
    receive(world, "10", "1.00", "first")
    may_commit, started = threading.Event(), threading.Event()
    thread = in_a_transaction(partial(receive, world, "10", "3.00", "second"), may_commit, started)
    done: list[bool] = []
    change = threading.Thread(
        target=lambda: (done.append(switch_valuation("avco", actor=None, now=NOW)), connection.close()), daemon=True
    )
    change.start()
    change.join(1)
    assert done == []

    may_commit.set()
    thread.join(30)
    change.join(30)

    [layer] = CostLayer.objects.filter(sku=world.tea, remaining__gt=0)
    assert (done, layer.remaining, layer.value) == ([True], 20, 40)


def test_one_landed_cost_sent_by_many_at_once_is_booked_once(world: World) -> None:
    receive(world, "10", "1.00", "GR-1")
    cost = partial(
        record_landed_cost,
        kind="freight", basis="value", amount=Decimal(5), references=["GR-1"], happened_at=NOW, key="K", now=NOW,
    )  # fmt: skip

    results = run_concurrently([cost] * 8)

    assert failures(results) == []
    assert sorted(is_new for _cost, is_new in results) == [False] * 7 + [True]
    assert CostLayer.objects.get(sku=world.tea).value == 15
    assert worth_faults() == []


def test_landed_costs_among_sales_of_the_same_goods_lose_nothing(world: World) -> None:
    receive(world, "10", "1.00", "GR-1")
    calls: list[Callable[[], Any]] = [
        partial(
            record_landed_cost,
            kind="duty", basis="quantity", amount=Decimal("1.01"), references=["GR-1"], happened_at=NOW,
            key=f"K{n}", now=NOW,
        )
        for n in range(8)
    ]  # fmt: skip
    out = partial(Move, "sale", world.tea.pk, world.shelf.pk, Decimal(-1))
    calls += [partial(post_movements, [out(f"out:{n}")], happened_at=NOW) for n in range(8)]

    results = run_concurrently(calls)

    assert failures(results) == []
    assert worth_faults() == []
