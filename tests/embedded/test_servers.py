"""The embedded servers come up with their data: whoever starts them, however they were killed, wherever they lie."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import redis as redis_client

from config.embedded import addresses, ensure_servers
from config.embedded.layout import ASIDE, locate
from config.embedded.stack import Stack
from tests.embedded.operators import Operator, ask, eventually, kill, parent_of


def test_servers_go_down_by_hand_and_come_up_warm_with_their_data(operator: Operator, served: Path) -> None:
    ask(served, "CREATE TABLE by_hand AS SELECT 7 AS n")

    attached = operator.embedded(served, "up")
    running = operator.embedded(served, "status")
    down = operator.embedded(served, "down")
    stopped = operator.embedded(served, "status")
    warm = operator.embedded(served, "up")

    assert (attached, down, warm) == ((0, ""),) * 3
    assert (running[0], running[1].count(" answers, ")) == (0, 2)
    assert (stopped[0], stopped[1].count(" does not answer, ")) == (3, 2)
    assert ask(served, "SELECT n FROM by_hand") == [(7,)]


@pytest.mark.parametrize("what", ["postmaster", "everything"])
def test_a_kill_loses_no_commit_and_no_queued_task(operator: Operator, served: Path, what: str) -> None:
    postgres, redis = Stack(served).servers
    ask(served, f"CREATE TABLE kept_{what} AS SELECT generate_series(1, 500) AS n")
    queue = redis_client.Redis(unix_socket_path=str(addresses(served).redis_socket))
    queue.lpush(what, *range(50))

    if what == "postmaster":
        kill([int((postgres.data / "postmaster.pid").read_text().split()[0])])
    else:
        kill(postgres.processes() + redis.processes())
    came_up = operator.embedded(served, "up")

    assert came_up == (0, "")
    assert ask(served, f"TABLE kept_{what}") == [(n,) for n in range(1, 501)]
    assert queue.llen(what) == 50


def test_lock_files_that_name_another_living_process_are_not_believed(operator: Operator, served: Path) -> None:
    stack = Stack(served)
    files = [stack.layout.postgres_data / "postmaster.pid", stack.layout.run / ".s.PGSQL.5432.lock"]
    lines = {file: file.read_text().splitlines() for file in files}
    kill([pid for server in stack.servers for pid in server.processes()])
    eventually(lambda: not any(server.processes() for server in stack.servers))
    bystander = subprocess.Popen(["sleep", "60"], user=files[0].stat().st_uid)

    try:
        for file in files:
            file.write_text("\n".join([str(bystander.pid), *lines[file][1:]]) + "\n")
        came_up = operator.embedded(served, "up")

        assert came_up == (0, "")
        assert stack.is_ready()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_the_application_role_is_no_superuser_and_every_commit_is_durable(served: Path) -> None:
    roles = ask(served, "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user")
    names = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums", "listen_addresses", "max_connections")
    settings = ask(served, f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}")
    redis = redis_client.Redis(unix_socket_path=str(addresses(served).redis_socket))

    assert roles == [(False, True, False)]
    assert settings == [("on", "on", "on", "on", "", "200")]
    assert redis.config_get("appendfsync") == {"appendfsync": "always"}
    assert redis.config_get("port") == {"port": "0"}


def test_a_backup_by_the_wheels_own_pg_dump_can_be_restored(operator: Operator, served: Path) -> None:
    ask(served, "CREATE TABLE backed_up AS SELECT generate_series(1, 3) AS n")
    dump = served.parent / "backup.dump"

    dumped = operator.embedded(served, "tool", "pg_dump", "-Fc", "-t", "backed_up", "-f", str(dump))
    ask(served, "DROP TABLE backed_up")
    restored = operator.embedded(served, "tool", "pg_restore", "-d", "entrepot", str(dump))

    assert (dumped, restored) == ((0, ""), (0, ""))
    assert ask(served, "SELECT sum(n) FROM backed_up") == [(6,)]


def test_the_database_backend_brings_a_killed_server_back(served: Path) -> None:
    from config.embedded_db.base import DatabaseWrapper

    options = {"OPTIONS": {}, "TIME_ZONE": None, "CONN_MAX_AGE": 0, "AUTOCOMMIT": True, "CONN_HEALTH_CHECKS": False}
    connection = DatabaseWrapper({**options, "TEST": {}, **addresses(served).postgres}, alias="healed")
    kill(Stack(served).servers[0].processes())

    fresh = connection.get_new_connection(connection.get_connection_params())
    with fresh.cursor() as cursor:
        cursor.execute("SELECT current_user")
        answer = cursor.fetchone()
    fresh.close()

    assert answer == ("entrepot",)


def test_eight_processes_that_race_a_cold_start_get_one_server_each(operator: Operator, their_place: Path) -> None:
    data = their_place / "var"
    racers = [operator.start("-m", "config.embedded", "--data-dir", str(data), "up") for _ in range(8)]

    outputs = [racer.communicate(timeout=60)[0] for racer in racers]

    postgres, redis = Stack(data).servers
    postmaster = int((postgres.data / "postmaster.pid").read_text().split()[0])
    assert (outputs, [racer.returncode for racer in racers]) == ([""] * 8, [0] * 8)
    assert {parent_of(pid) for pid in postgres.processes() if pid != postmaster} == {postmaster}
    assert len(redis.processes()) == 1


@pytest.mark.parametrize("name", ["with spaces and ünïcödé", "long" * 40, 'quote", comma, % and ?'])
def test_any_path_will_do(place: Path, name: str) -> None:
    data = place / name

    ensure_servers(data)

    found = addresses(data)
    assert ask(data, "SELECT 1") == [(1,)]
    assert redis_client.Redis.from_url(found.cache_url).ping()
    assert len(os.fsencode(found.redis_socket)) <= 107


def test_an_initdb_that_was_killed_half_way_is_done_again_and_servers_tied_to_us_end_cleanly(place: Path) -> None:
    half = place / "var" / "postgres.new"
    half.mkdir(parents=True)
    half.parent.chmod(0o711)
    (half / "PG_VERSION").write_text("18\n")
    stack = Stack(place / "var")

    processes = stack.ensure(die_with_us=True)
    answer = ask(place / "var", "SELECT 1")
    stack.stop()

    assert answer == [(1,)]
    assert not half.exists()
    assert [process.wait(timeout=5) for process in processes.values()] == [0, 0]


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
