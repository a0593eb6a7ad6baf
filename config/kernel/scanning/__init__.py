"""What a scanner types, and which row it means. Each app registers how its codes are read; nobody knows all."""

from config.kernel.scanning.cleaning import Scan, cleaned
from config.kernel.scanning.registry import (
    Scanned,
    can_be_said_plainly,
    found,
    is_unmistakable,
    numbered,
    pair_splits,
    plain_reader,
    reads_gs1,
    reads_mark,
    scanned_models,
)

__all__ = [
    "Scan",
    "Scanned",
    "can_be_said_plainly",
    "cleaned",
    "found",
    "is_unmistakable",
    "numbered",
    "pair_splits",
    "plain_reader",
    "reads_gs1",
    "reads_mark",
    "scanned_models",
]
