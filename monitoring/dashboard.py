"""The admin's first page: how the house does, what needs somebody now, and where to go from each figure."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from config.kernel.charts import Figure, Line, bar_chart, line_chart
from config.kernel.fields import money
from config.kernel.models import Job
from monitoring.models import Alert
from monitoring.selectors.course import Course, course_of_figures
from monitoring.selectors.demand import demand_and_forecast
from monitoring.selectors.figures import AT_ONCE_DAYS, WINDOW_DAYS, current_figures
from monitoring.selectors.orders import late_orders
from monitoring.selectors.risks import latest_complete_run
from procurement.services.planning import PLAN

ROWS = 8


@dataclass(frozen=True, slots=True)
class Card:
    """One figure: its value, its name, the definition in small print, and the rows behind it."""

    value: str
    name: str
    note: str
    link: str
    css: str = ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of templates/admin/index.html. Each part is shown to those who may see the rows behind it."""
    now, today, may = timezone.now(), timezone.localdate(), request.user.has_perm
    context |= {"title": _("Dashboard"), "subtitle": None, "today": today, "may_run_plan": may("procurement.run_plan")}
    if may("procurement.view_proposal"):
        context |= _figures(now, today)
    if may("monitoring.view_alert"):
        context |= _alerts()
    if may("procurement.view_purchaseorder"):
        late = late_orders(today=today)
        context |= {"late_orders": late[:ROWS], "late_count": len(late)}
    if may("kernel.view_job"):
        context["plan_job"] = Job.objects.filter(kind=PLAN).order_by("-created_at").first()
        context["plan_run"] = latest_complete_run()
    context["run_plan_url"] = reverse("admin:procurement_run_plan")
    return context


def _figures(now: datetime, today: date) -> dict[str, Any]:
    figures = current_figures(now=now, today=today)
    course = course_of_figures(today=today)
    risks = Alert.objects.filter(kind=Alert.Kind.STOCKOUT_RISK, resolved_at=None).count()
    return {
        "cards": cards(figures, risks=risks),
        "charts": [*course_charts(course), demand_chart(today)] if course.days else [demand_chart(today)],
    }


def _alerts() -> dict[str, Any]:
    """Open alerts, and the shortest covers among them."""
    alerts = list(Alert.objects.filter(resolved_at=None).select_related("acknowledged_by").order_by("severity", "-pk"))
    risks = [alert for alert in alerts if alert.kind == Alert.Kind.STOCKOUT_RISK]
    risks.sort(key=lambda alert: (alert.facts.get("days_of_cover", 0), alert.facts.get("sku", "")))
    shown_above = (Alert.Kind.STOCKOUT_RISK, Alert.Kind.LATE_PURCHASE_ORDER)
    others = [alert for alert in alerts if alert.kind not in shown_above]
    return {
        "top_risks": risks[:ROWS],
        "risk_count": len(risks),
        "other_alerts": others[:ROWS],
        "open_alerts": len(alerts),
    }


def cards(figures: dict[str, Any], *, risks: int) -> list[Card]:
    """The eight figures of the house, in the order a planner asks for them."""

    def rows(model: str, query: str = "") -> str:
        return reverse(f"admin:{model}_changelist") + query

    cover = figures["days_on_hand"]
    return [
        Card(
            _short(figures["stock_value"]),
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
            _("Planned SKU × warehouse with nothing available."),
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
            _("%(count)s orders under way, %(drafts)s drafts.")
            % {"count": number_format(figures["on_order"]), "drafts": number_format(figures["drafts"])},
            rows("procurement_purchaseorder"),
        ),
    ]


def course_charts(course: Course) -> list[Figure]:
    shares = [None if rate is None else 100 * rate for rate in course.fill_rate]
    return [
        line_chart(
            course.days,
            [Line(_("Stock value"), course.stock_value)],
            title=_("Stock value"),
            is_filled=True,
            say=lambda value: number_format(round(value), force_grouping=True),
        ),
        line_chart(
            course.days,
            [Line(_("Fill rate, %"), shares)],
            title=_("Fill rate over 28 days, %"),
            highest=100,
        ),
        bar_chart(
            course.days,
            [value or 0.0 for value in course.stockouts],
            title=_("Stock-outs per day"),
            value_name=_("SKU × warehouse"),
            css="h-alarm",
        ),
    ]


def demand_chart(today: date) -> Figure:
    weeks = demand_and_forecast(today=today)
    return bar_chart(
        [week.monday for week in weeks],
        [week.actual for week in weeks],
        title=_("Demand and forecast by week"),
        value_name=_("Demand"),
        line=[week.expected for week in weeks],
        line_name=_("Forecast made before the week"),
    )


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
