"""Writing a chunk of forecasts: the one place where the engine's floats become rows.

By COPY in PostgreSQL's binary form. All that has one length in every row (keys, numbers, arrays) is laid out by NumPy
at once; only the words and the scores are joined row by row.
"""

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import pack, unpack_from
from typing import TYPE_CHECKING, Any

from django.db import connection

from forecasting.models import Forecast, ForecastRun
from forecasting.services.copying import BINARY_HEADER, BINARY_TRAILER, array_kind, fixed_fields
from forecasting.services.packing import PairBook

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from forecasting.engine import Choice, PanelForecast, Score

_WORDS = ("method", "reason", "fallback", "demand_class", "variability_class", "value_class", "scores", "wape", "bias")
_NUMBERS = (
    "run_id",
    "sku_id",
    "warehouse_id",
    "value_at_stake",
    "protection_days",
    "protection_mean",
    "protection_sd",
    "mean",
    "quantiles",
    "protection_quantiles",
)
_MEASURES = ("pinball", "rmsse", "wape", "bias", "coverage")
_FIELDS = pack(">h", len(_WORDS) + len(_NUMBERS))
_NULL = pack(">i", -1)


@dataclass(frozen=True, slots=True)
class Words:
    """What a row says besides numbers, as the wire has it; `variability` (X, Y or Z) holds whatever the method."""

    method: str
    packed: bytes
    variability: str = ""


def save_forecasts(
    run: ForecastRun,
    book: PairBook,
    result: "PanelForecast",
    known: Mapping[tuple[int, int], Words],
    variability: Sequence[str] = (),
) -> None:
    """One row per pair, in one COPY, in the caller's transaction. `result` follows the order of `book`.

    A pair whose method is that of its `known` words keeps them: reason and scores of the run that chose it.
    `variability` is X, Y or Z of each pair, where it was looked at.
    """
    numbers = _numbers(run, book, result)
    flat, size = memoryview(numbers.tobytes()), numbers.itemsize
    body: list[bytes | memoryview] = [BINARY_HEADER]
    held_out = _held_out(result)
    for row, (pair, choice) in enumerate(zip(book.pairs(), result.choices, strict=True)):
        words = known.get(pair)
        if words is not None and words.method == choice.method:
            packed = words.packed
        else:
            steadiness = words.variability if words is not None else variability[row] if variability else ""
            packed = _words(choice, (str(book.value_classes[row]), steadiness), held_out[row])
        body += (_FIELDS, packed, flat[row * size : (row + 1) * size])
    body.append(BINARY_TRAILER)
    with connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY {Forecast._meta.db_table} ({', '.join(_WORDS + _NUMBERS)}) FROM STDIN (FORMAT binary)",
            io.BytesIO(b"".join(body)),
        )


def note_backtest(run: ForecastRun, result: "PanelForecast") -> None:
    """Origins (days known at each), windows and step of the held-out periods: the same for every chunk, noted once."""
    found = result.backtest
    if found is None or "origins" in run.backtest:
        return
    run.backtest |= {"origins": list(found.origins), "windows": list(found.windows), "step": found.step}
    run.save(update_fields=["backtest"])


def _numbers(run: ForecastRun, book: PairBook, result: "PanelForecast") -> "NDArray[np.void]":
    """(n,) records as the wire wants them: of each field its length in bytes, then its value, big end first."""
    import numpy as np

    from forecasting.engine.hierarchy import to_grid

    if result.protection_mean is None or result.protection_quantiles is None or result.protection_periods is None:
        raise ValueError("the forecast was made without protection intervals")
    n, horizon = result.mean.shape
    levels = result.quantiles.shape[2]
    spread = np.zeros(n) if result.protection_sd is None else result.protection_sd
    columns: dict[str, Any] = {
        "run_id": (">i8", np.full(n, run.pk)),
        "sku_id": (">i8", book.skus),
        "warehouse_id": (">i8", book.warehouses),
        "value_at_stake": (">f8", np.round(result.protection_mean * book.unit_costs, 4)),
        "protection_days": (">i2", result.protection_periods),
        "protection_mean": (">f8", result.protection_mean),
        "protection_sd": (">f8", spread),
        "mean": (array_kind((horizon,), ">f8"), to_grid(result.mean)),
        "quantiles": (array_kind((levels, horizon), ">f4"), np.round(np.swapaxes(result.quantiles, 1, 2), 4)),
        "protection_quantiles": (array_kind((levels,), ">f8"), np.round(result.protection_quantiles, 4)),
    }
    return fixed_fields(columns)


def words_of(run_id: int, book: PairBook) -> dict[tuple[int, int], Words]:
    """What another run said of these pairs, cut out of the wire as it comes."""
    sink = io.BytesIO()
    with connection.cursor() as cursor:
        wanted = cursor.mogrify(
            f"SELECT sku_id, warehouse_id, {', '.join(_WORDS)} FROM {Forecast._meta.db_table} "  # noqa: S608 - constants
            "WHERE run_id = %s AND sku_id = ANY (%s)",
            [run_id, book.skus.tolist()],
        )
        cursor.copy_expert(f"COPY ({wanted.decode()}) TO STDOUT (FORMAT binary)", sink)
    data, at, found = sink.getvalue(), len(BINARY_HEADER), {}
    while (fields := unpack_from(">h", data, at)[0]) > 0:
        _, sku, _, warehouse = unpack_from(">iqiq", data, at + 2)
        at = begin = at + 2 + 24
        said = []
        for _field in range(fields - 2):
            end = at + 4 + max(unpack_from(">i", data, at)[0], 0)
            said.append(slice(at + 4, end))
            at = end
        method, steadiness = (data[said[_WORDS.index(name)]].decode() for name in ("method", "variability_class"))
        found[(sku, warehouse)] = Words(method, data[begin:at], steadiness)
    return found


def _held_out(result: "PanelForecast") -> list[str]:
    """Of each series, per fold and window: what was sold, and of the chosen method mean, median and .95 quantile; null
    where a window was not observed. As JSON; origins and windows stand with the run."""
    import numpy as np

    if result.backtest is None:
        return ["null"] * len(result.choices)
    held_out = np.round(result.backtest.held_out.astype(float), 2).tolist()
    return [str(one).replace(" ", "").replace("nan", "null") for one in held_out]


def _words(choice: "Choice", classes: tuple[str, str], held_out: str) -> bytes:
    """`classes`: A, B or C, and X, Y or Z."""
    score = choice.score
    scores = _scores(choice, held_out).encode()
    return b"".join(
        (
            _text(choice.method),
            _text(choice.reason),
            _text((choice.fallback or "")[:200]),
            _text(choice.demand_class),
            _text(classes[1]),
            _text(classes[0]),
            pack(">iB", len(scores) + 1, 1),
            scores,
            _double(score.wape if score else None),
            _double(score.bias if score else None),
        )
    )


def _text(words: str) -> bytes:
    encoded = words.replace("\0", "").encode()
    return pack(">i", len(encoded)) + encoded


def _double(value: float | None) -> bytes:
    if value is None or not math.isfinite(value):
        return _NULL
    return pack(">id", 8, round(value, 6))


def _scores(choice: "Choice", held_out: str) -> str:
    """JSON of what the backtest said of every candidate; NaN (nothing sold in the held-out windows) is null."""
    rest = {
        "runner_up": choice.runner_up,
        "reason_code": choice.reason_code,
        "reason_numbers": {name: _number(value) for name, value in choice.reason_numbers.items()},
        "folds": choice.folds,
        "outliers_capped": choice.outliers_capped,
        "censored_days": choice.censored_periods,
        "notes": list(choice.notes),
    }
    numbers = [number for name in choice.scores for number in _five(choice.scores, name)]
    candidates = _template(tuple(choice.scores)) % tuple(numbers)
    return f'{{"candidates":{{{candidates}}},"held_out":{held_out},{json.dumps(rest)[1:]}'


@lru_cache(maxsize=100)
def _template(methods: tuple[str, ...]) -> str:
    """A hundred thousand rows have the same few keys: they are written once."""
    measures = ",".join(f'"{measure}":%s' for measure in _MEASURES)
    return ",".join(f"{json.dumps(method)}:{{{measures}}}" for method in methods)


def _five(scores: "Mapping[str, Score]", method: str) -> list[str]:
    """Four digits are more than a backtest knows."""
    score = scores[method]
    return [f"{x:.4g}" if math.isfinite(x := getattr(score, name)) else "null" for name in _MEASURES]


def _number(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None
