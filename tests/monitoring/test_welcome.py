"""What `manage.py welcome` and `manage.py watch` say, word for word."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from config.kernel.models import Job
from tests.cast import World
from tests.procurement.buying import draft_order, make_proposal


def welcome(settings: Any, data_dir: Path) -> str:
    settings.DATA_DIR = data_dir
    out = StringIO()
    call_command("welcome", address="http://localhost:8000/", stdout=out)
    return out.getvalue()


def test_it_says_what_the_latest_plan_found(world: World, settings: Any, tmp_path: Path) -> None:
    draft_order(world, mugs=100)
    make_proposal(world, world.lamp, 5)
    Job.objects.create(kind="plan", state="done", result={"series": 1214, "below_reorder_point": 37})

    said = welcome(settings, tmp_path)

    assert (
        "The latest plan forecast 1,214 series and found 37 below their reorder point: "
        "1 open proposal worth GBP 100.00, 1 draft purchase order worth GBP 350.00." in said
    )


def test_it_says_so_when_no_plan_has_run(db: None, settings: Any, tmp_path: Path) -> None:
    said = welcome(settings, tmp_path)

    assert "Entrepot is at http://localhost:8000/" in said
    assert "No plan has run yet" in said


def test_it_prints_the_logins_of_the_demo(db: None, settings: Any, tmp_path: Path) -> None:
    logins = {"planner": {"username": "pia", "password": "p1"}, "supplier": {"username": "nora", "password": "p2"}}
    (tmp_path / "demo_credentials.json").write_text(json.dumps({**logins, "token": "t0"}))

    said = welcome(settings, tmp_path)

    assert "planner   pia / p1   http://localhost:8000/admin/" in said
    assert "supplier  nora / p2   http://localhost:8000/portal/" in said
    assert "Authorization: Token t0" in said


def test_watching_says_what_changed(world: World) -> None:
    Job.objects.create(kind="plan", state="failed", error="No disk.", finished_at=timezone.now())
    out = StringIO()

    call_command("watch", stdout=out)
    call_command("watch", stdout=out)

    assert out.getvalue().splitlines() == [
        "1 alerts opened, 0 still stand, 0 resolved; the figures of this hour are kept.",
        "0 alerts opened, 1 still stand, 0 resolved; the figures of this hour are kept.",
    ]
