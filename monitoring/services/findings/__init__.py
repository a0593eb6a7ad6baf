"""What is wrong right now, in words: the conditions that alerts are made of."""

from datetime import date, datetime

from monitoring.selectors.orders import late_orders
from monitoring.selectors.risks import stockout_risks
from monitoring.services.findings.finding import Finding
from monitoring.services.findings.forecasts import forecast_finding, forecast_findings, surprise_findings
from monitoring.services.findings.goods import drift_findings, expired_findings, late_finding, stockout_finding
from monitoring.services.findings.machinery import failed_job_findings, webhook_findings


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


__all__ = [
    "Finding",
    "all_findings",
    "drift_findings",
    "expired_findings",
    "failed_job_findings",
    "forecast_finding",
    "forecast_findings",
    "late_finding",
    "stockout_finding",
    "surprise_findings",
    "webhook_findings",
]
