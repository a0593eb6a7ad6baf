"""An uploaded file becomes orders and demand in a worker: once, told as it goes, stopped when asked, tidied up."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from config.kernel import jobs
from config.kernel.jobs import JobBusy, request_cancel
from config.kernel.models import Job
from forecasting.models import DemandHistory
from forecasting.services import imports
from forecasting.services.imports import run_import
from forecasting.tasks import import_sales_task
from tests.cast import NOW, World
from tests.warehouses.importing_files import HEADER, line, order_lines
from warehouses.models import SalesImport, SalesOrder
from warehouses.services.importing.uploads import queue_file_import, rejects_path

FILE = "\n".join([HEADER, line("1"), line("2", quantity=4), line("3", price="x"), ""]).encode()


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, settings: Any) -> Path:
    """The folder of uploads."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "imports"


def queue(world: World, content: bytes = FILE, name: str = "orders.csv") -> Job:
    file = SimpleUploadedFile(name, content)
    return queue_file_import(file, channel_code="SHOP", key=str(uuid4()), actor=world.planner)[0]


def names(kept: Path) -> list[str]:
    return sorted(path.name.partition(".")[2] for path in kept.iterdir())


def test_the_file_is_imported_demand_refreshed_and_the_upload_removed(world: World, kept: Path) -> None:
    job = queue(world)

    assert import_sales_task(str(job.pk)) == 3

    job.refresh_from_db()
    record = SalesImport.objects.get()
    assert (job.state, job.done, job.total) == ("done", 100, 100)
    told = job.result["import"]
    assert told["counts"] == {"taken": 2, "rejected.price": 1}
    assert (told["lines"], told["rejected"], told["record"], told["demand_rows"]) == (3, 1, record.pk, 1)
    assert (record.file_name, record.actor) == ("orders.csv", world.planner)
    assert order_lines() == [("1", "85123A", 6, 6, 0, 0), ("2", "85123A", 4, 4, 0, 0)]
    assert list(DemandHistory.objects.values_list("quantity", "orders")) == [(10, 2)]
    assert names(kept) == ["rejects.csv"]
    assert rejects_path(job.parameters["upload"]).read_text().splitlines()[1].startswith("4,the price is not a number")


def test_the_same_file_again_changes_nothing_and_leads_to_the_same_record(world: World) -> None:
    import_sales_task(str(queue(world).pk))
    again = queue(world)

    import_sales_task(str(again.pk))

    again.refresh_from_db()
    told = again.result["import"]
    assert told["written"] == {}
    assert told["counts"] == {"already_there": 2, "rejected.price": 1}
    assert (told["record"], told["demand_rows"]) == (SalesImport.objects.get().pk, 0)
    assert (SalesOrder.objects.count(), DemandHistory.objects.count()) == (2, 1)


def test_a_job_that_has_ended_is_not_done_again(world: World) -> None:
    job = queue(world)
    import_sales_task(str(job.pk))

    assert import_sales_task(str(job.pk)) is None
    assert SalesImport.objects.count() == 1


def test_a_gzipped_file_is_read(world: World) -> None:
    job = queue(world, gzip.compress(FILE), "orders.csv.gz")

    assert run_import(job.pk, clock=lambda: NOW).lines == 3  # type: ignore[union-attr]


def test_a_file_that_is_refused_fails_the_job_under_the_name_it_was_given(world: World, kept: Path) -> None:
    job = queue(world, b"Invoice,StockCode\n1,2\n", "März export.csv")

    assert import_sales_task(str(job.pk)) is None

    job.refresh_from_db()
    assert job.state == "failed"
    assert job.error.startswith("März export.csv, line 1: missing column")
    assert names(kept) == []
    assert not SalesOrder.objects.exists()


def test_an_import_cancelled_while_it_waited_only_loses_its_file(world: World, kept: Path) -> None:
    job = queue(world)
    request_cancel(job.pk, now=NOW)

    assert import_sales_task(str(job.pk)) is None

    job.refresh_from_db()
    assert job.state == "cancelled"
    assert names(kept) == []
    assert not SalesOrder.objects.exists()


def test_asked_to_stop_between_the_phases_the_import_stays_and_demand_is_left(
    world: World, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, import_sales = queue(world), imports.import_sales

    def import_and_be_asked_to_stop(*given: Any, **more: Any) -> Any:
        summary = import_sales(*given, **more)
        request_cancel(job.pk, now=NOW)
        return summary

    monkeypatch.setattr(imports, "import_sales", import_and_be_asked_to_stop)
    import_sales_task(str(job.pk))

    job.refresh_from_db()
    assert job.state == "cancelled"
    assert (SalesOrder.objects.count(), DemandHistory.objects.count()) == (2, 0)
    assert names(kept) == ["rejects.csv"]


def test_an_unforeseen_error_is_told_and_the_job_can_be_resumed(
    world: World, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_given: Any, **_more: Any) -> None:
        raise RuntimeError("the disk is full")

    job = queue(world)
    with monkeypatch.context() as patch:
        patch.setattr(imports, "import_sales", break_down)
        with pytest.raises(RuntimeError):
            run_import(job.pk, clock=lambda: NOW)

    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "RuntimeError: the disk is full")
    assert names(kept) == ["csv"]
    jobs.resume_job(job.pk)
    assert import_sales_task(str(job.pk)) == 3
    assert names(kept) == ["rejects.csv"]


def test_a_worker_that_is_stopped_leaves_the_file_and_the_job_goes_on_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_given: Any, **_more: Any) -> None:
        raise SystemExit

    job = queue(world)
    with monkeypatch.context() as patch:
        patch.setattr(imports, "import_sales", stop)
        with pytest.raises(SystemExit):
            run_import(job.pk, clock=lambda: NOW)

    assert import_sales_task(str(job.pk)) == 3


def test_a_second_worker_waits_while_the_first_shows_signs_of_life(world: World) -> None:
    job = queue(world)
    Job.objects.filter(pk=job.pk).update(state="running", heartbeat_at=NOW)

    with pytest.raises(JobBusy):
        run_import(job.pk, clock=lambda: NOW)


@pytest.mark.django_db(transaction=True)
def test_while_it_runs_everybody_sees_how_far_it_is_and_may_stop_it(
    transactional_db: None, world: World, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import is told to wait until the thread beside it has spoken, and until it has heard the request to stop."""
    monkeypatch.setattr(jobs.current_app, "send_task", lambda name, args: None)
    job = queue(world)
    seen: list[tuple[int, str]] = []
    monkeypatch.setattr(imports._Voice, "every_seconds", 0.01)

    def until(is_so: Callable[[], bool]) -> None:
        from time import monotonic

        end = monotonic() + 20
        while not is_so():
            assert monotonic() < end

    def import_slowly(*_given: Any, progress: Any, **_more: Any) -> None:
        progress("judging", 0, 0)
        until(lambda: Job.objects.get(pk=job.pk).done == 40)
        seen.append(tuple(Job.objects.values_list("done", "step").get(pk=job.pk)))
        request_cancel(job.pk, now=NOW)
        until(lambda: progress._refusal is not None)
        progress("products", 0, 0)
        raise AssertionError("it went on")

    monkeypatch.setattr(imports, "import_sales", import_slowly)
    import_sales_task(str(job.pk))

    job.refresh_from_db()
    assert seen == [(40, "Judging every line")]
    assert job.state == "cancelled"
    assert names(kept) == []


def test_a_job_taken_away_is_left_to_whoever_has_it_now(
    world: World, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, refresh = queue(world), imports.refresh_demand

    def refresh_and_lose_the_job() -> int:
        Job.objects.filter(pk=job.pk).update(state="failed", error="gone")  # … and resumed elsewhere
        return refresh()

    monkeypatch.setattr(imports, "refresh_demand", refresh_and_lose_the_job)
    import_sales_task(str(job.pk))

    job.refresh_from_db()
    assert (job.state, job.error, job.result) == ("failed", "gone", {})
    assert "csv" in names(kept)
