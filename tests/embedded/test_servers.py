"""The embedded servers: whoever starts them, however they were killed, wherever they lie, they come up with their data."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import redis as redis_client

from config.embedded import EmbeddedError, addresses, ensure_servers
from config.embedded.layout import ASIDE, locate
from config.embedded.stack import Stack
from tests.embedded.operators import Operator, ask, eventually, kill, ourselves


def test_servers_come_up_cold_and_warm_and_go_down_by_hand(operator: Operator, place: Path) -> None:
    data = place / "var"

    cold = operator.embedded(data, "up")
    again = operator.embedded(data, "up")
    status = operator.embedded(data, "status")
    ask(data, "CREATE TABLE kept (n int)")
    down = operator.embedded(data, "down")
    down_status, _ = operator.embedded(data, "status")
    warm = operator.embedded(data, "up")

    assert (cold, again, down, warm) == ((0, ""),) * 4
    assert status[0] == 0
    assert "PostgreSQL  answers" in status[1]
    assert "Redis       answers" in status[1]
    assert down_status == 3
    assert ask(data, "SELECT count(*) FROM kept") == [(0,)]


def test_application_role_is_no_superuser_but_may_create_test_databases(place: Path) -> None:
    ensure_servers(place / "var")

    roles = ask(place / "var", "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user")

    assert roles == [(False, True, False)]


def test_every_commit_is_durable_by_the_settings_in_force(place: Path) -> None:
    ensure_servers(place / "var")

    settings = ask(
        place / "var",
        "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),"
        " current_setting('data_checksums'), current_setting('listen_addresses')",
    )
    redis = redis_client.Redis(unix_socket_path=str(addresses(place / "var").redis_socket))

    assert settings == [("on", "on", "on", "on", "")]
    assert redis.config_get("append*")["appendfsync"] == "always"
    assert redis.config_get("port") == {"port": "0"}


@pytest.mark.parametrize("what", ["postmaster", "everything"])
def test_a_kill_loses_no_commit_and_no_queued_task(operator: Operator, place: Path, what: str) -> None:
    data = place / "var"
    operator.embedded(data, "up")
    stack = Stack(data)
    postgres, redis = stack.servers
    ask(data, "CREATE TABLE kept AS SELECT generate_series(1, 500) AS n")
    redis_client.Redis(unix_socket_path=str(stack.layout.redis_socket)).lpush("celery", *range(50))

    if what == "postmaster":
        kill([int((stack.layout.postgres_data / "postmaster.pid").read_text().split()[0])])
    else:
        kill(postgres.processes() + redis.processes())
    status, output = operator.embedded(data, "up")

    assert (status, output) == (0, "")
    assert ask(data, "SELECT count(*) FROM kept") == [(500,)]
    assert redis_client.Redis(unix_socket_path=str(stack.layout.redis_socket)).llen("celery") == 50


def test_lock_files_that_name_another_living_process_are_not_believed(place: Path) -> None:
    stack = Stack(place / "var")
    stack.ensure()
    pid_file, socket_lock = stack.layout.postgres_data / "postmaster.pid", stack.layout.run / ".s.PGSQL.5432.lock"
    lines, socket_lines = pid_file.read_text().splitlines(), socket_lock.read_text().splitlines()
    kill([pid for server in stack.servers for pid in server.processes()])
    eventually(lambda: not any(server.processes() for server in stack.servers))

    bystander = subprocess.Popen(["sleep", "60"], user=stack.layout.run_user.uid if stack.layout.run_user else None)
    try:
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        socket_lock.write_text("\n".join([str(bystander.pid), *socket_lines[1:]]) + "\n")
        stack.ensure()

        assert stack.is_ready()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("name", ["with spaces and ünïcödé", "long" * 40, 'quote" and % and ?'])
def test_any_path_will_do(operator: Operator, place: Path, name: str) -> None:
    data = place / name

    status, output = operator.embedded(data, "up")

    found = addresses(data)
    assert (status, output) == (0, "")
    assert ask(data, "SELECT 1") == [(1,)]
    assert redis_client.Redis.from_url(found.cache_url).ping()
    assert len(os.fsencode(found.redis_socket)) <= 107


def test_eight_processes_that_race_a_cold_start_get_one_server_each(operator: Operator, place: Path) -> None:
    data = place / "var"
    racers = [operator.start("-m", "config.embedded", "--data-dir", str(data), "up") for _ in range(8)]

    outputs = [racer.communicate(timeout=60)[0] for racer in racers]

    stack = Stack(data)
    parents = {Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1] for pid in stack.servers[0].processes()}
    assert (outputs, [racer.returncode for racer in racers]) == ([""] * 8, [0] * 8)
    assert len(stack.servers[1].processes()) == 1
    postmaster = (stack.layout.postgres_data / "postmaster.pid").read_text().split()[0]
    assert parents - {postmaster} == {Path(f"/proc/{postmaster}/stat").read_text().rsplit(")", 1)[1].split()[1]}


def test_an_initdb_that_was_killed_half_way_is_done_again(place: Path) -> None:
    stack = Stack(place / "var")
    half = place / "var" / "postgres.new"
    half.mkdir(parents=True)
    (place / "var").chmod(0o711)
    (half / "PG_VERSION").write_text("18\n")

    stack.ensure()

    assert ask(place / "var", "SELECT 1") == [(1,)]
    assert not half.exists()


def test_data_of_another_postgresql_is_refused_in_one_line(place: Path) -> None:
    stack = Stack(place / "var")
    stack.ensure()
    stack.stop()
    (stack.layout.postgres_data / "PG_VERSION").write_text("16\n")

    status, output = ourselves().embedded(place / "var", "up")

    assert status == 1
    assert output.count("\n") == 1
    assert "was made by PostgreSQL 16, this installation has 18" in output


def test_a_folder_of_another_user_is_refused_in_one_line(operator: Operator, place: Path) -> None:
    if operator.user is None:
        pytest.skip("needs the ordinary user: root may write anywhere")
    theirs = place / "var"
    theirs.mkdir(mode=0o700)

    status, output = operator.embedded(theirs, "up")

    assert status == 1
    assert output.count("\n") == 1
    assert output.startswith("Cannot write ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's folders can be out of reach of the servers' user")
def test_root_keeps_its_closed_folders_closed_and_puts_the_servers_aside(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "var"
    stack = Stack(data)
    try:
        stack.ensure()

        assert stack.layout.home.parent == ASIDE
        assert closed.stat().st_mode & 0o777 == 0o700
        assert ask(data, "SELECT 1") == [(1,)]
        assert locate(data) == stack.layout
    finally:
        stack.reset()
        shutil.rmtree(stack.layout.home)


def test_looking_up_addresses_creates_nothing(place: Path) -> None:
    found = addresses(place / "var")

    assert found.postgres["NAME"] == found.postgres["USER"] == "entrepot"
    assert found.postgres["HOST"] == str(place / "var" / "run")
    assert found.broker_url == f"redis+socket://{place}/var/run/redis.sock?virtual_host=0"
    assert found.cache_url == f"unix://{place}/var/run/redis.sock?db=1"
    assert list(place.iterdir()) == []


def test_a_program_that_cannot_be_run_is_one_line(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = place / "valkey-server"
    broken.write_text("not a program")
    monkeypatch.setenv("ENTREPOT_REDIS_SERVER", str(broken))

    with pytest.raises(EmbeddedError, match="cannot be run here") as refusal:
        ensure_servers(place / "var", postgres=False)

    assert "\n" not in str(refusal.value)


def test_a_full_disk_in_the_log_becomes_the_reason(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = place / "bin"
    programs.mkdir()
    for name, text in (("postgres", "echo postgres 18.6"), ("initdb", "echo could not write: No space left on device; exit 1")):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("ENTREPOT_POSTGRES_BIN", str(programs))

    with pytest.raises(EmbeddedError, match="the disk is full: free some space") as refusal:
        ensure_servers(place / "var", redis=False)

    assert "\n" not in str(refusal.value)
    assert not (place / "var" / "postgres").exists()


def test_the_database_backend_brings_a_killed_server_back(place: Path) -> None:
    from config.embedded_db.base import DatabaseWrapper

    ensure_servers(place / "var")
    defaults = {"ENGINE": "config.embedded_db", "OPTIONS": {}, "TIME_ZONE": None, "CONN_MAX_AGE": 0, "AUTOCOMMIT": True}
    defaults |= {"CONN_HEALTH_CHECKS": False, "TEST": {}, "ATOMIC_REQUESTS": False}
    connection = DatabaseWrapper({**defaults, **addresses(place / "var").postgres}, alias="healed")
    kill(Stack(place / "var").servers[0].processes())

    fresh = connection.get_new_connection(connection.get_connection_params())
    with fresh.cursor() as cursor:
        cursor.execute("SELECT current_user")
        answer = cursor.fetchone()
    fresh.close()

    assert answer == ("entrepot",)


def test_a_stopped_server_takes_its_clients_with_it_quickly(place: Path) -> None:
    stack = Stack(place / "var")
    processes = stack.ensure(die_with_us=True)
    os.kill(processes["PostgreSQL"].pid, 0)

    stack.stop()

    assert [process.wait(timeout=5) for process in processes.values()] == [0, 0]
    assert signal.SIGINT  # the fast shutdown that PostgreSQL got
