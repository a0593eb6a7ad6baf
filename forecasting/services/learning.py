"""What a run learns from a sample of all series, once, and how it reaches every chunk and the next days' updates.

The sample's demand is all of the panel that is ever in memory at once; chunks read their own series.
"""

import io
import pickle
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from config.kernel.errors import Conflict
from forecasting.models import ForecastRun, RunLearning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from forecasting.engine import Panel, PanelForecast
    from forecasting.engine.newcomers.kinship import Kinship
    from forecasting.services.packing import PairBook

# Part of the fingerprint too: a run is repeated when the engine has learnt something, though the demand is the same.
ENGINE_EDITION = "3"
SAMPLE_SERIES = 1500
SEED = 20261123

_MODULES = frozenset({"numpy._core.multiarray", "numpy._core.numeric", "numpy.dtypes", "lightgbm.basic", "collections"})
_NAMES = frozenset(
    {("numpy", "ndarray"), ("numpy", "dtype"), ("datetime", "date"), ("datetime", "datetime")}
    | {("builtins", name) for name in ("slice", "set", "frozenset", "complex", "range", "bytearray")}
)


def sample_rows(series: int, *, most: int = SAMPLE_SERIES) -> list[int]:
    """Which series are learnt from: all, or a seeded draw of them, in order."""
    import numpy as np

    if series <= most:
        return list(range(series))
    return sorted(np.random.default_rng(SEED).choice(series, most, replace=False).tolist())


def learn(panel: "Panel", *, run: ForecastRun) -> bytes:
    """What the panel teaches in the run's mode, packed."""
    from forecasting.engine import fit_pooled

    pooled = fit_pooled(
        panel,
        quantiles=run.quantile_levels,
        horizon=run.horizon_days,
        max_window=run.backtest["longest_days"],
        mode=run.mode,
    )
    return pack((pooled, sorted(panel.covariates.past) if panel.covariates else []))


def save_learning(run: ForecastRun, packed: bytes) -> None:
    RunLearning.objects.update_or_create(run=run, defaults={"edition": ENGINE_EDITION, "packed": packed})
    learning_of.cache_clear()


@lru_cache(maxsize=1)
def learning_of(run_id: int) -> tuple[Any, list[str]]:
    """(What this run learnt, the names of the signals it learnt from), kept until another is asked for.

    Raises Conflict when another edition packed it.
    """
    learning = RunLearning.objects.get(run_id=run_id)
    if learning.edition != ENGINE_EDITION:
        raise Conflict(_("Another edition of the program learnt for this run; start a new plan."))
    learnt, past = unpack(bytes(learning.packed))
    return learnt, past


def forecast(
    panel: "Panel", *, run: ForecastRun, book: "PairBook", kinship: "Kinship | None" = None
) -> "PanelForecast":
    """The chunk's forecasts with what the whole panel taught."""
    from forecasting.engine import forecast_panel

    return forecast_panel(
        panel,
        horizon=run.horizon_days,
        quantiles=run.quantile_levels,
        per_series_windows=book.protection_days,
        pooled=learning_of(run.pk)[0],
        kinship=kinship,
        mode=run.mode,
    )


def advance(
    panel: "Panel", methods: list[str], *, run: ForecastRun, book: "PairBook", kinship: "Kinship | None" = None
) -> "PanelForecast":
    """The chunk's forecasts of an update: by the methods and tables of the run that learnt, at the new end of
    history."""
    from forecasting.engine.newcomers.phaseout import forecast_kin
    from forecasting.engine.newcomers.reading import fading_of
    from forecasting.engine.update import advance_panel

    pooled = learning_of(run.learnt_in_id or run.pk)[0]
    by_row = dict(zip(panel.ids, methods, strict=True))

    def plain(part: "Panel", windows: tuple[int, ...], own: "NDArray[np.int64] | None") -> "PanelForecast":
        return advance_panel(
            part,
            pooled,
            [by_row[name] for name in part.ids],
            horizon=run.horizon_days,
            quantiles=run.quantile_levels,
            windows=windows,
            per_series_windows=own,
        )

    if kinship is None:
        return plain(panel, (), book.protection_days)
    block = pooled.calendar.rhythm.block
    return forecast_kin(panel, kinship, plain, (), book.protection_days, block, fading_of(pooled.newcomers))


def pack(learnt: Any) -> bytes:
    return zlib.compress(pickle.dumps(learnt, protocol=5), 1)


def unpack(packed: bytes) -> Any:
    return _Reader(io.BytesIO(zlib.decompress(packed))).load()


class _Reader(pickle.Unpickler):
    """Builds nothing but the engine's own values and arrays: a row written by somebody else runs no code of theirs."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("forecasting.engine.") or module in _MODULES or (module, name) in _NAMES:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in what a run learnt")
