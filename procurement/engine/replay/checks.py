"""Arrays as they come in, checked by name and spread to one value an item."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procurement.engine.errors import ParameterError

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Spread = Callable[[str, Any], Array]

#: Largest quantity, price or number of days the replay takes: beyond it float64 no longer counts single units.
LARGEST = 1e15


def as_numbers(name: str, value: Any) -> Array:
    """`value` as float64 or `ParameterError`; booleans count as 0 and 1, text and ragged lists do not pass."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise ParameterError(name, "must be numbers")
        return np.asarray(array, dtype=np.float64)
    except (ValueError, OverflowError):
        raise ParameterError(name, "must be numbers of one regular shape") from None


def within(
    name: str, values: Array, lowest: float = 0.0, highest: float = LARGEST, *, above: bool = False, ends: str = ""
) -> None:
    """Every value lies in [lowest, highest] (`above`: lies above `lowest`); `ends` allows "nan" and "inf"."""
    good = (values > lowest if above else values >= lowest) & (values <= highest)
    if "nan" in ends:
        good |= np.isnan(values)
    if "inf" in ends:
        good |= values == np.inf
    if good.all():
        return
    place = np.unravel_index(int(np.argmin(good)), values.shape)
    where = f" (at {', '.join(str(int(p)) for p in place)})" if values.ndim else ""
    wrong = float(values[place])
    if np.isnan(wrong):
        raise ParameterError(name, f"must be a number{where}")
    if wrong > highest:
        raise ParameterError(name, f"must be at most {highest:g}, not {wrong:g}{where}")
    raise ParameterError(name, f"must be {'above' if above else 'at least'} {lowest:g}, not {wrong:g}{where}")


def per_item(name: str, value: Any, items: int) -> Array:
    """One number for all items, or one each → (N,)."""
    values = as_numbers(name, value)
    if values.shape not in ((), (1,), (items,)):
        raise ParameterError(name, f"must be one number or one for each of the {items} items, not {values.shape}")
    return np.ascontiguousarray(np.broadcast_to(values, (items,)))


def per_item_rows(name: str, value: Any, items: int) -> Array:
    """A row for all items (U,) where N ≠ U or N = 1, or a row each (N, U) → (N, U)."""
    values = as_numbers(name, value)
    if values.ndim == 1:
        values = values[None, :]
    if values.ndim != 2 or values.shape[0] not in (1, items) or values.shape[1] == 0:
        raise ParameterError(name, f"must have a row for each of the {items} items, not shape {values.shape}")
    return np.ascontiguousarray(np.broadcast_to(values, (items, values.shape[1])))


def per_item_and_time(name: str, value: Any, items: int, times: int) -> Array:
    """Levels: one number, one an item (N,), or one an item and date of change (N, U) → (N, U)."""
    values = as_numbers(name, value)
    if values.ndim < 2:
        return np.ascontiguousarray(np.broadcast_to(per_item(name, values, items)[:, None], (items, times)))
    if values.shape not in ((items, times), (1, times)):
        raise ParameterError(name, f"must be {items} items × {times} dates of change, not {values.shape}")
    return np.ascontiguousarray(np.broadcast_to(values, (items, times)))


def whole_days(name: str, values: Array) -> Whole:
    """Days rounded to the nearest whole day, halves up."""
    return np.asarray(np.floor(values + 0.5), dtype=np.int64)


def only_whole(name: str, values: Array) -> Whole:
    """Days that must be whole already."""
    if not (values == np.floor(values)).all():
        raise ParameterError(name, "must be whole days")
    return np.asarray(values, dtype=np.int64)


def whole_number(name: str, value: Any, lowest: int, highest: int | None = None) -> None:
    """`ParameterError` unless `value` is a whole number within the bounds."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < lowest:
        raise ParameterError(name, f"must be a whole number from {lowest}")
    if value > (2**63 - 1 if highest is None else highest):
        raise ParameterError(name, f"must be at most {highest if highest is not None else 2**63 - 1}")
