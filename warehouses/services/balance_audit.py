"""The nightly audit of balance sheets: one sheet is added up anew; what differs is a drift that a person repairs."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from warehouses.models import BalanceSheet, StockDrift
from warehouses.selectors.drift import Drift, Scope
from warehouses.services.balances import BalanceMismatch, audit_sheet, next_to_audit
from warehouses.services.reconciler import lock_drifts, record_drifts

TAKE_AGAIN = "take_again"
"""The way to repair a sheet: `balances.retake_balance_sheet`."""
SHOWN = 20


@dataclass(frozen=True, slots=True)
class _OneSheet(Scope):
    subject: str = ""

    def holds(self, drift: StockDrift) -> bool:
        return drift.kind == StockDrift.Kind.BALANCE and drift.subject == self.subject


def audit_balance_sheets(*, now: datetime, at_most: int = 1) -> int:
    """Audit the sheets whose turn it is; returns how many rows differ. Each difference stands in the sheet's drift."""
    differing = 0
    for _turn in range(at_most):
        sheet_id = next_to_audit()
        if sheet_id is None:
            break
        differing += len(audit_one(sheet_id, now=now))
    return differing


def audit_one(sheet_id: int, *, now: datetime) -> list[BalanceMismatch]:
    """Audit this sheet; its drift is opened, seen again, or gone."""
    with transaction.atomic():
        lock_drifts()
        rows = audit_sheet(sheet_id, now=now)
        drifts = [_drift(BalanceSheet.objects.get(pk=sheet_id), rows)] if rows else []
        record_drifts(drifts, _OneSheet(subject=_subject(sheet_id)), now)
    return rows


def _subject(sheet_id: int) -> str:
    return f"sheet:{sheet_id}"


def _drift(sheet: BalanceSheet, rows: list[BalanceMismatch]) -> Drift:
    def total(name: str) -> str:
        return f"{sum((getattr(row, name) for row in rows), Decimal(0)):f}"

    names = ("quantity", "ledger_quantity", "value", "ledger_value")
    facts = {
        "figures": {name: total(name) for name in names},
        "sheet": f"{sheet.get_clock_display()}, {sheet.as_of:%Y-%m-%d %H:%M}",
        "sheet_id": sheet.pk,
        "rows": len(rows),
        "first": [
            {"sku_id": row.sku_id, "warehouse_id": row.warehouse_id, **{n: f"{getattr(row, n):f}" for n in names}}
            for row in rows[:SHOWN]
        ],
    }
    return Drift(StockDrift.Kind.BALANCE, _subject(sheet.pk), facts, (TAKE_AGAIN,))
