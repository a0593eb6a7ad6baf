"""Alerts (step 13 of the story): opened when something goes wrong, fresh while it lasts, resolved when it is gone."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, NotFound
from monitoring.models import Alert
from monitoring.services.findings import Finding, all_findings

# Any constant will do, as long as nobody else takes the same advisory lock.
_LOCK = 741_001


@dataclass(frozen=True, slots=True)
class AlertCounts:
    opened: int = 0
    refreshed: int = 0
    resolved: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)


def evaluate_alerts(*, now: datetime) -> AlertCounts:
    """Bring the alerts in line with what is true now; running it again changes nothing but `last_seen_at`.

    One evaluation at a time: a second one that starts meanwhile leaves at once with zero counts.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return AlertCounts()
        findings = all_findings(today=timezone.localdate(now), now=now)
        opened, refreshed = _open_or_refresh(findings, now)
        resolved = Alert.objects.filter(resolved_at=None).exclude(last_seen_at=now).update(resolved_at=now)
    kinds: dict[str, int] = {}
    for finding in findings:
        kinds[finding.kind] = kinds.get(finding.kind, 0) + 1
    return AlertCounts(opened, refreshed, resolved, kinds)


def acknowledge_alert(alert_id: int, *, actor: Any, now: datetime) -> Alert:
    """Note that somebody looks after it; the first to say so stays named.

    Raises NotFound, and Conflict when the alert is resolved already.
    """
    Alert.objects.filter(pk=alert_id, resolved_at=None, acknowledged_at=None).update(
        acknowledged_by=actor, acknowledged_at=now
    )
    alert = Alert.objects.select_related("acknowledged_by").filter(pk=alert_id).first()
    if alert is None:
        raise NotFound(_("There is no such alert."))
    if alert.acknowledged_at is None:
        raise Conflict(_("The alert is resolved already."), code="already_resolved")
    return alert


def _open_or_refresh(findings: Sequence[Finding], now: datetime) -> tuple[int, int]:
    """One statement for all of them; the partial unique index decides which are new."""
    if not findings:
        return 0, 0
    rows = json.dumps([asdict(finding) for finding in findings], cls=DjangoJSONEncoder)
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, {"rows": rows, "now": now})
        fresh = [is_new for (is_new,) in cursor.fetchall()]
    return sum(fresh), len(fresh) - sum(fresh)


_UPSERT = """
INSERT INTO monitoring_alert (kind, severity, subject, message, facts, link, opened_at, last_seen_at)
SELECT found.kind, found.severity, found.subject, left(found.message, 500), found.facts, found.link, %(now)s, %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb)
     AS found (kind text, severity text, subject text, message text, facts jsonb, link text)
ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO UPDATE
SET severity = excluded.severity, message = excluded.message, facts = excluded.facts, link = excluded.link,
    last_seen_at = excluded.last_seen_at
RETURNING xmax = 0
"""
