"""The supervisor's children are restarted, given up on, ended together, and never outlive it."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from config.embedded.stack import Stack
from config.supervisor import leftovers, logs
from config.supervisor.children import Child, end_together
from config.supervisor.console import Failure
from config.supervisor.signals import StopSignals
from config.supervisor.translations import compile_translations
from tests.embedded.operators import eventually, ourselves


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> StopSignals:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return StopSignals()


def ending(status: int, log: Path) -> Child:
    return Child("worker", ["sh", "-c", f"echo why; exit {status}"], log=log, environment={})


def test_a_child_that_ends_is_restarted_after_a_growing_pause(tmp_path: Path) -> None:
    child = ending(3, tmp_path / "worker.log")

    starts = []
    for now in (0.0, 0.4, 0.8, 1.0, 1.2, 2.1, 2.3):
        before = child.process
        child.keep_running(now)
        if child.process is not None and child.process is not before:
            starts.append(now)
            child.process.wait()

    assert starts == [0.0, 1.0, 2.3]  # noticed at 0.4, due 0.5 s later; noticed at 1.2, due 1 s later


def test_a_child_that_ends_five_times_in_a_row_is_given_up_with_its_log(tmp_path: Path) -> None:
    child = ending(3, tmp_path / "worker.log")

    def run_for_ten_seconds() -> None:
        for tick in range(200):
            child.keep_running(tick / 10)
            if child.process is not None:
                child.process.wait()

    with pytest.raises(Failure) as refusal:
        run_for_ten_seconds()

    assert str(refusal.value) == f"The worker ended 5 times in a row (status 3); why: {tmp_path}/worker.log"
    assert (tmp_path / "worker.log").read_text() == "why\n" * 5


def test_a_child_that_ends_once_an_hour_is_never_given_up(tmp_path: Path) -> None:
    child = ending(1, tmp_path / "worker.log")
    child.keep_running(0)

    for hour in range(1, 21):
        assert child.process is not None
        child.process.wait()
        child.keep_running(hour * 3600.0)  # notices the ending
        child.keep_running(hour * 3600.0 + 1)  # starts again

    assert child.process is not None


def test_children_are_ended_with_all_that_they_started_even_when_they_refuse(
    tmp_path: Path, signals: StopSignals
) -> None:
    stubborn = ["sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait; wait"]
    child = Child("worker", stubborn, log=tmp_path / "log", environment={})
    child.keep_running(0)
    eventually(lambda: (tmp_path / "log").read_text().strip())

    end_together([child], seconds=0.2, signals=signals)

    assert not child.is_running()
    eventually(lambda: not is_alive(int((tmp_path / "log").read_text())))


def test_children_and_servers_die_with_a_supervisor_that_is_killed(place: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from config.embedded.stack import Stack\n"
        "from config.supervisor.children import spawn\n"
        "Stack(pathlib.Path(sys.argv[1])).ensure(die_with_us=True)\n"
        "print(spawn(['sleep', '60'], environment={}).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    supervisor = ourselves().start("-c", code, str(place / "var"))
    assert supervisor.stdout
    child = int(supervisor.stdout.readline())
    servers = Stack(place / "var").servers
    assert is_alive(child)
    assert all(server.processes() for server in servers)

    supervisor.kill()
    supervisor.wait()

    eventually(lambda: not is_alive(child))
    eventually(lambda: not any(server.processes() for server in servers))
    assert not (servers[0].data / "postmaster.pid").exists()  # PostgreSQL was shut down, not torn down
    supervisor.stdout.close()


def test_only_processes_with_the_mark_of_this_data_directory_are_leftovers(tmp_path: Path) -> None:
    def sleeper(mark: dict[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "60"], env={**os.environ, **mark})

    ours, others, nobodys = sleeper(leftovers.mark(tmp_path)), sleeper(leftovers.mark(tmp_path / "other")), sleeper({})
    try:
        leftovers.end_leftovers(tmp_path)

        assert ours.wait(timeout=5) == -signal.SIGKILL
        assert (others.poll(), nobodys.poll()) == (None, None)
    finally:
        for process in (ours, others, nobodys):
            process.kill()
            process.wait()


def test_large_logs_are_moved_aside_and_the_oldest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LIMIT_BYTES", 3)

    for text in ("one", "two", "three", "four", "five"):
        (tmp_path / "web.log").write_text(text)
        (tmp_path / "small.log").write_text("x")
        logs.rotate(tmp_path)

    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "small.log": "x",
        "web.log.1": "five",
        "web.log.2": "four",
        "web.log.3": "three",
    }


def test_translations_are_compiled_only_where_they_are_older(tmp_path: Path) -> None:
    po = tmp_path / "zh_Hans" / "LC_MESSAGES" / "django.po"
    po.parent.mkdir(parents=True)
    po.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Stock"\nmsgstr "库存"\n')

    first, second = compile_translations(tmp_path), compile_translations(tmp_path)
    os.utime(po, (4_000_000_000, 4_000_000_000))
    third = compile_translations(tmp_path)

    assert (first, second, third) == (1, 0, 1)
    assert "库存".encode() in po.with_suffix(".mo").read_bytes()
