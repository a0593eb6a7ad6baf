"""The admin's first page: how the house does, what needs somebody now, and where to go from each figure."""

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from config.kernel.charts import Figure, Line, bar_chart, line_chart
from config.kernel.models import Job
from forecasting.selectors import latest_run
from monitoring.cards import cards
from monitoring.floor_cards import floor_cards
from monitoring.models import Alert
from monitoring.selectors.course import Course, course_of_figures
from monitoring.selectors.demand import demand_and_forecast
from monitoring.selectors.figures import current_figures
from monitoring.selectors.orders import late_orders
from procurement.services.planning import PLAN

ROWS = 8


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of templates/admin/index.html. Each part is shown to those who may see the rows behind it."""
    now, today, may = timezone.now(), timezone.localdate(), request.user.has_perm
    context |= {"title": _("Dashboard"), "subtitle": None, "today": today, "may_run_plan": may("procurement.run_plan")}
    if may("procurement.view_proposal"):
        context |= _figures(now, today)
    elif may("warehouses.work_task"):
        context["cards"] = floor_cards()
    if may("monitoring.view_alert"):
        context |= _alerts()
    if may("procurement.view_purchaseorder"):
        late = late_orders(today=today)
        context |= {"late_orders": late[:ROWS], "late_count": len(late)}
    if may("kernel.view_job"):
        context["may_see_plan"] = True
        context["plan_job"] = Job.objects.filter(kind=PLAN).order_by("-created_at").first()
        context["plan_run"] = latest_run()
    context["run_plan_url"] = reverse("admin:procurement_run_plan")
    return context


def _figures(now: datetime, today: date) -> dict[str, Any]:
    figures = current_figures(now=now, today=today)
    course = course_of_figures(today=today)
    risks = Alert.objects.filter(kind=Alert.Kind.STOCKOUT_RISK, resolved_at=None).count()
    return {
        "cards": cards(figures, risks=risks, currency=settings.COMPANY_CURRENCY),
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
