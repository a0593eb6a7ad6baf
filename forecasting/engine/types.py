"""The engine's vocabulary: what goes in (a panel of series) and what comes out (forecasts, quantiles and the
reasons)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FREQUENCIES = ("H", "D", "W", "M", "Q", "Y")


MODES = ("everyday", "full")
"""everyday: vectorised over all series; full: a boosted model of the panel and, where they pay, costly methods too."""


@dataclass(frozen=True)
class Covariates:
    """What else is known of the n series of a panel of T periods; NaN = unknown.

    known       name → (n, T + ahead): known in advance too (promotion, price, holiday, closed).
    past        name → (n, T): known only once it happened (page views, cart adds, in-stock share of a shop).
    static      name → (n,) numbers; categories name → (n,) whole codes ≥ 0, −1 = unknown.
    ahead       future periods that the arrays of `known` cover.
    A method may read `past` only up to an origin, and `known` only from what stands in it: both are what the leak test
    changes.
    """

    known: Mapping[str, FloatArray] = field(default_factory=dict)
    past: Mapping[str, FloatArray] = field(default_factory=dict)
    static: Mapping[str, FloatArray] = field(default_factory=dict)
    categories: Mapping[str, IntArray] = field(default_factory=dict)
    ahead: int = 0

    def take(self, rows: slice | IntArray) -> Covariates:
        """The same covariates of only these series."""
        return Covariates(
            known={k: v[rows] for k, v in self.known.items()},
            past={k: v[rows] for k, v in self.past.items()},
            static={k: v[rows] for k, v in self.static.items()},
            categories={k: v[rows] for k, v in self.categories.items()},
            ahead=self.ahead,
        )

    def until(self, periods: int) -> Covariates:
        """As they stood when only `periods` periods had passed: known values reach as far ahead as before."""
        return Covariates(
            known={k: v[:, : periods + self.ahead] for k, v in self.known.items()},
            past={k: v[:, :periods] for k, v in self.past.items()},
            static=self.static,
            categories=self.categories,
            ahead=self.ahead,
        )


@dataclass(frozen=True)
class Panel:
    """n series on one common time axis of T periods; the forecast origin is the end of the last column.

    ids        n names, unique.
    values     (n, T) units of demand per period; NaN = before the start or unknown (an inner NaN is a gap, not a zero).
    starts     (n,) first live period of each series (column index); columns before it are ignored.
    in_stock   (n, T) share of the period in stock, 0..1. Below 1 the value is a lower bound of demand (censored). None
    = always.
    freq       'H', 'D', 'W', 'M', 'Q' or 'Y'.
    origin_ds  date of the first column (calendar only); None when periods are plain integers.
    covariates whatever else is known; None = nothing.
    decisions  (n, T) what a person said of a period: 0 nothing, 1 real demand (never capped), 2 take it out. None = 0.
    """

    ids: tuple[str, ...]
    values: FloatArray
    starts: IntArray
    in_stock: FloatArray | None = None
    freq: str = "D"
    origin_ds: date | datetime | None = None
    covariates: Covariates | None = None
    decisions: NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise ValueError(f"values must be a matrix (series, periods), got {self.values.ndim} dimension(s)")
        n, periods = self.values.shape
        if len(self.ids) != n:
            raise ValueError(f"ids: {len(self.ids)} names for {n} series")
        if self.starts.shape != (n,):
            raise ValueError(f"starts must have shape ({n},), got {self.starts.shape}")
        if n and (self.starts.min() < 0 or self.starts.max() > periods):
            raise ValueError("starts must lie between 0 and the number of periods")
        if self.in_stock is not None and self.in_stock.shape != self.values.shape:
            raise ValueError(f"in_stock must have the shape of values {self.values.shape}, got {self.in_stock.shape}")
        if self.decisions is not None and self.decisions.shape != self.values.shape:
            raise ValueError(f"decisions must have the shape of values {self.values.shape}, got {self.decisions.shape}")
        if self.freq not in FREQUENCIES:
            raise ValueError(f"freq must be one of {', '.join(FREQUENCIES)}, got {self.freq!r}")
        if self.covariates is not None:
            self._check_covariates(self.covariates, n, periods)

    @staticmethod
    def _check_covariates(covariates: Covariates, n: int, periods: int) -> None:
        shapes = {
            "known": (n, periods + covariates.ahead),
            "past": (n, periods),
            "static": (n,),
            "categories": (n,),
        }
        for kind, shape in shapes.items():
            for name, values in getattr(covariates, kind).items():
                if values.shape != shape:
                    raise ValueError(f"covariate {name} ({kind}) must have shape {shape}, got {values.shape}")

    def take(self, rows: slice | IntArray) -> Panel:
        """The same panel with only these series."""
        index = np.arange(len(self.ids))[rows]
        return Panel(
            ids=tuple(self.ids[i] for i in index),
            values=self.values[rows],
            starts=self.starts[rows],
            in_stock=None if self.in_stock is None else self.in_stock[rows],
            freq=self.freq,
            origin_ds=self.origin_ds,
            covariates=None if self.covariates is None else self.covariates.take(rows),
            decisions=None if self.decisions is None else self.decisions[rows],
        )

    def until(self, periods: int) -> Panel:
        """The panel as it stood after its first `periods` periods; a series that began later has not started."""
        return Panel(
            ids=self.ids,
            values=self.values[:, :periods],
            starts=np.minimum(self.starts, periods),
            in_stock=None if self.in_stock is None else self.in_stock[:, :periods],
            freq=self.freq,
            origin_ds=self.origin_ds,
            covariates=None if self.covariates is None else self.covariates.until(periods),
            decisions=None if self.decisions is None else self.decisions[:, :periods],
        )


@dataclass(frozen=True)
class Score:
    """How one candidate did on the held-out windows of one series. Error = forecast − actual.

    pinball  scaled pinball loss of the window sum, mean over quantiles, windows and folds (lower is better).
    rmsse    root mean squared error of the window mean, scaled like `pinball`.
    wape     Σ|e| / ΣA over the folds (NaN when nothing was sold).
    bias     Σe / ΣA over the folds (+ = forecast too high; NaN when nothing was sold).
    coverage share of held-out windows at or below the .95 quantile (NaN when .95 was not asked).
    """

    pinball: float
    rmsse: float
    wape: float
    bias: float
    coverage: float


@dataclass(frozen=True, eq=False)
class Scores(Mapping[str, Score]):
    """Method → Score of one series, kept as one small array (5, M) in the order of Score's fields: a hundred thousand
    series hold and send it cheaply."""

    methods: tuple[str, ...]
    table: FloatArray

    def __getitem__(self, method: str) -> Score:
        if method not in self.methods:
            raise KeyError(method)
        return Score(*(float(v) for v in self.table[:, self.methods.index(method)]))

    def __iter__(self) -> Iterator[str]:
        return iter(self.methods)

    def __len__(self) -> int:
        return len(self.methods)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scores):
            return NotImplemented
        return self.methods == other.methods and np.array_equal(self.table, other.table, equal_nan=True)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Backtest:
    """The rolling origins behind the choices of a panel, and how the chosen method did at each.

    origins (F,)  numbers of periods known at each fold; windows (K,) lengths of the held-out sums; step:
                  periods between folds (the smallest).
    held_out      (n, F, K, 4) single precision: actual sum, mean, .5 and .95 quantile of the chosen method; NaN where
                  the window was not (wholly enough) observed.
    """

    origins: tuple[int, ...]
    windows: tuple[int, ...]
    step: int
    held_out: NDArray[np.float32]

    def folds_of(self, row: int) -> list[dict[str, float]]:
        """The observed folds of one series as rows for a chart: origin, window, actual, mean, median, high."""
        names = ("actual", "mean", "median", "high")
        return [
            {"origin": origin, "window": window, **dict(zip(names, map(float, self.held_out[row, f, k]), strict=True))}
            for f, origin in enumerate(self.origins)
            for k, window in enumerate(self.windows)
            if np.isfinite(self.held_out[row, f, k, 0])
        ]


@dataclass(frozen=True)
class Choice:
    """The method that forecasts one series, and why.

    reason         an English sentence; reason_code and reason_numbers say the same for translation: codes are those of
                   explain.CODES, numbers what the sentence quotes (folds, gap_percent, …).
    """

    method: str
    reason: str
    demand_class: str
    scores: Mapping[str, Score] = field(default_factory=dict)
    runner_up: str | None = None
    fallback: str | None = None
    notes: tuple[str, ...] = ()
    folds: int = 0
    outliers_capped: int = 0
    censored_periods: int = 0
    reason_code: str = ""
    reason_numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def score(self) -> Score | None:
        """Backtest error of the chosen method; None for a fallback, which was never backtested."""
        return self.scores.get(self.method)


@dataclass(frozen=True)
class PanelForecast:
    """Forecasts of one panel; arrays follow the order of `ids`. Units are those of the panel's values.

    mean (n, h); quantiles (n, h, q) per period; window_mean (n, w) and window_quantiles (n, w, q) of the SUM over the
    first
    `windows[j]` periods; protection_mean (n,), protection_sd (n,), protection_quantiles (n, q) of the sum over each
    series' own
    `protection_periods[i]` periods (None unless asked). Quantiles never cross and are never negative.
    """

    ids: tuple[str, ...]
    horizon: int
    levels: tuple[float, ...]
    windows: tuple[int, ...]
    mean: FloatArray
    quantiles: FloatArray
    window_mean: FloatArray
    window_quantiles: FloatArray
    choices: list[Choice]
    protection_periods: IntArray | None = None
    protection_mean: FloatArray | None = None
    protection_sd: FloatArray | None = None
    protection_quantiles: FloatArray | None = None
    unused: tuple[str, ...] = ()
    backtest: Backtest | None = None
