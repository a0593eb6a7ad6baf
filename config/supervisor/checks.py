"""All that can be found out before anything is started: the port, the disk, another Entrepot on the same data."""

import errno
import fcntl
import os
import shutil
import socket
from pathlib import Path
from typing import IO

from config.supervisor.console import Failure

NEEDED_MB = 300


def bind_port(host: str, port: int) -> socket.socket:
    """The socket that the web server will use, bound now: a port in use is known before anything is started."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
    except socket.gaierror:
        raise Failure(f"{host} is not an address of this machine: name one with --host.") from None
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise Failure(_why_not(host, port, error)) from None
    return listener


def start_listening(listener: socket.socket, host: str, port: int) -> None:
    """Callers are refused until here, and wait in the queue from here on."""
    try:
        listener.listen(512)
    except OSError as error:  # somebody else bound it too and was quicker
        raise Failure(_why_not(host, port, error)) from None


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: stop what uses it, or choose another, e.g. bin/start --port {port + 1}."
    if error.errno == errno.EACCES:
        return f"This user may not use port {port}: choose one above 1023, e.g. bin/start --port 8000."
    return f"Cannot listen on {host} port {port} ({error.strerror}): choose another with --host or --port."


def require_space(folder: Path, megabytes: int = NEEDED_MB) -> None:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free // 1_000_000
    if free < megabytes:
        raise Failure(f"The disk of {existing} has {free} MB left and {megabytes} MB are needed: free some space.")


def lock_data_dir(data_dir: Path, address: str) -> IO[str]:
    """Claim the data directory until this process ends; the address is for the message that a second one shows."""
    path = data_dir / "start.lock"
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
    except OSError as error:
        raise Failure(
            f"Cannot write {path} ({error.strerror}): start as its owner, or name another --data-dir."
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        where = file.read().strip() or "another terminal"
        raise Failure(
            f"Entrepot already runs on {data_dir}, at {where}: use that one, or name another --data-dir."
        ) from None
    file.truncate(0)
    file.write(address)
    file.flush()
    return file
