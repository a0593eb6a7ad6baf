"""The recent purchase orders' diaries and the suppliers' answers, as the services would have written them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np

from procurement.demo.loading.answers import Change, Waiting
from procurement.demo.loading.copying import pounds
from procurement.demo.loading.people import People
from procurement.demo.loading.purchases import (
    APPROVED_BEFORE,
    OPENED_BEFORE,
    PurchaseKeys,
    closed_at,
    line_quantities,
)
from procurement.demo.world import DemoWorld
from procurement.models import LineResponse, PurchaseOrderEvent

DIARY_DAYS = 120
_Kind, _Decision = LineResponse.Kind, LineResponse.Decision


@dataclass(slots=True)
class _Diary:
    """The world's tables by row number, and what has been written so far."""

    world: DemoWorld
    purchases: PurchaseKeys
    people: People
    changes: dict[int, Change]  # by order row
    lines: dict[int, list[int]] = field(default_factory=dict)  # order row → line rows
    receipts: dict[int, list[int]] = field(default_factory=dict)  # order row → receipt rows, in time order
    received: dict[int, list[int]] = field(default_factory=dict)  # receipt row → receipt line rows
    events: list[PurchaseOrderEvent] = field(default_factory=list)
    responses: list[LineResponse] = field(default_factory=list)

    def note(self, order: int, kind: str, *, at: np.datetime64, actor: Any, **detail: Any) -> None:
        self.events.append(
            PurchaseOrderEvent(
                order_id=int(self.purchases.orders[order]), kind=kind, detail=detail, actor=actor, happened_at=utc(at)
            )
        )

    def line(self, row: int, quantity: int) -> dict[str, Any]:
        """A line as the services tell of it."""
        sku = self.world.skus[self.world.purchase_lines["sku"][row]].code
        return {"line": int(self.purchases.line_numbers[row]), "sku": sku, "quantity": str(quantity)}


def load_diary(world: DemoWorld, *, purchases: PurchaseKeys, people: People, waiting: Waiting) -> tuple[int, int]:
    """Events and answers of the orders of the last DIARY_DAYS and of all open ones; returns how many of each."""
    changes = {int(world.purchase_lines["purchase_order"][change.line]): change for change in waiting.changes}
    diary = _Diary(world=world, purchases=purchases, people=people, changes=changes)
    diary.lines = _grouped(world.purchase_lines["purchase_order"])
    diary.receipts = _grouped(world.receipts["purchase_order"])
    diary.received = _grouped(world.receipt_lines["receipt"])
    finished = closed_at(world)
    recent = world.purchase_orders["ordered_at"] > np.datetime64(world.end_day - timedelta(days=DIARY_DAYS), "s")
    for order in np.nonzero(recent | np.isnat(finished))[0].tolist():
        _write_sending(diary, order)
        _write_answer(diary, order)
        _write_arrivals(diary, order)
        _write_end(diary, order, at=finished[order])
    PurchaseOrderEvent.objects.bulk_create(diary.events, batch_size=2000)
    LineResponse.objects.bulk_create(diary.responses, batch_size=2000)
    return len(diary.events), len(diary.responses)


def _grouped(owner: np.ndarray) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for row, key in enumerate(owner.tolist()):
        groups.setdefault(key, []).append(row)
    return groups


def _write_sending(diary: _Diary, order: int) -> None:
    planner, sent_at = diary.people.planner, diary.world.purchase_orders["ordered_at"][order]
    bought = diary.world.purchase_lines[diary.lines[order]]
    value = pounds(int((bought["quantity"].astype(np.int64) * bought["unit_cost_pence"]).sum()))
    minimum = diary.world.suppliers[diary.world.purchase_orders["supplier"][order]].minimum_order_value_pence
    added = [
        {"sku": diary.line(row, 0)["sku"], "quantity": str(quantity), "proposal": None}
        for row, quantity in zip(diary.lines[order], bought["quantity"].tolist(), strict=True)
    ]
    diary.note(order, "created", at=sent_at - OPENED_BEFORE, actor=planner)
    diary.note(order, "lines_added", at=sent_at - OPENED_BEFORE, actor=planner, lines=added)
    diary.note(
        order,
        "approved",
        at=sent_at - APPROVED_BEFORE,
        actor=planner,
        value=str(value),
        below_minimum=value < pounds(minimum),
    )
    diary.note(order, "sent", at=sent_at, actor=planner)


def _write_answer(diary: _Diary, order: int) -> None:
    """The first answer, and the change that still waits for the planner."""
    row, change = diary.world.purchase_orders[order], diary.changes.get(order)
    contact = diary.people.contacts[row["supplier"]]
    yesterday = np.datetime64(datetime.combine(diary.world.end_day, time(10, 40)), "s")
    if row["status"] == "sent" and change:
        answers = [_answer(diary, line, row["requested_on"], change=change) for line in diary.lines[order]]
        diary.note(order, "answered", at=yesterday, actor=contact, answers=_kept(diary, answers, contact, yesterday))
    elif not np.isnat(row["confirmed_at"]):
        at = row["confirmed_at"]
        answers = [_answer(diary, line, row["promised_on"], change=None) for line in diary.lines[order]]
        diary.note(order, "answered", at=at, actor=contact, answers=_kept(diary, answers, contact, at))
        diary.note(order, "confirmed", at=at, actor=contact)
        if change:
            late = [_answer(diary, change.line, row["promised_on"], change=change)]
            diary.note(order, "answered", at=yesterday, actor=contact, answers=_kept(diary, late, contact, yesterday))


def _answer(
    diary: _Diary, line: int, promised_on: np.datetime64, *, change: Change | None
) -> tuple[int, Change | None, Any]:
    if change is not None and change.line == line:
        return line, change, change.proposed_on
    return line, None, promised_on.item()


def _kept(diary: _Diary, answers: list[tuple[int, Change | None, Any]], contact: Any, at: np.datetime64) -> list[dict]:
    """Keeps the answers as rows and returns them as the diary tells of them."""
    told = []
    for line, change, day in answers:
        kind = _Kind.CHANGE if change else _Kind.ACCEPT
        quantity, note = (change.quantity, change.note) if change else (None, "")
        diary.responses.append(
            LineResponse(
                line_id=int(diary.purchases.lines[line]),
                kind=kind,
                proposed_quantity=quantity,
                proposed_on=day,
                note=note,
                decision=_Decision.PENDING if change else _Decision.NONE_NEEDED,
                responded_by=contact,
                responded_at=utc(at),
            )
        )
        asked = None if quantity is None else str(quantity)
        told.append(
            {**diary.line(line, 0), "kind": str(kind), "quantity": asked, "promised_on": day.isoformat(), "note": note}
        )
    return told


def _write_arrivals(diary: _Diary, order: int) -> None:
    status, arrivals = diary.world.purchase_orders["status"][order], diary.receipts.get(order, [])
    for place, receipt in enumerate(arrivals, start=1):
        at = diary.world.receipts["received_at"][receipt]
        rows = diary.world.receipt_lines[diary.received[receipt]]
        lines = [diary.line(row["purchase_line"], int(row["quantity"])) for row in rows]
        number = diary.purchases.receipt_numbers[receipt]
        diary.note(order, "goods_received", at=at, actor=diary.people.clerk, receipt=number, lines=lines)
        if status == "received" and place == len(arrivals):
            diary.note(order, "received", at=at, actor=diary.people.clerk)
        elif place == 1:
            diary.note(order, "partially_received", at=at, actor=diary.people.clerk)


def _write_end(diary: _Diary, order: int, *, at: np.datetime64) -> None:
    status = diary.world.purchase_orders["status"][order]
    if status == "cancelled":
        diary.note(order, "cancelled", at=at, actor=diary.people.planner, reason="No longer needed.")
    elif status == "closed_short":
        lines = diary.world.purchase_lines
        missing = (lines["quantity"] - line_quantities(diary.world))[diary.lines[order]].tolist()
        dropped = [
            {"sku": diary.line(row, 0)["sku"], "quantity": str(units)}
            for row, units in zip(diary.lines[order], missing, strict=True)
            if units
        ]
        reason = "The supplier will not deliver the rest."
        diary.note(order, "closed_short", at=at, actor=diary.people.planner, reason=reason, dropped=dropped)


def utc(moment: np.datetime64) -> datetime:
    return moment.astype("M8[s]").item().replace(tzinfo=UTC)
