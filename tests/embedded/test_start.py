"""The whole of bin/start: it serves, heals, leaves nothing behind when killed, comes up again, stops when told."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.stack import Stack
from config.supervisor.leftovers import marked_processes
from tests.embedded.operators import CHECKOUT, eventually, kill


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def answers_of(port: int, path: str = "/livez") -> list[int]:
    """The statuses of eight callers one after the other, who come to several threads and processes."""
    return [status_of(port, path) for _ in range(8)]


def processes_of(data_dir: Path, what: str) -> list[int]:
    def command(pid: int) -> str:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        return ""

    return [pid for pid in marked_processes(data_dir) if what in command(pid)]


@pytest.fixture
def started(place: Path) -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def start(data_dir: Path, port: int, started: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """Returns when it says that it is ready."""
    command = [sys.executable, "-m", "config.supervisor", "--empty", "--port", str(port), "--data-dir", str(data_dir)]
    process = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.base", "WEB_PROCESSES": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    started.append(process)
    assert process.stdout
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "Stop it with Ctrl-C" in line:
            break
    assert f"Entrepot is ready: http://127.0.0.1:{port}/\n" in seen, "".join(seen)
    return process


def test_it_serves_heals_and_leaves_nothing_behind(place: Path, started: list[subprocess.Popen[str]]) -> None:
    data, port = place / "var", free_port()
    servers = Stack(data).servers

    first = start(data, port, started)
    assert status_of(port, "/livez") == 200

    web = processes_of(data, "config.supervisor.web")
    assert len(web) == 2
    kill([web[0]])
    eventually(lambda: web[0] not in processes_of(data, "config.supervisor.web"))
    assert set(answers_of(port)) == {200}  # its twin answers, nobody is refused
    eventually(lambda: len(processes_of(data, "config.supervisor.web")) == 2)
    kill(servers[0].processes())
    eventually(lambda: status_of(port, "/readyz") == 200, seconds=40)
    assert set(answers_of(port, "/readyz")) == {200}  # no thread holds on to a connection that is gone

    web = processes_of(data, "config.supervisor.web")
    kill(
        web
        + processes_of(data, "config worker")
        + processes_of(data, "config beat")
        + servers[0].processes()
        + servers[1].processes()
    )
    eventually(lambda: status_of(port, "/readyz") == 200, seconds=40)
    assert not set(processes_of(data, "config.supervisor.web")) & set(web)
    eventually(lambda: processes_of(data, "config beat") and processes_of(data, "config worker"), seconds=40)

    first.kill()
    first.wait()
    eventually(lambda: not marked_processes(data))
    eventually(lambda: not any(server.processes() for server in servers))

    second = start(data, port, started)
    began = time.monotonic()
    second.send_signal(signal.SIGINT)
    second.send_signal(signal.SIGINT)

    assert second.wait(timeout=10) == 0
    assert time.monotonic() - began < 10
    assert marked_processes(data) == []
    assert [server.processes() for server in servers] == [[], []]
    assert status_of(port, "/livez") == 0


def test_what_a_first_start_calls_understands_its_options() -> None:
    from django.core.management import load_command_class

    commands = {"load_demo": "procurement", "plan": "procurement", "watch": "monitoring"}
    options = {"load_demo": "--if-empty", "plan": "--if-never", "watch": "--if-never"}

    for name, app in commands.items():
        parser = load_command_class(app, name).create_parser("manage.py", name)
        parser.parse_args([options[name]])
