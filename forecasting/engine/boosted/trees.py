"""LightGBM, kept small: seeded, one thread each, several models learnt side by side, stored as text."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forecasting.engine.types import FloatArray

TREES = 100
PAST_TREES = 50
COMMON: dict[str, Any] = {
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "learning_rate": 0.05,
    "num_leaves": 12,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 127,
    "feature_pre_filter": False,
}
MEAN: dict[str, Any] = {
    "objective": "poisson",
    "poisson_max_delta_step": 0.7,
    "num_leaves": 24,
    "min_data_in_leaf": 100,
}


@dataclass
class Booster:
    """A trained model as text: picklable, read when first used."""

    text: str
    _model: Any = field(default=None, repr=False, compare=False)

    def raw(self, table: FloatArray) -> FloatArray:
        """(r,) raw scores: the quantile itself, or the log of a mean."""
        if self._model is None:
            import lightgbm

            self._model = lightgbm.Booster(model_str=self.text)
        return np.asarray(self._model.predict(table, raw_score=True, num_threads=1), dtype=float)

    def __getstate__(self) -> dict[str, Any]:
        return {"text": self.text, "_model": None}


class Task:
    """Cases to learn from; the binned table is made once and serves several models."""

    def __init__(self, table: FloatArray, target: FloatArray, weight: FloatArray) -> None:
        import lightgbm

        self.target, self.weight = target, weight
        settings = {k: COMMON[k] for k in ("max_bin", "verbosity", "num_threads", "force_row_wise")}
        settings["feature_pre_filter"] = False
        self.binned = lightgbm.Dataset(table, target, weight=weight, params=settings, free_raw_data=False).construct()


def train(task: Task, settings: dict[str, Any], seed: int, trees: int) -> Booster:
    """One model. The Poisson mean starts from a correction of none, so that leaves shrink towards the pooled mean."""
    import lightgbm

    if settings["objective"] == "poisson":
        task.binned.set_init_score(np.zeros(len(task.target)))
    rate = COMMON["learning_rate"] * TREES / trees
    return Booster(
        lightgbm.train(
            {**COMMON, "learning_rate": rate, "seed": seed, **settings}, task.binned, trees
        ).model_to_string()
    )


def quantile_settings(level: float) -> dict[str, Any]:
    """Pinball loss at one level; the tail needs larger leaves."""
    return {"objective": "quantile", "alpha": level, "min_data_in_leaf": 300 if level < 0.985 else 500}


def side_by_side(work: Sequence[Callable[[], Booster]], threads: int | None = None) -> list[Booster]:
    """Learn models in threads of their own (LightGBM leaves the interpreter alone); the result does not depend on how
    many."""
    count = threads or min(2, os.cpu_count() or 1)
    with ThreadPoolExecutor(max_workers=count) as pool:
        return [f.result() for f in [pool.submit(w) for w in work]]
