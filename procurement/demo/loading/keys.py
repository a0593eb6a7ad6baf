"""Which primary key each row of the world got: arrays in the order of the world's own tuples and tables."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Keys:
    skus: np.ndarray
    channels: np.ndarray
    warehouses: np.ndarray
    bins: np.ndarray  # SKU × warehouse: the bin where all of it lies
    suppliers: np.ndarray


@dataclass(frozen=True, slots=True)
class SalesKeys:
    lines: np.ndarray  # per order line
    shipment_numbers: np.ndarray  # per order; empty text when it has not left
    return_numbers: list[str]  # per return


def keys_of(rows: list) -> np.ndarray:
    return np.array([row.pk for row in rows], dtype=np.int64)
