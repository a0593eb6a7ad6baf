"""Creates the folders of a data directory so that only their owner can use them; refuses those that are not ours."""

import os
import stat
from pathlib import Path

from config.embedded.errors import EmbeddedError
from config.embedded.layout import Layout, RunUser


def create_data_dir(data_dir: Path) -> None:
    """Create `data_dir` and its missing parents; root's stay passable (0711) for the servers' user."""
    missing = [folder for folder in (data_dir, *data_dir.parents) if not folder.exists()]
    for folder in reversed(missing):
        try:
            folder.mkdir(exist_ok=True)
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        except OSError as error:
            raise EmbeddedError(cannot_write(folder, error)) from None
    if not data_dir.is_dir():
        raise EmbeddedError(f"{data_dir} is not a folder: name another with --data-dir.")


def create_layout(layout: Layout) -> None:
    """Create every folder that the servers need, each 0700 and owned by the user that they run as."""
    create_data_dir(layout.data_dir)
    create_data_dir(layout.home)
    try:
        layout.logs.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(cannot_write(layout.logs, error)) from None
    for folder in (layout.run, layout.redis_data):
        create_private(folder, layout.run_user)


def create_private(folder: Path, user: RunUser | None) -> None:
    """Have `folder` 0700 and owned by `user` (ourselves when None); a link or somebody else's folder is refused."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise EmbeddedError(cannot_write(folder, error)) from None
    else:
        if user:
            os.chown(folder, user.uid, user.gid)
    found = folder.lstat()
    owner = user.uid if user else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {owner, os.geteuid()}:
        raise EmbeddedError(f"{folder} belongs to another user: start as that user, or name another --data-dir.")
    if found.st_uid != owner and user:  # made by root, killed before the chown
        os.chown(folder, user.uid, user.gid, follow_symlinks=False)
    folder.chmod(0o700)


def cannot_write(folder: Path, error: OSError) -> str:
    why = error.strerror or "it cannot be written"
    return f"Cannot write {folder} ({why}): give this user the right to, or name another place with --data-dir."
