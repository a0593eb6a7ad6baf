"""What is wrong with the goods: about to run out, late, in disagreement with the ledger, expired."""

from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.fields import plain
from monitoring.models import Alert
from monitoring.selectors.orders import LateOrder
from monitoring.selectors.risks import StockoutRisk
from monitoring.services.findings.finding import Finding
from warehouses.models import StockDrift
from warehouses.selectors.drift_words import drift_in_words
from warehouses.selectors.lots import expired_stock

LATE_IS_CRITICAL_DAYS = 7


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
