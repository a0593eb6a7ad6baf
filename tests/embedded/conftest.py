"""Data directories with short names, whose servers are gone when the test is."""

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


@pytest.fixture(params=["ourselves", "ordinary user"])
def operator(request: pytest.FixtureRequest) -> Operator:
    if request.param == "ourselves":
        return ourselves()
    found = ordinary_user()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A short folder, owned by the operator of the test if it has one; every stack in it is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ent-"))
    folder.chmod(0o711)
    if "operator" in request.fixturenames and (user := request.getfixturevalue("operator").user):
        os.chown(folder, user.uid, user.gid)
    yield folder
    for lock in folder.rglob("servers.lock"):
        Stack(lock.parent).reset()
    shutil.rmtree(folder)
