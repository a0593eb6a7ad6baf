"""The cards of the dashboard: each figure in words, with its definition and the way to the rows behind it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from config.kernel.fields import money
from monitoring.selectors.figures import AT_ONCE_DAYS, WINDOW_DAYS


@dataclass(frozen=True, slots=True)
class Card:
    """One figure: its value, its name, the definition in small print, and the rows behind it."""

    value: str
    name: str
    note: str
    link: str
    css: str = ""


def cards(figures: dict[str, Any], *, risks: int, currency: str) -> list[Card]:
    """The eight figures of the house, in the order a planner asks for them."""

    def rows(model: str, query: str = "") -> str:
        return reverse(f"admin:{model}_changelist") + query

    cover = figures["days_on_hand"]
    return [
        Card(
            f"{_short(figures['stock_value'])} {currency}",
            _("Stock value"),
            _("On hand × unit cost. Lasts %(days)s days at the demand of the last %(window)s.")
            % {"days": "–" if cover is None else round(cover), "window": WINDOW_DAYS},
            rows("warehouses_stocklevel"),
        ),
        Card(
            _percent(figures["fill_rate"]),
            _("Fill rate (units)"),
            _("Units ordered in %(window)s days that left within %(days)s days or are reserved.")
            % {"window": WINDOW_DAYS, "days": AT_ONCE_DAYS},
            rows("warehouses_salesorder", "?status__exact=backordered"),
        ),
        Card(
            number_format(figures["stockouts"]),
            _("Stock-outs now"),
            _("SKU × warehouse with nothing available: %(share)s of those that are planned.")
            % {"share": _percent(figures["stockout_share"])},
            rows("monitoring_alert", "?kind__exact=stockout_risk&severity__exact=critical"),
            "h-bad" if figures["stockouts"] else "",
        ),
        Card(
            number_format(risks),
            _("Will run out too soon"),
            _("Gone before the next delivery, or before a new order could come."),
            rows("monitoring_alert", "?kind__exact=stockout_risk"),
            "h-warn" if risks else "",
        ),
        Card(
            number_format(figures["late_orders"]),
            _("Late purchase orders"),
            _("%(units)s units were expected before today.")
            % {"units": number_format(Decimal(figures["late_units"]), 0, force_grouping=True)},
            rows("monitoring_alert", "?kind__exact=late_purchase_order"),
            "h-warn" if figures["late_orders"] else "",
        ),
        Card(
            _percent(figures["wape"]),
            _("Forecast error (WAPE)"),
            _("Backtest of %(series)s series; bias %(bias)s, above 0 is too high.")
            % {"series": number_format(figures["series"]), "bias": _percent(figures["bias"], sign=True)},
            rows("forecasting_forecast"),
        ),
        Card(
            _amounts(figures["proposals_value"]),
            _("Open proposals"),
            _("%(count)s to look at, at the supplier's price.") % {"count": number_format(figures["proposals"])},
            rows("procurement_proposal"),
        ),
        Card(
            _amounts(figures["on_order_value"]),
            _("On order"),
            _("%(count)s under way; drafts: %(drafts)s.")
            % {"count": number_format(figures["on_order"]), "drafts": number_format(figures["drafts"])},
            rows("procurement_purchaseorder"),
        ),
    ]


def _short(amount: str | Decimal) -> str:
    """1234567.8 → 1.23M: a card has little room; the exact figure is one click away."""
    value = Decimal(amount)
    for size, letter in ((Decimal(10**6), "M"), (Decimal(10**3), "k")):
        if abs(value) >= size:
            return f"{number_format(value / size, 2 if letter == 'M' else 1)}{letter}"
    return number_format(money(value), 2)


def _amounts(values: dict[str, str]) -> str:
    return " + ".join(f"{_short(value)} {currency}" for currency, value in values.items()) or "0"


def _percent(share: float | None, *, sign: bool = False) -> str:
    if share is None:
        return "–"
    plus = "+" if sign and share > 0 else ""
    return f"{plus}{number_format(100 * share, 1)} %"
