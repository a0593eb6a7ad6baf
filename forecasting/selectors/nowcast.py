"""The short-term view of SKUs: the forecast in force, moved by the orders since (engine: `forecasting.engine.nowcast`).

Everything is read when it is asked for, by a constant number of queries: no task, no refit, no state to go stale.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from catalog.models import Channel
from forecasting.models import ForecastRun
from forecasting.selectors import latest_run
from forecasting.selectors.channel_clocks import channel_clocks, day_exposures
from forecasting.selectors.forecast_rows import ForecastRow, forecast_rows
from forecasting.selectors.live_orders import Placed, dry_days, placed_since
from forecasting.selectors.shares import channel_shares

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from forecasting.engine.nowcast import Nowcast, Prior

Pair = tuple[int, int]
WEEK = 7
LOOK_BACK_DAYS = 56
# A forecast of nothing is read as half a unit over its horizon, so that a first order is news and not a miracle.
_LEAST = 0.5


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is expected of a span that begins now; `quantiles` at the run's levels."""

    mean: float
    quantiles: list[float]


@dataclass(frozen=True, slots=True)
class LiveView:
    """One SKU in one warehouse (None: in all), now. `probability` is that of orders so far from what was expected."""

    sku_id: int
    warehouse_id: int | None
    factor: float
    factor_low: float
    factor_high: float
    expected: float
    observed: float
    today_expected: float
    today_observed: float
    probability: float
    direction: str
    over: str
    is_surprising: bool
    protection_days: int
    rest_of_today: Ahead
    next_7_days: Ahead
    protection: Ahead
    last_order_at: datetime | None


@dataclass(frozen=True, slots=True)
class SkuNowcast:
    run: ForecastRun
    total: LiveView
    warehouses: list[LiveView]


def nowcasts(pairs: Collection[Pair], *, now: datetime, channel: Channel | None = None) -> dict[Pair, LiveView]:
    """(sku id, warehouse id) → its view, of the pairs the run in force covers. About ten queries for any number."""
    run = latest_run()
    if run is None:
        return {}
    wanted = set(pairs)
    found = forecast_rows(run, {sku for sku, _warehouse in wanted}, on=timezone.localdate(now))
    rows = [row for row in found if row.pair in wanted]
    if not rows:
        return {}
    book = _read(run, rows, now=now, channel=channel)
    return {row.pair: view for row, view in zip(rows, book.views(), strict=True)}


def sku_nowcast(
    sku_id: int, *, now: datetime, warehouse_id: int | None = None, channel: Channel | None = None
) -> SkuNowcast | None:
    """The SKU in each warehouse and in all of them; None when the run in force does not cover it."""
    run = latest_run()
    found = forecast_rows(run, [sku_id], on=timezone.localdate(now)) if run else []
    rows = [row for row in found if warehouse_id is None or row.pair[1] == warehouse_id]
    if run is None or not rows:
        return None
    book = _read(run, rows, now=now, channel=channel)
    views = book.views()
    return SkuNowcast(run, views[0] if len(rows) == 1 else book.total(), views)


@dataclass(frozen=True, slots=True)
class _Book:
    """Rows of forecasts and, on the K days from `days[0]` to today, what was due, ordered, seen and gone by (n, K)."""

    rows: Sequence[ForecastRow]
    levels: "NDArray[np.float64]"
    mean: "NDArray[np.float64]"
    """(n, K + ahead) units a day from days[0] on"""
    weight: "NDArray[np.float64]"
    """(n,) the channel's share of the forecast; 1 for all channels"""
    observed: "NDArray[np.float64]"
    seen: "NDArray[np.float64]"
    gone: "NDArray[np.float64]"
    dry: "NDArray[np.bool_]"
    latest: list[datetime | None]

    def views(self) -> list[LiveView]:
        import numpy as np

        from forecasting.engine.nowcast import nowcast

        prior = self._prior()
        now = nowcast(prior, self.mean[:, : self._days], self.observed, self.seen, censored=self.dry)
        protection = np.array([row.protection_days for row in self.rows])
        shape = self._shape(protection) if bool(np.all(self.weight == 1.0)) else None
        keys = [row.pair for row in self.rows]
        return self._answers(now, prior, keys, self.mean, self.gone, protection, shape, self.latest)

    def total(self) -> LiveView:
        """All rows as one series: its own level, never a sum of quantiles."""
        import numpy as np

        from forecasting.engine.nowcast import nowcast, pooled_prior

        days = self._days
        prior = pooled_prior(self._prior(), self.mean[:, :days].mean(axis=1))
        mean = self.mean.sum(axis=0, keepdims=True)
        due = np.maximum(mean[:, :days], 1e-12)
        open_ = np.where(self.dry & (self.observed <= self.mean[:, :days] * self.seen), 0.0, self.seen)
        seen = (self.mean[:, :days] * open_).sum(axis=0, keepdims=True) / due
        gone = (self.mean[:, :days] * self.gone).sum(axis=0, keepdims=True) / due
        counted = np.where(open_ > 0, self.observed, 0.0).sum(axis=0, keepdims=True)
        now = nowcast(prior, mean[:, :days], counted, seen)
        protection = np.array([max(row.protection_days for row in self.rows)])
        latest = max((one for one in self.latest if one), default=None)
        keys = [(self.rows[0].pair[0], None)]
        return self._answers(now, prior, keys, mean, gone, protection, None, [latest])[0]

    @property
    def _days(self) -> int:
        return self.observed.shape[1]

    def _prior(self) -> "Prior":
        import numpy as np

        from forecasting.engine.nowcast import day_variance, prior_of

        week = np.array([row.mean[:WEEK] for row in self.rows])
        of_a_day = day_variance(week, np.array([row.quantiles for row in self.rows]), self.levels)
        window = np.array([row.protection_mean for row in self.rows])
        return prior_of(week.mean(axis=1), of_a_day, window, np.array([row.protection_sd**2 for row in self.rows]))

    def _shape(self, protection: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """The forecast's own quantiles of the protection interval, brought to the days that begin now."""
        import numpy as np

        mean = np.maximum([row.protection_mean for row in self.rows], 1e-12)
        ratio = _from_now(self.mean, self.gone, protection) / mean
        return np.array([row.protection_quantiles for row in self.rows]) * ratio[:, None]

    def _answers(
        self,
        now: "Nowcast",
        prior: "Prior",
        keys: Sequence[tuple[int, int | None]],
        mean: "NDArray[np.float64]",
        gone: "NDArray[np.float64]",
        protection: "NDArray[np.int64]",
        shape: "NDArray[np.float64] | None",
        latest: Sequence[datetime | None],
    ) -> list[LiveView]:
        import numpy as np

        from forecasting.engine.nowcast import SURPRISING, quantiles_ahead

        spans = []
        for days, own in (
            (np.zeros_like(protection), None),
            (np.full_like(protection, WEEK), None),
            (protection, shape),
        ):
            due = _from_now(mean, gone, days)
            spans.append((now.total(due)[0], quantiles_ahead(now, prior, due, self.levels, own)))
        tails = np.stack([now.above, now.below, now.day_above, now.day_below])
        least = tails.argmin(axis=0)
        low, high = now.factor_quantile(0.05), now.factor_quantile(0.95)
        return [
            LiveView(
                *keys[n],
                factor=float(now.factor[n]),
                factor_low=float(low[n]),
                factor_high=float(high[n]),
                expected=float(now.expected[n]),
                observed=float(now.observed[n]),
                today_expected=float(now.day_expected[n]),
                today_observed=float(now.day_observed[n]),
                probability=float(tails[least[n], n]),
                direction=("above", "below")[least[n] % 2],
                over=("since_as_of", "today")[least[n] // 2],
                is_surprising=bool(tails[least[n], n] < SURPRISING),
                protection_days=int(protection[n]),
                rest_of_today=Ahead(float(spans[0][0][n]), spans[0][1][n].tolist()),
                next_7_days=Ahead(float(spans[1][0][n]), spans[1][1][n].tolist()),
                protection=Ahead(float(spans[2][0][n]), spans[2][1][n].tolist()),
                last_order_at=latest[n],
            )
            for n in range(len(keys))
        ]


def _from_now(
    mean: "NDArray[np.float64]", gone: "NDArray[np.float64]", days: "NDArray[np.int64]"
) -> "NDArray[np.float64]":
    """(n,) units forecast for so many whole days that begin now; 0 days: for the rest of today."""
    import numpy as np

    known = gone.shape[1]
    left = (mean[:, :known] * (1.0 - gone)).sum(axis=1)
    ahead = np.concatenate([np.zeros((len(mean), 1)), np.cumsum(mean[:, known:], axis=1)], axis=1)
    row = np.arange(len(mean))
    whole = np.maximum(days - 1, 0)
    part = np.where(days > 0, gone[:, -1] * mean[row, known + whole], 0.0)
    return np.asarray(left + ahead[row, whole] + part)


def _read(run: ForecastRun, rows: Sequence[ForecastRow], *, now: datetime, channel: Channel | None) -> _Book:
    import numpy as np

    clocks = channel_clocks(now=now)
    if channel is not None:
        clocks = {channel.pk: clocks[channel.pk]}
    days = _days_since(run.as_of, [now.astimezone(clock.zone).date() for clock in clocks.values()])
    exposures = day_exposures(clocks, days, now=now)
    sku_ids = {row.pair[0] for row in rows}
    shares = channel_shares(run, [row.pair for row in rows])
    usual = {pk: clock.orders_a_day() or 1e-9 for pk, clock in clocks.items()}
    weights = np.array([[_share(shares.get(row.pair), usual, pk) for pk in clocks] for row in rows])
    weight = weights.sum(axis=1) if channel is not None else np.ones(len(rows))
    part = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    part[weights.sum(axis=1) <= 0] = 1.0 / len(clocks)
    ahead = max([WEEK, *(row.protection_days for row in rows)]) + 1
    first = (days[0] - run.as_of).days - 1
    mean = np.array([[row.on(first + n) for n in range(len(days) + ahead)] for row in rows]) * weight[:, None]
    observed, latest = _placed(rows, placed_since(sku_ids, first=days[0], now=now), days, clocks)
    dry = dry_days(sku_ids, first=days[0], count=len(days))
    return _Book(
        rows=rows,
        levels=np.array(run.quantile_levels),
        mean=np.maximum(mean, _LEAST / run.horizon_days),
        weight=weight,
        observed=observed,
        seen=part @ np.array([exposures[pk][1] for pk in clocks]),
        gone=part @ np.array([exposures[pk][0] for pk in clocks]),
        dry=np.array([dry.get(row.pair, [False] * len(days)) for row in rows]),
        latest=latest,
    )


def _days_since(as_of: date, today: Sequence[date]) -> list[date]:
    """The days from the one after `as_of` (at the latest from today) to today, wherever it is the latest."""
    last = max(today)
    first = max(min(as_of + timedelta(1), min(today)), last - timedelta(LOOK_BACK_DAYS - 1))
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def _share(own: Mapping[int, float] | None, usual: Mapping[int, float], channel_id: int) -> float:
    """The channel's share of a pair's demand; of a pair nobody asked for lately that of all the channel's orders."""
    return own.get(channel_id, 0.0) if own is not None else usual[channel_id] / sum(usual.values())


def _placed(
    rows: Sequence[ForecastRow], placed: Sequence[Placed], days: Sequence[date], channels: Collection[int]
) -> "tuple[NDArray[np.float64], list[datetime | None]]":
    import numpy as np

    at, column = {row.pair: n for n, row in enumerate(rows)}, {day: n for n, day in enumerate(days)}
    observed = np.zeros((len(rows), len(days)))
    latest: list[datetime | None] = [None] * len(rows)
    for one in placed:
        n = at.get((one.sku_id, one.warehouse_id))
        if n is None or one.channel_id not in channels or one.day not in column:
            continue
        observed[n, column[one.day]] += one.units
        latest[n] = max(latest[n] or one.latest, one.latest)
    return observed, latest
