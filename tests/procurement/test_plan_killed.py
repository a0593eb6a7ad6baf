"""A worker killed in the middle of a plan: the run is marked failed, goes on later, and nothing is doubled or lost."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from config.kernel.jobs import fail_abandoned_jobs
from config.kernel.models import Job
from forecasting.models import Forecast, ForecastRun
from procurement.models import Proposal
from procurement.services.planning import queue_plan, run_plan
from tests.cast import make_item, make_sku
from tests.procurement.planning_world import sell_daily

SERIES = 40
YESTERDAY = (timezone.now() - timedelta(days=1)).date()
# The worker's plan in chunks of two, so that there is a middle to be killed in.
WORKER = """
import sys, django
django.setup()
from django.utils import timezone
from forecasting.services import runs
from procurement.services.planning import run_plan
runs.CHUNK_SERIES = 2
run_plan(sys.argv[1], clock=timezone.now)
"""


def kill_in_the_middle(job: Job) -> int:
    """Run the plan in a process of its own and kill -9 it once two chunks are saved; returns the forecasts saved."""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "ENTREPOT_DB_NAME": str(connection.settings_dict["NAME"]),
    }
    process = subprocess.Popen([sys.executable, "-c", WORKER, str(job.pk)], env=env)
    deadline = time.monotonic() + 90
    while Forecast.objects.count() < 4:
        assert process.poll() is None, "the plan ended before it could be killed"
        assert time.monotonic() < deadline, "the plan saved nothing for 90 s"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return Forecast.objects.count()


@pytest.mark.django_db(transaction=True)
def test_a_killed_plan_goes_on_where_it_stopped(transactional_db: None, world: Any) -> None:
    for n in range(SERIES):
        sku = make_sku(f"SKU-{n:03d}")
        make_item(world.northwind, sku)
        sell_daily(sku, world.web, world.main, quantities=[3 + n % 4] * 100, until=YESTERDAY)
    job = queue_plan()

    saved = kill_in_the_middle(job)
    abandoned = fail_abandoned_jobs(now=datetime.now(UTC) + timedelta(minutes=3))
    first_rows = set(Forecast.objects.values_list("pk", flat=True))
    outcome = run_plan(job.pk, clock=timezone.now)

    assert 4 <= saved < SERIES
    assert abandoned == 1
    assert outcome is not None
    run = ForecastRun.objects.get()
    assert run.is_complete
    assert first_rows <= set(Forecast.objects.values_list("pk", flat=True))
    assert Forecast.objects.filter(sku__code__startswith="SKU-").count() == SERIES
    assert Proposal.objects.filter(sku__code__startswith="SKU-").count() == SERIES
    assert run_plan(queue_plan().pk, clock=timezone.now).nothing_new  # type: ignore[union-attr]
