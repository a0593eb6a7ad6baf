"""Compiled kernels belong to one state of the engines' sources: after an upgrade none of before is run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from config.machine_code import FOLDER, VARIABLE, keep_machine_code, sources_digest

CALLED = "from numba import njit\n\n@njit(cache=True)\ndef factor():\n    return {}\n"
KERNEL = (
    "from numba import njit\nfrom called import factor\n\n@njit(cache=True)\ndef answer():\n    return factor() + 1\n"
)


@pytest.fixture
def house(tmp_path, monkeypatch):
    """An install whose engine is one kernel that calls a function of another file."""
    engine = tmp_path / "house" / "procurement" / "engine"
    engine.mkdir(parents=True)
    (engine / "called.py").write_text(CALLED.format(1))
    (engine / "kernel.py").write_text(KERNEL)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "house"


def answer_of(house, data):
    """What the kernel says in a process of its own."""
    keep_machine_code(house, data)
    run = [sys.executable, "-c", "from kernel import answer; print(answer())"]
    env = {**os.environ, "PYTHONPATH": str(house / "procurement" / "engine"), "PYTHONDONTWRITEBYTECODE": "1"}
    return int(subprocess.run(run, env=env, check=True, capture_output=True, text=True).stdout)


def test_a_change_in_a_called_file_changes_the_answer_at_once(house, tmp_path):
    before = answer_of(house, tmp_path / "data")

    (house / "procurement" / "engine" / "called.py").write_text(CALLED.format(5))

    assert (before, answer_of(house, tmp_path / "data")) == (2, 6)
    assert not list(house.rglob("*.nb?"))
    assert len(list((tmp_path / "data" / FOLDER).rglob("*.nbi"))) >= 2


def test_the_same_sources_have_the_same_folder_and_any_change_another(house):
    first = sources_digest(house)

    assert sources_digest(house) == first
    (house / "procurement" / "engine" / "more.py").write_text("")
    assert sources_digest(house) != first


def test_a_folder_the_environment_names_stays(house, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "/somewhere/else")

    keep_machine_code(house, tmp_path / "data")

    assert os.environ[VARIABLE] == "/somewhere/else"
    assert not (tmp_path / "data").exists()


def test_a_child_process_after_an_upgrade_does_not_inherit_the_old_folder(house, tmp_path):
    keep_machine_code(house, tmp_path / "data")
    inherited = os.environ[VARIABLE]
    (house / "procurement" / "engine" / "called.py").write_text(CALLED.format(5))

    keep_machine_code(house, tmp_path / "data")

    assert os.environ[VARIABLE] == str(tmp_path / "data" / FOLDER / sources_digest(house)) != inherited


def test_where_the_data_directory_cannot_be_written_the_users_cache_is_taken(house, tmp_path):
    (tmp_path / "data").write_text("a file, no folder")

    keep_machine_code(house, tmp_path / "data")

    assert Path(os.environ[VARIABLE]).parent == tmp_path / "cache" / "entrepot" / FOLDER


def test_a_folder_that_others_may_write_into_is_not_trusted(house, tmp_path):
    (tmp_path / "data" / FOLDER).mkdir(parents=True)
    (tmp_path / "data" / FOLDER).chmod(0o777)

    keep_machine_code(house, tmp_path / "data")

    assert Path(os.environ[VARIABLE]).parent == tmp_path / "cache" / "entrepot" / FOLDER


def test_folders_of_other_sources_go_when_they_have_not_been_used_for_days(house, tmp_path):
    kernels = tmp_path / "data" / FOLDER
    for name, used in (("old", 1_000_000_000), ("fresh", None)):
        (kernels / name).mkdir(parents=True)
        if used:
            os.utime(kernels / name, (used, used))

    keep_machine_code(house, tmp_path / "data")

    assert sorted(folder.name for folder in kernels.iterdir()) == sorted(["fresh", sources_digest(house)])


def test_the_settings_name_the_folder_before_anything_is_compiled(tmp_path):
    env = {name: value for name, value in os.environ.items() if name != VARIABLE}
    env |= {"ENTREPOT_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings.base"}
    ask = (
        "import os, sys; from django.conf import settings; settings.DEBUG; "
        f"print(os.environ['{VARIABLE}'], 'numba' in sys.modules)"
    )

    told = subprocess.run(
        [sys.executable, "-c", ask], env=env, cwd=settings.BASE_DIR, check=True, capture_output=True, text=True
    )

    assert told.stdout.split() == [str(tmp_path / FOLDER / sources_digest(settings.BASE_DIR)), "False"]
