"""`manage.py audit_stock`: proves that stock, ledger, reservations and worth agree; exits 1 when they do not."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from warehouses.models import BalanceSheet
from warehouses.selectors.drift import Drift, find_drifts
from warehouses.services.balances import BalanceMismatch, audit_sheet

SHOWN = 1000


class Command(BaseCommand):
    help = (
        "Compare every stock level with its movements and reservations, every line with its reservations, every value "
        "with its layers and movements, and every balance sheet with the ledger. Exit status 1 when any differs. "
        "Nothing is repaired here: a person does that on the drift's page."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        drifts = find_drifts()
        sheets = BalanceSheet.objects.order_by("pk")
        wrong = [(str(sheet), row) for sheet in sheets for row in audit_sheet(sheet.pk, now=timezone.now())]
        for drift in drifts[:SHOWN]:
            self.stdout.write(in_words(drift))
        for sheet, row in wrong[:SHOWN]:
            self.stdout.write(balance_in_words(sheet, row))
        if drifts or wrong:
            self.stdout.write(f"{len(drifts)} figures and {len(wrong)} rows of balance sheets drift.")
            raise SystemExit(1)
        self.stdout.write("Stock, ledger, reservations and worth agree.")


def in_words(drift: Drift) -> str:
    """`level: MUG at MAIN/A-01: on hand 99, ledger quantity 100`."""
    facts = drift.facts
    where = [str(facts["sku"])]
    for name, word in (("location", "at"), ("warehouse", "in"), ("lot", "lot"), ("document", "on")):
        if name in facts:
            where.append(f"{word} {facts[name]}")
    if "line_number" in facts:
        where.append(f"line {facts['line_number']}")
    if facts.get("status", "available") != "available":
        where.append(str(facts["status"]))
    numbers = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in drift.figures.items())
    return f"{drift.kind}: {' '.join(where)}: {numbers}"


def balance_in_words(sheet: str, row: BalanceMismatch) -> str:
    return (
        f"balance: sheet {sheet}, SKU {row.sku_id} in warehouse {row.warehouse_id}: quantity {row.quantity:f}, "
        f"ledger {row.ledger_quantity:f}; value {row.value:f}, ledger {row.ledger_value:f}"
    )
