"""What is wrong right now, in words: the conditions that alerts are made of."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.models import Sku
from config.kernel.fields import plain
from config.kernel.models import Job, OutboxEvent
from forecasting.models import Forecast, ForecastDrift
from forecasting.selectors import complete_runs
from forecasting.services.surprises import SURPRISED
from monitoring.models import Alert, WebhookEndpoint
from monitoring.selectors.orders import LateOrder, late_orders
from monitoring.selectors.risks import StockoutRisk, stockout_risks
from warehouses.models import StockDrift
from warehouses.selectors.drift_words import drift_in_words
from warehouses.selectors.lots import expired_stock

# A failure older than this is history: somebody would have run the job again.
FAILED_JOBS_FOR = timedelta(days=7)
LATE_IS_CRITICAL_DAYS = 7
# A webhook may fail for a while (its shop is being deployed) before anybody is told.
WEBHOOK_FAILS_FOR = timedelta(minutes=30)
SURPRISES_FOR = timedelta(days=1)

_DRIFT_WORDS: dict[str, Any] = {
    ForecastDrift.Kind.BIAS: gettext_lazy("it errs to one side (%(measure).0f%% of its errors)"),
    ForecastDrift.Kind.ERROR: gettext_lazy("it errs %(measure).1f times as much as in its backtest"),
    ForecastDrift.Kind.COVERAGE: gettext_lazy("demand is above its upper quantile on %(measure).0f%% of the days"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` names the same trouble by the same words as long as it lasts."""

    kind: str
    severity: str
    subject: str
    message: str
    facts: dict[str, Any] = field(default_factory=dict)
    link: str = ""


def all_findings(*, today: date, now: datetime) -> list[Finding]:
    return [
        *(stockout_finding(risk) for risk in stockout_risks(today=today)),
        *(late_finding(order) for order in late_orders(today=today)),
        *failed_job_findings(now=now),
        *drift_findings(),
        *forecast_findings(),
        *surprise_findings(now=now),
        *webhook_findings(now=now),
        *expired_findings(today=today),
    ]


def stockout_finding(risk: StockoutRisk) -> Finding:
    named = {"sku": risk.sku_code, "warehouse": risk.warehouse_name, "days": risk.lead_time_days}
    if risk.is_out:
        message = _("%(sku)s is out of stock in %(warehouse)s.") % named
    else:
        message = _("%(sku)s in %(warehouse)s runs out on %(day)s (%(cover)s days of cover).") % {
            **named,
            "day": risk.runs_out_on.isoformat(),
            "cover": f"{risk.days_of_cover:g}",
        }
    if risk.next_arrival:
        message += " " + _("The next delivery is expected on %(day)s.") % {"day": risk.next_arrival.isoformat()}
    else:
        message += " " + _("Nothing is on order; a new order takes %(days)s days.") % named
    return Finding(
        kind=Alert.Kind.STOCKOUT_RISK,
        severity=Alert.Severity.CRITICAL if risk.is_out else Alert.Severity.WARNING,
        subject=f"sku:{risk.sku_id}:warehouse:{risk.warehouse_id}",
        message=message,
        facts={
            "sku": risk.sku_code,
            "name": risk.sku_name,
            "warehouse": risk.warehouse_name,
            "available": plain(risk.available),
            "days_of_cover": risk.days_of_cover,
            "runs_out_on": risk.runs_out_on.isoformat(),
            "next_arrival": risk.next_arrival and risk.next_arrival.isoformat(),
            "lead_time_days": risk.lead_time_days,
        },
        link=reverse("admin:catalog_sku_change", args=[risk.sku_id]),
    )


def late_finding(order: LateOrder) -> Finding:
    return Finding(
        kind=Alert.Kind.LATE_PURCHASE_ORDER,
        severity=Alert.Severity.CRITICAL if order.days_late > LATE_IS_CRITICAL_DAYS else Alert.Severity.WARNING,
        subject=f"purchase_order:{order.order_id}",
        message=ngettext(
            "%(order)s from %(supplier)s is %(days)s day late: %(units)s units are missing.",
            "%(order)s from %(supplier)s is %(days)s days late: %(units)s units are missing.",
            order.days_late,
        )
        % {
            "order": order.number,
            "supplier": order.supplier,
            "days": order.days_late,
            "units": plain(order.units),
        },
        facts={
            "order": order.number,
            "supplier": order.supplier,
            "expected_on": order.expected_on.isoformat(),
            "days_late": order.days_late,
            "units": plain(order.units),
        },
        link=reverse("admin:procurement_purchaseorder_change", args=[order.order_id]),
    )


def failed_job_findings(*, now: datetime) -> list[Finding]:
    """One for each kind of job whose latest ended run failed lately; the next good run ends it."""
    ended = (Job.State.DONE, Job.State.FAILED)
    latest = (
        Job.objects.filter(state__in=ended, finished_at__gte=now - FAILED_JOBS_FOR)
        .order_by("kind", "-finished_at")
        .distinct("kind")
    )
    return [
        Finding(
            kind=Alert.Kind.FAILED_JOB,
            severity=Alert.Severity.CRITICAL,
            subject=f"job:{job.kind}",
            message=_("The job “%(kind)s” failed: %(error)s") % {"kind": job.kind, "error": job.error[:300]},
            facts={"job": str(job.pk), "error": job.error[:1000]},
            link=reverse("admin:kernel_job_change", args=[job.pk]),
        )
        for job in latest
        if job.state == Job.State.FAILED
    ]


def drift_findings() -> list[Finding]:
    """Every drift the reconciler has open: never expected, always worth a look."""
    return [
        Finding(
            kind=Alert.Kind.LEDGER_DRIFT,
            severity=Alert.Severity.CRITICAL,
            subject=f"drift:{drift.kind}:{drift.subject}",
            message=drift_in_words(drift),
            facts={
                **{
                    name: str(drift.facts[name])
                    for name in ("sku", "location", "warehouse", "lot")
                    if name in drift.facts
                },
                **drift.facts.get("figures", {}),
            },
            link=reverse("admin:warehouses_stockdrift_change", args=[drift.pk]),
        )
        for drift in StockDrift.objects.filter(state=StockDrift.State.OPEN).order_by("pk")
    ]


def forecast_findings() -> list[Finding]:
    """Forecasts that have drifted and were not learnt anew yet: one for each SKU and warehouse, whatever the kinds."""
    drifts = ForecastDrift.objects.filter(state=ForecastDrift.State.OPEN).order_by("sku_id", "warehouse_id", "kind")
    rows = drifts.select_related("sku", "warehouse").annotate(is_dear=_is_dear())
    return [
        forecast_finding(list(found))
        for _pair, found in groupby(rows, key=lambda drift: (drift.sku_id, drift.warehouse_id))
    ]


def forecast_finding(drifts: list[Any]) -> Finding:
    """Of a SKU that carries the demand's value (ABC class A in the latest forecast) it is critical."""
    first = drifts[0]
    named = {"sku": first.sku.code, "warehouse": first.warehouse.name}
    how = "; ".join(_drift_words(drift) for drift in drifts)
    return Finding(
        kind=Alert.Kind.FORECAST_DRIFT,
        severity=Alert.Severity.CRITICAL if first.is_dear else Alert.Severity.WARNING,
        subject=f"forecast:{first.sku_id}:{first.warehouse_id}",
        message=_("The forecast of %(sku)s in %(warehouse)s has drifted: %(how)s.") % {**named, "how": how},
        facts={
            **named,
            **{drift.kind: round(drift.measure, 3) for drift in drifts},
            "since": first.found_on.isoformat(),
            "refit": first.refit_id and str(first.refit_id),
        },
        link=reverse("admin:catalog_sku_change", args=[first.sku_id]),
    )


def _drift_words(drift: ForecastDrift) -> str:
    share = drift.kind != ForecastDrift.Kind.ERROR
    return str(_DRIFT_WORDS[drift.kind]) % {"measure": drift.measure * (100 if share else 1)}


def _is_dear() -> Exists:
    run = complete_runs().values("pk")[:1]
    same = Forecast.objects.filter(sku=OuterRef("sku"), warehouse=OuterRef("warehouse"), value_class="A")
    return Exists(same.filter(run_id__in=list(run.values_list("pk", flat=True))))


def surprise_findings(*, now: datetime) -> list[Finding]:
    """SKUs whose orders no forecast had in them, as told in the last day: the newest word of each direction."""
    told = OutboxEvent.objects.filter(kind=SURPRISED, created_at__gte=now - SURPRISES_FOR).order_by("pk")
    newest = {(facts["sku"], facts["warehouse"], facts["direction"]): facts for facts in (one.payload for one in told)}
    skus = dict(Sku.objects.filter(code__in={sku for sku, _place, _way in newest}).values_list("code", "pk"))
    return [
        Finding(
            kind=Alert.Kind.FORECAST_SURPRISED,
            severity=Alert.Severity.WARNING,
            subject=f"surprise:{skus[sku]}:{facts['warehouse']}:{way}",
            message=_("%(sku)s in %(warehouse)s: %(observed)s ordered where %(expected)s were expected.")
            % {**facts, "observed": f"{facts['observed']:g}", "expected": f"{facts['expected']:.1f}"},
            facts=facts,
            link=reverse("admin:catalog_sku_change", args=[skus[sku]]),
        )
        for (sku, _place, way), facts in newest.items()
        if sku in skus
    ]


def webhook_findings(*, now: datetime) -> list[Finding]:
    """Webhooks that were disabled, or have failed for a while; one that a person paused is no trouble."""
    troubled = WebhookEndpoint.objects.filter(is_active=True).filter(
        Q(disabled_at__isnull=False) | Q(failing_since__lte=now - WEBHOOK_FAILS_FOR)
    )
    findings = []
    for endpoint in troubled.order_by("pk"):
        named = {"name": endpoint.name, "reason": endpoint.get_disabled_reason_display()}
        if endpoint.disabled_at:
            message = _("The webhook “%(name)s” was disabled: %(reason)s.") % named
        else:
            message = _("The webhook “%(name)s” fails; its messages wait and are tried again.") % named
        findings.append(
            Finding(
                kind=Alert.Kind.WEBHOOK_ENDPOINT,
                severity=Alert.Severity.CRITICAL if endpoint.disabled_at else Alert.Severity.WARNING,
                subject=f"webhook:{endpoint.pk}",
                message=message,
                facts={"webhook": endpoint.name, "failures": endpoint.consecutive_failures},
                link=reverse("admin:monitoring_webhookendpoint_change", args=[endpoint.pk]),
            )
        )
    return findings


def expired_findings(*, today: date) -> list[Finding]:
    """Expired lots that still lie in the house: blocked, but taking room and worth money until somebody acts."""
    return [
        Finding(
            kind=Alert.Kind.EXPIRED_STOCK,
            severity=Alert.Severity.WARNING,
            subject=f"expired:{stock.lot_id}:{stock.warehouse_id}",
            message=_("%(units)s of %(sku)s, lot %(lot)s, expired on %(day)s and still lie in %(warehouse)s.")
            % {
                "units": plain(stock.units),
                "sku": stock.sku,
                "lot": stock.lot,
                "day": stock.expires_on.isoformat(),
                "warehouse": stock.warehouse,
            },
            facts={
                "sku": stock.sku,
                "lot": stock.lot,
                "warehouse": stock.warehouse,
                "expires_on": stock.expires_on.isoformat(),
                "units": plain(stock.units),
            },
            link=reverse("admin:warehouses_stocklevel_changelist") + f"?lot__id__exact={stock.lot_id}",
        )
        for stock in expired_stock(today)
    ]
