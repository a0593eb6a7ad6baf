"""What waits for an answer when the demo begins: orders for a supplier to answer, changes for the planner to decide."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from procurement.demo.world import DemoWorld

UNANSWERED_SUPPLIERS = 2


@dataclass(frozen=True, slots=True)
class Change:
    """A supplier's proposal for one line (row of `purchase_lines`) that nobody has decided on yet."""

    line: int
    quantity: int | None
    proposed_on: date | None
    note: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """`order`: the row of the order that the supplier who signs in can answer."""

    order: int
    changes: tuple[Change, ...]


def with_unanswered_orders(world: DemoWorld) -> DemoWorld:
    """At least two suppliers have an order to answer; where history left fewer, the newest answers are taken back."""
    orders = world.purchase_orders.copy()
    newest_first = np.argsort(orders["ordered_at"], kind="stable")[::-1].tolist()
    waiting = set(orders["supplier"][orders["status"] == "sent"].tolist())
    for row in newest_first:
        if len(waiting) >= UNANSWERED_SUPPLIERS:
            break
        if orders["status"][row] == "confirmed" and int(orders["supplier"][row]) not in waiting:
            waiting.add(int(orders["supplier"][row]))
            orders["status"][row] = "sent"
            orders["confirmed_at"][row] = orders["promised_on"][row] = np.datetime64("NaT")
    return replace(world, purchase_orders=orders)


def find_waiting(world: DemoWorld) -> Waiting:
    """One sent order stays wholly unanswered; one of another supplier, and a confirmed one, carry a proposed change."""
    orders = world.purchase_orders
    lines_of = np.bincount(world.purchase_lines["purchase_order"], minlength=len(orders))
    sent = np.nonzero(orders["status"] == "sent")[0].tolist()
    to_answer = max(sent, key=lambda row: (min(int(lines_of[row]), 3), orders["ordered_at"][row]))
    changed = max(
        (row for row in sent if orders["supplier"][row] != orders["supplier"][to_answer]),
        key=lambda row: orders["ordered_at"][row],
    )
    soon, yesterday = np.datetime64(world.end_day + timedelta(days=4), "D"), np.datetime64(world.end_day, "s")
    settled = (orders["status"] == "confirmed") & (orders["confirmed_at"] < yesterday)
    agreed = np.nonzero(settled & (orders["promised_on"] > soon))[0].tolist()
    elsewhere = [row for row in agreed if orders["supplier"][row] not in orders["supplier"][[to_answer, changed]]]
    changes = [_fewer(world, changed)]
    if agreed:
        changes.append(_later(world, max(elsewhere or agreed, key=lambda row: orders["ordered_at"][row])))
    return Waiting(order=to_answer, changes=tuple(changes))


def _fewer(world: DemoWorld, order: int) -> Change:
    """About two thirds of the order's first line, in whole packs, and a week later."""
    line = int(np.nonzero(world.purchase_lines["purchase_order"] == order)[0][0])
    supplier = world.suppliers[world.purchase_orders["supplier"][order]].code
    sku = world.skus[world.purchase_lines["sku"][line]].code
    pack = next(item.pack_size for item in world.supplier_items if (item.supplier, item.sku) == (supplier, sku))
    ordered = int(world.purchase_lines["quantity"][line])
    quantity = max(ordered * 2 // 3 // pack * pack, pack)
    return Change(
        line=line,
        quantity=quantity if quantity < ordered else None,
        proposed_on=_after(world, world.purchase_orders["requested_on"][order], 7),
        note="Only part of this batch is ready in time.",
    )


def _later(world: DemoWorld, order: int) -> Change:
    line = int(np.nonzero(world.purchase_lines["purchase_order"] == order)[0][0])
    proposed_on = _after(world, world.purchase_orders["promised_on"][order], 12)
    return Change(line=line, quantity=None, proposed_on=proposed_on, note="Our production is running late.")


def _after(world: DemoWorld, day: np.datetime64, days: int) -> date:
    asked: date = day.astype(object)
    return max(asked, world.end_day) + timedelta(days=days)
