"""A file of sales imported in the browser, from the button on the list to the record and the rejected lines."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from config.kernel import jobs
from config.kernel.models import Job
from forecasting.tasks import import_sales_task
from tests.cast import NOW, World
from tests.kernel.test_export_admin import enter
from tests.procurement.test_buying_admin import said
from tests.warehouses.importing_files import HEADER, line
from warehouses.models import SalesImport, SalesOrder
from warehouses.services.importing import uploads

IMPORTS = "/admin/warehouses/salesimport/"
FILE = "\n".join([HEADER, line("1"), line("2", price="x"), ""]).encode()


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, settings: Any) -> Path:
    """The folder of uploads."""
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files" / "imports"


def send(client: Client, *, name: str = "orders.csv", content: bytes = FILE, **more: str) -> Any:
    form = {"channel": "SHOP", "warehouse": "", "key": str(uuid4()), **more}
    return client.post(f"{IMPORTS}import-file/", {**form, "file": SimpleUploadedFile(name, content)})


def files(kept: Path) -> list[Path]:
    return list(kept.iterdir()) if kept.exists() else []


def test_from_the_button_to_the_rejected_lines(
    world: World, kept: Path, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(jobs.current_app, "send_task", lambda name, args: sent.append((name, args)))
    planner = enter(world.planner)
    assert "Import a file" in planner.get(IMPORTS).content.decode()
    assert 'enctype="multipart/form-data"' in planner.get(f"{IMPORTS}import-file/").content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        response = send(planner, warehouse="NORTH")

    job = Job.objects.get(kind="import_sales")
    assert response.headers["Location"] == f"/admin/kernel/job/{job.pk}/change/"
    assert sent == [("forecasting.import_sales", [str(job.pk)])]
    assert (job.state, job.actor, job.parameters["warehouse_code"]) == ("queued", world.planner, "NORTH")

    import_sales_task(str(job.pk))

    record = SalesImport.objects.get()
    shown = planner.get(f"/admin/kernel/job/{job.pk}/change/").content.decode()
    rejects = f"{IMPORTS}rejects/{job.parameters['upload']}/"
    assert "order lines taken" in shown
    assert f'href="{IMPORTS}{record.pk}/change/"' in shown
    assert f'href="{rejects}"' in shown
    assert record.warehouse == world.north
    assert f'href="{rejects}"' in planner.get(f"{IMPORTS}{record.pk}/change/").content.decode()
    download = planner.get(rejects)
    assert b"".join(download.streaming_content).decode().splitlines() == [
        f"line,reason,{HEADER}",
        f"3,the price is not a number,{line('2', price='x')}",
    ]
    assert download.headers["Content-Disposition"].startswith("attachment")


def test_pressing_twice_queues_one_import_and_keeps_one_file(world: World, kept: Path) -> None:
    planner, key = enter(world.planner), str(uuid4())

    first, second = send(planner, key=key), send(planner, key=key)

    assert first.headers["Location"] == second.headers["Location"]
    assert Job.objects.count() == 1
    assert len(files(kept)) == 1
    assert said(second)[-1] == "This import was queued already."


@pytest.mark.parametrize("name", ["orders.xlsx", "orders.csv.exe", "orders", "csv", "orders.zip", "a.svg", "a.html"])
def test_a_file_of_another_kind_is_refused(world: World, kept: Path, name: str) -> None:
    response = send(enter(world.planner), name=name)

    assert response.status_code == 200
    assert said(response) == [f"“{name}” is no CSV (plain or gzipped) and no Parquet file. Export it as CSV."]
    assert 'value="SHOP"' in response.content.decode()
    assert not Job.objects.exists()
    assert files(kept) == []


@pytest.mark.parametrize(
    "name",
    ["../../evil.csv", "/etc/evil.csv", "..\\..\\evil.CSV", "evil\x00.csv", "<img src=x>.csv", "é" * 300 + ".csv"],
)
def test_a_name_is_never_a_path_and_never_markup(world: World, kept: Path, tmp_path: Path, name: str) -> None:
    planner = enter(world.planner)
    file = SimpleUploadedFile("x.csv", FILE)
    file._name = name  # Django has cut it by now; here it comes as a rude client may send it

    job, _new = uploads.queue_file_import(file, channel_code="SHOP", key="k", actor=world.planner)

    [path] = files(kept)
    assert path.name == f"{job.parameters['upload']}.csv"
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]
    told = job.parameters["file_name"]
    assert not {"/", "\\", "\x00"} & set(told)
    assert len(told) <= 200
    import_sales_task(str(job.pk))
    shown = planner.get(f"/admin/kernel/job/{job.pk}/change/").content.decode()
    assert "<img src=x>" not in shown
    assert SalesOrder.objects.count() == 1


def test_a_file_that_is_too_large_or_empty_is_not_kept(
    world: World, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES", len(FILE) - 1)
    planner = enter(world.planner)

    assert "is larger than" in said(send(planner))[0]
    assert said(send(planner, content=b""))[-1]
    liar = SimpleUploadedFile("a.csv", FILE)
    liar.size = 1
    with pytest.raises(uploads.ValidationFailed):
        uploads.queue_file_import(liar, channel_code="SHOP", key="k", actor=world.planner)

    assert files(kept) == []
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"channel": ""}, "The channel's code must have 1 to 32 characters."),
        ({"channel": "x" * 33}, "The channel's code must have 1 to 32 characters."),
        ({"channel": "A\x00B"}, "The channel's code must have 1 to 32 characters."),
        ({"warehouse": "NOWHERE"}, "There is no warehouse NOWHERE."),
        ({"key": ""}, "The form was incomplete; load the page again."),
        ({"key": "k" * 200}, "The form was incomplete; load the page again."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_queued(
    world: World, kept: Path, wrong: dict[str, str], told: str
) -> None:
    assert said(send(enter(world.planner), **wrong)) == [told]
    assert files(kept) == []
    assert not Job.objects.exists()


def test_without_a_file_the_form_says_so(world: World) -> None:
    response = enter(world.planner).post(f"{IMPORTS}import-file/", {"channel": "SHOP", "key": "k"})

    assert said(response) == ["Choose a file."]


@pytest.mark.parametrize("role", ["clerk", "viewer"])
def test_who_may_not_import_finds_no_button_and_no_form(world: World, kept: Path, role: str) -> None:
    client = enter(getattr(world, role))

    assert "Import a file<" not in client.get(IMPORTS).content.decode()
    assert client.get(f"{IMPORTS}import-file/").status_code == 403
    assert send(client).status_code == 403
    assert files(kept) == []


def test_rejected_lines_are_for_the_house_only_and_only_what_is_there(world: World, kept: Path) -> None:
    upload = uuid4()
    kept.mkdir(parents=True)
    uploads.rejects_path(upload).write_text("line,reason\n")
    address = f"{IMPORTS}rejects/{upload}/"

    assert enter(world.viewer).get(address).status_code == 200
    assert enter(world.northwind_user).get(address).status_code == 302
    assert Client().get(address).status_code == 302
    assert enter(world.viewer).get(f"{IMPORTS}rejects/{uuid4()}/").status_code == 404
    assert enter(world.viewer).get(f"{IMPORTS}rejects/..%2F..%2Fsecret/").status_code in (302, 404)


def test_a_record_of_the_command_names_its_file_of_rejects_without_a_link(world: World) -> None:
    record = SalesImport.objects.create(
        file_name="old.csv", file_sha256="0" * 64, channel=world.web, warehouse=world.main, started_at=NOW,
        finished_at=NOW, counts={"taken": 5, "rejected.date": 1}, rejects_file="/elsewhere/old.csv.csv",
    )  # fmt: skip

    shown = enter(world.viewer).get(f"{IMPORTS}{record.pk}/change/").content.decode()

    assert "/elsewhere/old.csv.csv" in shown
    assert "Download the rejected lines" not in shown
    assert "order lines taken" in shown


@pytest.mark.parametrize(
    "other",
    [{"content": FILE + b"\n"}, {"channel": "OTHER"}, {"warehouse": "NORTH"}],
    ids=["file", "channel", "warehouse"],
)
def test_the_key_of_a_form_does_not_drop_another_request(world: World, kept: Path, other: dict[str, Any]) -> None:
    planner, key = enter(world.planner), str(uuid4())
    send(planner, key=key)

    response = send(planner, key=key, **other)

    assert response.status_code == 200
    assert said(response)[-1] == (
        "This form queued the import of “orders.csv” already; load the page again to import something else."
    )
    assert Job.objects.count() == 1
    assert len(files(kept)) == 1
