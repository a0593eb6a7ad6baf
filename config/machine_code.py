"""Where the compiled kernels of the engines are kept: a folder named by the engines' sources.

Numba looks for changes in the file of a kernel only, not in the files whose functions it calls: kept beside the
sources, code compiled before an upgrade would go on giving the numbers of before. Here each state of the engines has
a folder.
"""

import os
import shutil
import tempfile
import time
from hashlib import blake2b
from pathlib import Path

ENGINES = ("forecasting/engine", "procurement/engine")
VARIABLE = "NUMBA_CACHE_DIR"
FOLDER = "kernels"
#: Days a folder of other sources is kept: another version may still run on the same data.
KEPT_DAYS = 2.0


def keep_machine_code(base_dir: Path, data_dir: Path) -> None:
    """Tell numba the folder, in the data directory or else the user's cache; one that the environment names stays.

    To be called before numba is imported; it imports nothing heavy itself. Child processes work it out anew, so that
    a service restarted by its old supervisor after an upgrade does not inherit the old folder.
    """
    parents = _parents(data_dir)
    told = os.environ.get(VARIABLE)
    if told and Path(told).parent not in parents:
        return
    name = sources_digest(base_dir)
    for parent in parents:
        folder = parent / name
        if _is_usable(folder):
            os.environ[VARIABLE] = str(folder)
            return


def sources_digest(base_dir: Path) -> str:
    """Of the names and contents of every source file of the engines."""
    digest = blake2b(digest_size=10)
    for engine in ENGINES:
        for file in sorted(Path(base_dir, engine).rglob("*.py")):
            content = file.read_bytes()
            digest.update(f"{file.relative_to(base_dir)} {len(content)} ".encode())
            digest.update(content)
    return digest.hexdigest()


def _parents(data_dir: Path) -> list[Path]:
    """The places to try: the data directory, the user's cache, and a folder of the user's own among temporary files."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return [
        Path(data_dir).absolute() / FOLDER,
        Path(cache).absolute() / "entrepot" / FOLDER,
        Path(tempfile.gettempdir()).absolute() / f"entrepot-{os.getuid()}" / FOLDER,
    ]


def _is_usable(folder: Path) -> bool:
    """Made if it has to be. What lies in it is run: nobody else may be able to put anything there."""
    is_new = not folder.is_dir()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for place in (folder, *list(folder.parents)[:2]):
            seen = place.stat()
            if seen.st_mode & 0o002 or seen.st_uid not in (0, os.getuid()):
                return False
        os.utime(folder)
        if is_new:
            _prune(folder)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _prune(current: Path) -> None:
    """Remove the folders of other sources that nothing was started with lately."""
    oldest = time.time() - KEPT_DAYS * 86400.0
    for other in current.parent.iterdir():
        if other != current and other.is_dir() and not other.is_symlink() and other.stat().st_mtime < oldest:
            shutil.rmtree(other, ignore_errors=True)
