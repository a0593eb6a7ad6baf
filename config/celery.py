"""The Celery application and the one timetable of recurring work (step 5 of the story)."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")

app = Celery("entrepot")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Times are UTC. Every entry is safe to run twice for one slot: its task claims a Job by (name, slot) first, or only
# brings rows up to date.
app.conf.beat_schedule = {
    "plan-nightly": {"task": "procurement.run_nightly_plan", "schedule": crontab(hour=2, minute=30)},
    "evaluate-alerts": {"task": "monitoring.evaluate_alerts", "schedule": crontab(minute="*/5")},
    "record-kpis": {"task": "monitoring.record_kpis", "schedule": crontab(minute=10)},
    "reserve-backorders": {"task": "warehouses.reserve_backorders", "schedule": crontab(minute="*/15")},
    "fail-abandoned-jobs": {"task": "monitoring.fail_abandoned_jobs", "schedule": crontab(minute="*")},
    "forget-idempotency-keys": {"task": "monitoring.forget_idempotency_keys", "schedule": crontab(hour=4, minute=0)},
}
