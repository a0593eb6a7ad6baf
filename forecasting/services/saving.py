"""Writing a chunk of forecasts: the one place where the engine's floats become rows."""

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from forecasting.models import Forecast, ForecastRun

if TYPE_CHECKING:
    from forecasting.engine import Choice, PanelForecast

_COLUMNS = (
    "run_id",
    "sku_id",
    "warehouse_id",
    "method",
    "reason",
    "fallback",
    "demand_class",
    "scores",
    "mean",
    "quantiles",
    "protection_days",
    "protection_mean",
    "protection_sd",
    "protection_quantiles",
    "wape",
    "bias",
)


def save_forecasts(run: ForecastRun, pairs: Sequence[tuple[int, int]], result: "PanelForecast") -> None:
    """One row per pair, in one COPY and one transaction. `result` follows the order of `pairs`."""
    import io

    import numpy as np

    if result.protection_periods is None or result.protection_mean is None or result.protection_quantiles is None:
        raise ValueError("the forecast was made without protection intervals")
    by_level = np.round(np.swapaxes(result.quantiles, 1, 2), 4).tolist()
    mean = np.round(result.mean, 4).tolist()
    protection = np.round(result.protection_quantiles, 4).tolist()
    text = io.StringIO()
    for row, (sku_id, warehouse_id) in enumerate(pairs):
        choice = result.choices[row]
        score = choice.score
        fields = [
            run.pk,
            sku_id,
            warehouse_id,
            choice.method,
            choice.reason,
            (choice.fallback or "")[:200],
            choice.demand_class,
            json.dumps(_scores(choice)),
            _array(mean[row]),
            "{" + ",".join(_array(level) for level in by_level[row]) + "}",
            int(result.protection_periods[row]),
            float(result.protection_mean[row]),
            float(result.protection_sd[row]) if result.protection_sd is not None else 0.0,
            _array(protection[row]),
            _number(score.wape) if score else None,
            _number(score.bias) if score else None,
        ]
        text.write("\t".join(_escaped(field) for field in fields) + "\n")
    text.seek(0)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {Forecast._meta.db_table} ({', '.join(_COLUMNS)}) FROM STDIN", text)


def _scores(choice: "Choice") -> dict[str, Any]:
    """What the backtest said of every candidate; NaN (nothing sold in the held-out windows) is stored as null."""
    return {
        "candidates": {
            name: {
                "pinball": _number(score.pinball),
                "rmsse": _number(score.rmsse),
                "wape": _number(score.wape),
                "bias": _number(score.bias),
                "coverage": _number(score.coverage),
            }
            for name, score in choice.scores.items()
        },
        "runner_up": choice.runner_up,
        "folds": choice.folds,
        "outliers_capped": choice.outliers_capped,
        "censored_days": choice.censored_periods,
        "notes": list(choice.notes),
    }


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


def _array(values: list[float]) -> str:
    return "{" + ",".join(map(repr, values)) + "}"


def _escaped(field: Any) -> str:
    if field is None:
        return r"\N"
    text = str(field)
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text.replace("\t", " ").replace("\n", r"\n").replace("\r", r"\r")
