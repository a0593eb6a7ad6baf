"""A drift in a person's words: where it is, and which figures differ."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from warehouses.models import StockDrift, StockStatus

FIGURE_NAMES = {
    "on_hand": gettext_lazy("On hand"),
    "ledger_quantity": gettext_lazy("In the ledger"),
    "reserved": gettext_lazy("Reserved"),
    "reservation_quantity": gettext_lazy("In reservations"),
    "quantity": gettext_lazy("Units that are valued"),
    "level_quantity": gettext_lazy("Units in the levels"),
    "layer_quantity": gettext_lazy("Units in cost layers"),
    "value": gettext_lazy("Value"),
    "layer_value": gettext_lazy("Value of the layers"),
    "ledger_value": gettext_lazy("Value in the ledger"),
}


def where_of(facts: Mapping[str, Any]) -> str:
    """SKU and place, or SKU and document: "MUG · MAIN/A-01 · quarantine", "MUG · W-1, line 2"."""
    parts = [str(facts[name]) for name in ("sku", "location", "warehouse", "lot", "sheet") if facts.get(name)]
    if "document" in facts:
        parts.append(_("%(document)s, line %(line)s") % {"document": facts["document"], "line": facts["line_number"]})
    status = facts.get("status")
    if status and status != StockStatus.AVAILABLE and status in StockStatus.values:
        parts.append(str(StockStatus(status).label))
    return " · ".join(parts)


def figures_of(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The figures as found, each with its name."""
    return [(str(FIGURE_NAMES.get(name, name)), number) for name, number in facts.get("figures", {}).items()]


def drift_in_words(drift: StockDrift) -> str:
    """One sentence: "MUG · MAIN/A-01: On hand 99, In the ledger 100"."""
    figures = ", ".join(f"{name} {number}" for name, number in figures_of(drift.facts))
    return f"{where_of(drift.facts) or drift.subject}: {figures}"
