"""One more day without learning anew: the packed histories of the run that learnt, and of the tables the last weeks.

Late cancellations and returns change days that have been read already. Those of the last five weeks are read again with
every update, for all series at once; an older day that changes is seen by the next night that learns.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from forecasting import selectors
from forecasting.models import ForecastChunk, ForecastRules, ForecastRun
from forecasting.selectors import recent
from forecasting.selectors.in_stock import day_shares
from forecasting.services.packing import History, Lately, PairBook
from forecasting.services.panels import load_history

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

REREAD_DAYS = 35
MOST_DAYS_AHEAD = 14  # what was learnt serves as long


def run_to_update(*, mode: str, edition: str, as_of: date) -> ForecastRun | None:
    """The run whose learning and histories can be brought up to `as_of`; None: learn anew.

    A full run always learns anew: its trees look at more than the carried states hold.
    """
    if mode == ForecastRules.Mode.FULL:
        return None
    newest = selectors.complete_runs().filter(as_of__lte=as_of).first()
    run = newest.learnt_in if newest and newest.learnt_in else newest
    if run is None or run.mode != mode or getattr(getattr(run, "learning", None), "edition", "") != edition:
        return None
    if run.chunks.filter(history=None).exists() or (as_of - run.as_of).days > MOST_DAYS_AHEAD:
        return None
    return run


def reread_days(run: ForecastRun) -> int:
    """How many of the last days an update reads again: those since it learnt, and five weeks."""
    since = (run.as_of - run.learnt_in.as_of).days if run.learnt_in else 0
    return min(REREAD_DAYS + since, int(run.backtest["history_days"]))


def lay_out_recent(run: ForecastRun) -> None:
    """Put the last weeks of its series, packed, to every chunk of an update that waits; read in three queries."""
    days = reread_days(run)
    first = run.as_of - timedelta(days=days - 1)
    demand = recent.recent_demand(first=first, until=run.as_of)
    moved = recent.recent_movements(first=first, until=run.as_of)
    levels = recent.usable_stock()
    for chunk in run.chunks.exclude(state=ForecastChunk.State.DONE).only("pk", "pairs"):
        book = PairBook.unpack(bytes(chunk.pairs or b""))
        packed = _lately(book, first, days, demand, moved, levels).pack()
        ForecastChunk.objects.filter(pk=chunk.pk).update(history=packed)


def brought_forward(run: ForecastRun, chunk: ForecastChunk, book: PairBook) -> History:
    """The chunk's history up to the run's day: as the run that learnt packed it, its last weeks as they were laid out.

    Pairs that run did not know are read in full.
    """
    import numpy as np

    days = int(run.backtest["history_days"])
    base = ForecastChunk.objects.filter(run_id=run.learnt_in_id, number=chunk.number).first()
    lately = Lately.unpack(bytes(ForecastChunk.objects.values_list("history", flat=True).get(pk=chunk.pk) or b""))
    places = _places(book, base)
    whole = History(np.full((len(book), days), np.nan), np.full(len(book), days), np.full((len(book), days), np.nan))
    known, unknown = np.flatnonzero(places >= 0), np.flatnonzero(places < 0)
    if base is not None and len(known):
        _lay_base(whole, known, History.unpack(bytes(base.history or b"")), places[known])
        _lay_recent(whole, known, lately)
        _limit(whole, known, book, run.as_of, lately.values.shape[1])
    if len(unknown):
        read = load_history(book.take(unknown), until=run.as_of, days=days)
        for name in ("values", "starts", "in_stock"):
            getattr(whole, name)[unknown] = getattr(read, name)
    return whole


def _lately(book: PairBook, first: date, days: int, demand: Any, moved: Any, levels: Any) -> Lately:
    """Stock of a day is worked out backwards, from what is there now and what has moved since."""
    import numpy as np

    n = len(book)
    values, net, inflow = np.zeros((n, days)), np.zeros((n, days + 1)), np.zeros((n, days + 1))
    rows, cells = _rows_of(book, demand)
    values[rows, cells["column"]] = cells["units"]
    rows, cells = _rows_of(book, moved)
    net[rows, cells["column"]], inflow[rows, cells["column"]] = cells["net"], cells["inflow"]
    began = np.full(n, days)
    np.minimum.at(began, rows, cells["column"])
    rows, cells = _rows_of(book, levels)
    now = np.zeros(n)
    now[rows] = cells["units"]
    before = now - net.sum(axis=1)
    on_hand = np.round(np.concatenate([before[:, None], before[:, None] + net.cumsum(axis=1)], axis=1), 3)
    day = _Days(on_hand[:, :days], on_hand[:, 1 : days + 1], net[:, :days], inflow[:, :days])
    share, rows, columns = day.shares()
    opened = np.full(n, np.nan)
    if len(rows):
        pairs, morning, is_first = book.take(rows).pairs(), day.morning[rows, columns], columns == began[rows]
        share[rows, columns] = day_shares(pairs, columns, morning, np.zeros(len(rows), dtype=bool), first)
        opened[rows[is_first]] = day_shares(pairs, columns, morning, is_first, first)[is_first]
    return Lately(values, share, began, opened)


@dataclass(frozen=True)
class _Days:
    """Stock in the morning and evening of n pairs' days, and what moved between (n, T)."""

    morning: "Matrix"
    evening: "Matrix"
    net: "Matrix"
    inflow: "Matrix"

    def shares(self) -> "tuple[Matrix, Any, Any]":
        """1, or 0 where nothing was there all day; and the rows and columns of the days that were partly dry."""
        import numpy as np

        dry = (self.morning <= 0) & (self.evening <= 0) & (self.inflow == 0)
        emptied = (self.morning - (self.inflow - self.net) <= 0) & ~dry & (self.net != 0)
        rows, columns = np.nonzero(emptied | ((self.morning <= 0) & (self.inflow > 0)))
        return np.where(dry, 0.0, 1.0), rows, columns


def _rows_of(book: PairBook, cells: Any) -> tuple[Any, Any]:
    """The cells of these pairs, and the row of each."""
    import numpy as np

    width = 1 + max(int(book.warehouses.max(initial=0)), int(cells["warehouse"].max(initial=0)))
    keys, wanted = book.skus * width + book.warehouses, cells["sku"].astype(np.int64) * width + cells["warehouse"]
    rows = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = keys[rows] == wanted
    return rows[found], cells[found]


def _places(book: PairBook, base: ForecastChunk | None) -> "NDArray[np.int64]":
    """(n,) where each pair stands in the base chunk, −1 where it does not."""
    import numpy as np

    if base is None:
        return np.full(len(book), -1)
    known = {pair: place for place, pair in enumerate(PairBook.unpack(bytes(base.pairs or b"")).pairs())}
    return np.array([known.get(pair, -1) for pair in book.pairs()], dtype=np.int64)


def _lay_base(whole: History, rows: Any, base: History, places: Any) -> None:
    """The base's rows into `whole`; both begin with the same day."""
    import numpy as np

    old = base.values.shape[1]
    whole.values[rows, :old] = base.values[places]
    if whole.in_stock is not None and base.in_stock is not None:
        whole.in_stock[rows, :old] = base.in_stock[places]
    whole.starts[rows] = np.where(base.starts[places] < old, base.starts[places], whole.values.shape[1])


def _lay_recent(whole: History, rows: Any, lately: Lately) -> None:
    """The last weeks as the tables say now, over what was packed."""
    import numpy as np

    days, last = whole.values.shape[1], lately.values.shape[1]
    whole.values[rows, days - last :] = lately.values[rows]
    if whole.in_stock is None:
        return
    was_known = np.isfinite(whole.in_stock[rows, max(days - last - 1, 0)])
    column, moved = np.arange(last), lately.moved[rows][:, None]
    opened = lately.opened[rows][:, None]
    first = ~was_known[:, None] & (column == moved) & np.isfinite(opened)
    share = np.where(first, opened, lately.in_stock[rows])
    whole.in_stock[rows, days - last :] = np.where(was_known[:, None] | (column >= moved), share, np.nan)


def _limit(whole: History, rows: Any, book: PairBook, as_of: date, last: int) -> None:
    """Not a number before the launch or the first sale, nor after a SKU's end, where either lies in the last weeks."""
    import numpy as np

    days = whole.values.shape[1]
    first_day = as_of - timedelta(days=days - 1)
    spans = recent.selling_spans(sorted(set(book.skus[rows].tolist())))
    for row in rows:
        launched, ended = spans.get(int(book.skus[row]), (None, None))
        if whole.starts[row] >= days - last or ended is not None:
            sales = np.flatnonzero(whole.values[row] > 0)
            if whole.starts[row] >= days - last:
                begun = [*sales[:1].tolist(), *([(launched - first_day).days] if launched else [])]
                whole.starts[row] = np.clip(min(begun, default=days), 0, days)
                whole.values[row, days - last :] = np.nan_to_num(whole.values[row, days - last :])
            if ended is not None:
                end = max((ended - first_day).days, int(sales[-1]) if len(sales) else -1) + 1
                whole.values[row, max(end, 0) :] = np.nan
        whole.values[row, : whole.starts[row]] = np.nan
