"""Keeps the logs of a data directory from growing for ever: looked at once, at every start."""

from pathlib import Path

LIMIT_BYTES = 10_000_000
KEPT = 3


def rotate(folder: Path) -> None:
    """Rename each log over the limit to .1, .1 to .2 and so on; the oldest goes."""
    for log in folder.glob("*.log"):
        if log.stat().st_size < LIMIT_BYTES:
            continue
        for age in range(KEPT, 0, -1):
            newer = log if age == 1 else log.with_name(f"{log.name}.{age - 1}")
            if newer.exists():
                newer.replace(log.with_name(f"{log.name}.{age}"))
