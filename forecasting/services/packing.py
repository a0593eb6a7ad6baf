"""A chunk's series as few bytes: the pairs and what holds for each, and the demand that was read of them.

Arrays in NumPy's own format, deflated; nothing in here is ever executed when it is read back.
"""

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

_UNKNOWN = -1.0
_THOUSANDTHS = 1000


@dataclass(frozen=True)
class PairBook:
    """n pairs in order of SKU and warehouse, each with the days it must be protected for, its unit cost and A, B or
    C."""

    skus: "Ints"
    warehouses: "Ints"
    protection_days: "Ints"
    unit_costs: "Floats"
    value_classes: "NDArray[np.str_]"

    def __len__(self) -> int:
        return len(self.skus)

    def pairs(self) -> list[tuple[int, int]]:
        return list(zip(self.skus.tolist(), self.warehouses.tolist(), strict=True))

    def take(self, rows: Any) -> "PairBook":
        return PairBook(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def pack(self) -> bytes:
        return deflated({name: getattr(self, name) for name in self.__dataclass_fields__})

    @staticmethod
    def unpack(packed: bytes) -> "PairBook":
        return PairBook(**inflated(packed))


@dataclass(frozen=True)
class History:
    """values, in_stock (n, T) and starts (n,) as the selectors of demand and stock gave them; in_stock may be None."""

    values: "Floats"
    starts: "Ints"
    in_stock: "Floats | None"

    def pack(self) -> bytes:
        """Demand by its days with sales, stock by the days it changed. Exact, as quantities have three decimals."""
        import numpy as np

        rows, columns = np.nonzero(self.values > 0)
        amounts = np.rint(self.values[rows, columns] * _THOUSANDTHS).astype(np.int64)
        unit = _THOUSANDTHS if not np.any(amounts % _THOUSANDTHS) else 1
        arrays = {
            "shape": np.array([*self.values.shape, unit]),
            "counts": np.bincount(rows, minlength=len(self.values)).astype(np.uint16),
            "steps": np.diff(columns, prepend=0).astype(np.int16),
            "amounts": _smallest(amounts // unit),
            "starts": self.starts.astype(np.int32),
            "ends": _ends(self.values, self.starts).astype(np.int32),
        }
        if self.in_stock is not None:
            flat = np.nan_to_num(self.in_stock, nan=_UNKNOWN).astype(np.float32).ravel()
            changes = np.flatnonzero(np.diff(flat, prepend=np.float32(2.0)))
            arrays |= {"changes": changes.astype(np.uint32), "shares": flat[changes]}
        return deflated(arrays)

    @staticmethod
    def unpack(packed: bytes) -> "History":
        import numpy as np

        a = inflated(packed)
        n, days, unit = (int(x) for x in a["shape"])
        values = np.zeros((n, days))
        rows = np.repeat(np.arange(n), a["counts"])
        columns = np.cumsum(a["steps"].astype(np.int64))
        values[rows, columns] = a["amounts"].astype(np.float64) * unit / _THOUSANDTHS
        starts = a["starts"].astype(np.int64)
        column = np.arange(days)
        values[(column < starts[:, None]) | (column >= a["ends"][:, None])] = np.nan
        if "changes" not in a:
            return History(values, starts, None)
        lengths = np.diff(a["changes"].astype(np.int64), append=n * days)
        stock = np.repeat(a["shares"].astype(np.float64), lengths).reshape(n, days)
        stock[stock == _UNKNOWN] = np.nan
        return History(values, starts, stock)


@dataclass(frozen=True)
class Lately:
    """The last days of n pairs: demand and stock (n, T), and (n,) the column of each one's first movement, T if none.

    Stock stands as if every pair had moved before: whether it had, the reader knows. `opened` is the share of the day
    of the first movement where it had not, NaN where that makes no difference.
    """

    values: "Floats"
    in_stock: "Floats"
    moved: "Ints"
    opened: "Floats"

    def pack(self) -> bytes:
        import numpy as np

        history = History(self.values, np.zeros_like(self.moved), self.in_stock).pack()
        packed = np.frombuffer(history, dtype=np.uint8)
        return deflated({"history": packed, "moved": self.moved.astype(np.int32), "opened": self.opened})

    @staticmethod
    def unpack(packed: bytes) -> "Lately":
        import numpy as np

        arrays = inflated(packed)
        history = History.unpack(arrays["history"].tobytes())
        known = np.zeros_like(history.values) if history.in_stock is None else history.in_stock
        return Lately(history.values, known, arrays["moved"].astype(np.int64), arrays["opened"])


def _ends(values: "Floats", starts: "Ints") -> "Ints":
    """(n,) the column after the last that is a number; `starts` where none is."""
    import numpy as np

    known = ~np.isnan(values)
    if not values.shape[1]:
        return starts
    last = values.shape[1] - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), last, starts)


def _smallest(whole: "Ints") -> "NDArray[Any]":
    import numpy as np

    most = int(whole.max(initial=0))
    for kind in (np.uint8, np.uint16, np.uint32):
        if most <= np.iinfo(kind).max:
            return whole.astype(kind)
    return whole


def deflated(arrays: Mapping[str, Any]) -> bytes:
    import numpy as np

    sink = io.BytesIO()
    np.savez(sink, **arrays)
    return zlib.compress(sink.getbuffer(), 1)


def inflated(packed: bytes) -> dict[str, Any]:
    import numpy as np

    with np.load(io.BytesIO(zlib.decompress(packed)), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
