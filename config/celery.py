"""The Celery application and the one timetable of recurring work (step 5 of the story)."""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")

app = Celery("entrepot")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A tick that no worker took in time is dropped: the next one does its work.
_TICK: dict[str, Any] = {"schedule": 5.0, "options": {"expire_seconds": 15}}

# Times are UTC. Every entry is safe to run twice for one slot: its task claims a Job by (name, slot) first, or only
# brings rows up to date.
app.conf.beat_schedule = {
    "learn-lead-times": {"task": "procurement.learn_lead_times", "schedule": crontab(hour=2, minute=10)},
    "plan-nightly": {"task": "procurement.run_nightly_plan", "schedule": crontab(hour=2, minute=30)},
    # After the night's plan has read the day's demand.
    "look-at-experiments": {"task": "procurement.look_at_experiments", "schedule": crontab(hour=4, minute=30)},
    # Before Monday's plan, which goes by what they find.
    "evaluate-policy-changes": {
        "task": "procurement.evaluate_policy_changes",
        "schedule": crontab(day_of_week="sun", hour=5, minute=20),
    },
    "learn-service-corrections": {
        "task": "procurement.learn_service_corrections",
        "schedule": crontab(day_of_week="sun", hour=5, minute=40),
    },
    "forget-runs": {"task": "forecasting.forget_runs", "schedule": crontab(hour=4, minute=20)},
    # After Monday's plan has read the week; on Tuesday once more, should Monday have been missed.
    "record-accuracy": {
        "task": "forecasting.record_accuracy",
        "schedule": crontab(day_of_week="mon,tue", hour=4, minute=40),
    },
    "check-drift": {"task": "forecasting.check_drift", "schedule": crontab(hour=5, minute=0)},
    # After the night's plan; a run is weighed once.
    "weigh-signals": {"task": "forecasting.weigh_signals", "schedule": crontab(hour=3, minute=50)},
    "tell-surprises": {
        "task": "forecasting.tell_surprises",
        "schedule": crontab(minute="*/3"),
        "options": {"expire_seconds": 150},
    },
    "evaluate-alerts": {"task": "monitoring.evaluate_alerts", "schedule": crontab(minute="*/5")},
    "record-kpis": {"task": "monitoring.record_kpis", "schedule": crontab(minute=10)},
    "reserve-backorders": {"task": "warehouses.reserve_backorders", "schedule": crontab(minute="*/15")},
    "expire-carts": {"task": "warehouses.expire_carts", "schedule": 20.0, "options": {"expire_seconds": 40}},
    "expire-quotas": {"task": "warehouses.expire_quotas", "schedule": crontab(minute="*")},
    # A channel hears of a change at most five seconds after its commit: the tick, and the time it takes.
    "publish-availability": {
        "task": "warehouses.publish_availability",
        "schedule": 2.0,
        "options": {"expire_seconds": 6},
    },
    "publish-all-availability": {"task": "warehouses.publish_all_availability", "schedule": crontab(minute="*/5")},
    "reconcile-stock": {
        "task": "warehouses.reconcile_stock",
        "schedule": crontab(minute="*"),
        "options": {"expire_seconds": 55},
    },
    "apply-channel-events": {"task": "warehouses.apply_channel_events", "schedule": crontab(minute="*/2")},
    "expire-lots": {"task": "warehouses.expire_lots", "schedule": crontab(hour=0, minute=10)},
    "schedule-counts": {"task": "warehouses.schedule_counts", "schedule": crontab(hour=1, minute=15)},
    # Nightly: takes a sheet only when a month has ended, and audits one.
    "take-balance-sheets": {"task": "warehouses.take_balance_sheets", "schedule": crontab(hour=3, minute=20)},
    "fail-abandoned-jobs": {"task": "monitoring.fail_abandoned_jobs", "schedule": crontab(minute="*")},
    "forget-idempotency-keys": {"task": "monitoring.forget_idempotency_keys", "schedule": crontab(hour=4, minute=0)},
    "relay-events": {"task": "monitoring.relay_events", **_TICK},
    "send-webhooks": {"task": "monitoring.send_webhooks", **_TICK},
    "forget-events": {"task": "monitoring.forget_events", "schedule": crontab(hour=4, minute=10)},
}
