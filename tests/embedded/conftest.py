"""Data directories with short names, whose servers are gone when the test is."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.stack import SUPERVISED, Stack
from tests.embedded.operators import Operator, ordinary_user, ourselves


@pytest.fixture(autouse=True)
def _no_addresses_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", SUPERVISED):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module", params=["ourselves", "ordinary user"])
def operator(request: pytest.FixtureRequest) -> Operator:
    if request.param == "ourselves":
        return ourselves()
    found = ordinary_user()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="module")
def served(operator: Operator) -> Iterator[Path]:
    """A data directory whose servers the operator has started, for tests that leave them running."""
    with folder_of(operator) as folder:
        assert operator.embedded(folder / "var", "up") == (0, "")
        yield folder / "var"


@pytest.fixture
def their_place(operator: Operator) -> Iterator[Path]:
    with folder_of(operator) as folder:
        yield folder


@pytest.fixture
def place() -> Iterator[Path]:
    with folder_of(ourselves()) as folder:
        yield folder


@contextlib.contextmanager
def folder_of(operator: Operator) -> Iterator[Path]:
    """A short folder of the operator; every stack in it is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ent-"))
    try:
        folder.chmod(0o711)
        if operator.user:
            os.chown(folder, operator.user.uid, operator.user.gid)
        yield folder
    finally:
        for lock in folder.rglob("servers.lock"):
            Stack(lock.parent).reset()
        shutil.rmtree(folder)
