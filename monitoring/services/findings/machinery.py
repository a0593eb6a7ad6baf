"""What is wrong with the machinery: jobs that failed, webhooks nobody answers."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from config.kernel.models import Job
from monitoring.models import Alert, WebhookEndpoint
from monitoring.services.findings.finding import Finding

# A failure older than this is history: somebody would have run the job again.
FAILED_JOBS_FOR = timedelta(days=7)
# A webhook may fail for a while (its shop is being deployed) before anybody is told.
WEBHOOK_FAILS_FOR = timedelta(minutes=30)


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
