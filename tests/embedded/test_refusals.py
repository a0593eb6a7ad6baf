"""What cannot work is refused in one line that says what to do, and leaves nothing half-made."""

import os
import socket
from pathlib import Path

import pytest

from config.embedded import EmbeddedError, ensure_servers
from config.supervisor import checks
from config.supervisor.console import Failure
from tests.embedded.operators import ordinary_user, ourselves


def test_data_of_another_postgresql_is_refused(place: Path) -> None:
    (place / "var" / "postgres").mkdir(parents=True)
    (place / "var" / "postgres" / "PG_VERSION").write_text("16\n")

    status, output = ourselves().embedded(place / "var", "up")

    assert status == 1
    assert output.count("\n") == 1
    assert "was made by PostgreSQL 16, this installation has 18" in output


def test_a_folder_of_another_user_is_refused(place: Path) -> None:
    operator = ordinary_user()
    if isinstance(operator, str):
        pytest.skip(operator)
    (place / "var").mkdir(mode=0o700)

    status, output = operator.embedded(place / "var", "up")

    assert status == 1
    assert output == (
        f"Cannot write {place}/var/log (Permission denied): give this user the right to, "
        "or name another place with --data-dir.\n"
    )


def test_a_link_in_place_of_a_servers_folder_is_refused(place: Path) -> None:
    (place / "var").mkdir(mode=0o711)
    (place / "var" / "run").symlink_to("/etc")

    with pytest.raises(EmbeddedError, match="run belongs to another user"):
        ensure_servers(place / "var")

    assert os.stat("/etc").st_mode & 0o077 != 0


def test_a_program_that_cannot_be_run_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = place / "valkey-server"
    broken.write_text("not a program")
    monkeypatch.setenv("ENTREPOT_REDIS_SERVER", str(broken))

    with pytest.raises(EmbeddedError, match=f"{broken} cannot be run here") as refusal:
        ensure_servers(place / "var", postgres=False)

    assert "\n" not in str(refusal.value)


def test_a_full_disk_in_the_servers_log_becomes_the_reason(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = {"postgres": "echo postgres 18.6", "initdb": "echo could not write: No space left on device; exit 1"}
    for name, text in programs.items():
        (place / name).write_text(f"#!/bin/sh\n{text}\n")
        (place / name).chmod(0o755)
    monkeypatch.setenv("ENTREPOT_POSTGRES_BIN", str(place))

    with pytest.raises(EmbeddedError, match="the disk is full: free some space") as refusal:
        ensure_servers(place / "var", redis=False)

    assert "\n" not in str(refusal.value)
    assert not (place / "var" / "postgres").exists()


def test_a_port_in_use_is_named_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(Failure) as refusal:
            checks.bind_port("127.0.0.1", port)

    assert str(refusal.value) == (
        f"Port {port} is in use: stop what uses it, or choose another, e.g. bin/start --port {port + 1}."
    )


def test_a_port_that_is_taken_between_the_check_and_the_start_is_refused_too() -> None:
    with checks.bind_port("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with checks.bind_port("127.0.0.1", port) as second:
            checks.start_listening(first, "127.0.0.1", port)

            with pytest.raises(Failure, match=f"Port {port} is in use"):
                checks.start_listening(second, "127.0.0.1", port)


def test_a_host_that_is_not_ours_is_refused() -> None:
    with pytest.raises(Failure, match=r"Cannot listen on 192\.0\.2\.1 port 8000"):
        checks.bind_port("192.0.2.1", 8000)


def test_a_disk_without_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="MB left and 1000000000 MB are needed: free some space"):
        checks.require_space(tmp_path / "not" / "yet", megabytes=1_000_000_000)


def test_a_second_start_on_the_same_data_is_told_the_address_of_the_first(tmp_path: Path) -> None:
    with checks.lock_data_dir(tmp_path, "http://127.0.0.1:8000/"), pytest.raises(Failure) as refusal:
        checks.lock_data_dir(tmp_path, "http://127.0.0.1:8001/")

    assert f"already runs on {tmp_path}, at http://127.0.0.1:8000/" in str(refusal.value)


def test_the_lock_of_a_process_that_is_gone_holds_nobody_up(tmp_path: Path) -> None:
    checks.lock_data_dir(tmp_path, "http://127.0.0.1:8000/").close()

    checks.lock_data_dir(tmp_path, "http://127.0.0.1:8001/").close()

    assert (tmp_path / "start.lock").read_text() == "http://127.0.0.1:8001/"
