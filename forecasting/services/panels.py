"""Pairs become a panel of the engine: their demand, the days they were in stock, and whatever else is known of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from forecasting import selectors
from forecasting.selectors.history import corrected_demand
from forecasting.services.covariates import PAID_PRICE, covariates_of
from forecasting.services.packing import History, PairBook

if TYPE_CHECKING:
    from forecasting.engine import Panel
    from forecasting.engine.types import Covariates


def load_history(book: PairBook, *, until: date, days: int) -> History:
    """Demand and stock of these pairs on the `days` days that end with `until`."""
    pairs = book.pairs()
    values, starts = selectors.demand_panel(pairs, until=until, days=days)
    return History(values, starts, selectors.in_stock_panel(pairs, until=until, days=days))


def panel_of(
    book: PairBook,
    history: History,
    *,
    until: date,
    ahead: int,
    past: Sequence[str] | None = None,
    with_prices: bool = False,
) -> "Panel":
    """The panel whose last day is `until`, with what else is known up to `ahead` days later.

    Demand is read as planners and the rule of bulk orders corrected it. A pair may stand in two rows: ids begin with
    the row. `past` names the signals that were learnt from: a chunk whose pairs were never looked at has zeros for
    them, and signals that came up since are left out. None: whatever there is, for learning, and paid prices where
    asked for.
    """
    from forecasting.engine import Panel

    pairs, first = book.pairs(), until - timedelta(days=history.values.shape[1] - 1)
    values, decisions = corrected_demand(history.values, pairs, until=until)
    with_prices = with_prices if past is None else PAID_PRICE in past
    found = covariates_of(pairs, first=first, until=until, ahead=ahead, with_prices=with_prices)
    return Panel(
        ids=tuple(f"{row}:{sku}@{warehouse}" for row, (sku, warehouse) in enumerate(pairs)),
        values=values,
        decisions=decisions,
        starts=history.starts,
        in_stock=history.in_stock,
        freq="D",
        origin_ds=first,
        covariates=_of_these(found, past, history),
    )


def _of_these(found: "Covariates", past: Sequence[str] | None, history: History) -> "Covariates":
    import numpy as np

    if past is None:
        return found
    nothing = np.zeros_like(history.values)
    return replace(found, past={name: found.past.get(name, nothing) for name in past})
