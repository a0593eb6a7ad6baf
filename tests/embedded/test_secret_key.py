"""The secret key of an installation that names none."""

import os
from pathlib import Path

import pytest

from config.embedded import secret_key
from tests.embedded.operators import ordinary_user, ourselves

PRINT_KEY = "import sys, pathlib, config.embedded as e; print(e.secret_key(pathlib.Path(sys.argv[1])))"


def test_eight_processes_that_race_for_the_key_return_the_same_one(place: Path) -> None:
    data = place / "var"
    racers = [ourselves().start("-c", PRINT_KEY, str(data)) for _ in range(8)]

    keys = {racer.communicate(timeout=60)[0].strip() for racer in racers}

    assert keys == {secret_key(data)}
    assert len(keys.pop()) >= 64
    assert [file.name for file in data.iterdir()] == ["secret_key"]


def test_the_key_is_for_its_owner_only_and_stays(place: Path) -> None:
    first = secret_key(place)

    assert (place / "secret_key").stat().st_mode & 0o777 == 0o600
    assert secret_key(place) == first


def test_a_place_that_cannot_be_written_gives_a_key_of_this_process_alone(place: Path) -> None:
    operator = ordinary_user()
    if isinstance(operator, str) and os.geteuid() == 0:
        pytest.skip(operator)
    (place / "closed").mkdir(mode=0o500)
    who = ourselves() if isinstance(operator, str) else operator

    status, key = who.run("-c", PRINT_KEY, str(place / "closed"))

    assert status == 0
    assert len(key.strip()) >= 64
    assert list((place / "closed").iterdir()) == []
