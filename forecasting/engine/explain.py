"""The reason in words and in numbers: what was chosen for each series, against which rivals, on which evidence."""

from __future__ import annotations

import numpy as np

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.fallbacks import CONSTANT, METHOD, NONE, UNTESTED, Fallbacks, cleaning_notes
from forecasting.engine.methods import WORDS
from forecasting.engine.predict import Pooled
from forecasting.engine.selection import EXACT, TIE, Losses, Verdict, score_table
from forecasting.engine.types import Choice, Scores

CODES = (
    "better",
    "better_alone_not",
    "exact",
    "no_better",
    "within_noise",
    "own_as_good",
    "clear_win",
    "fallback",
    "carried_on",
)
"""better: loss `gap_percent` below the naive benchmark; better_alone_not: so by the class, not by the series' own few
windows;
exact: the benchmark met every held-out window; no_better: no method was more than 1 % better than the benchmark;
within_noise: better, but not by more than a standard error; own_as_good: the benchmark did as well on the series' own
windows; clear_win: a costly method beat the choice by more than a standard error; fallback: see Choice.fallback;
carried_on: yesterday's method without a new backtest (`advance_panel`)."""


def build_choices(
    names: list[str],
    verdict: Verdict,
    losses: Losses,
    fallbacks: Fallbacks,
    classes: list[str],
    cleaned: Cleaned,
    pooled: Pooled,
) -> list[Choice]:
    """One Choice a series; a fallback's method and sentence replace the backtest's."""
    table, seen = score_table(losses), losses.count > 0
    words = _Words(verdict, losses, pooled)
    noted = cleaning_flags(cleaned)
    choices = []
    for row, name in enumerate(names):
        code = int(fallbacks.code[row])
        tested = code == NONE
        method = METHOD.get(code, name)
        sentence, reason_code, numbers = (
            words.reason(name, row, classes[row]) if tested else (fallback_reason(method, code), "fallback", {})
        )
        choices.append(
            Choice(
                method,
                sentence,
                classes[row],
                Scores(losses.methods, table[row]) if code in (NONE, CONSTANT) and seen[row] else {},
                words.rival(name, row) if tested else None,
                fallbacks.reasons[row],
                cleaning_notes(cleaned, row) if noted[row] else (),
                int(verdict.folds[row]),
                int(cleaned.outliers[row]),
                int(cleaned.censored[row]),
                reason_code,
                numbers,
            )
        )
    return choices


def cleaning_flags(cleaned: Cleaned) -> np.ndarray:
    """(n,) whether cleaning did anything worth a note."""
    counts = (cleaned.gaps, cleaned.infinite, cleaned.huge, cleaned.negatives, cleaned.censored, cleaned.outliers)
    return np.asarray(sum(counts) > 0)


def benchmark_of(pooled: Pooled) -> str:
    """The naive method every other one has to beat."""
    return "seasonal_naive" if pooled.calendar.season > 1 else "naive"


class _Words:
    """Sentences for one chunk; all that is the same for its series is worked out once."""

    def __init__(self, verdict: Verdict, losses: Losses, pooled: Pooled) -> None:
        self.verdict, self.own = verdict, losses.loss()
        self.place = {name: m for m, name in enumerate(verdict.methods)}
        self.benchmark = benchmark_of(pooled)
        self.least = verdict.shrunk.min(axis=1, initial=np.inf)
        self.windows = ", ".join(str(k) for k in pooled.plan.scored)

    def rival(self, name: str, row: int) -> str:
        """The next best; for a method tried afterwards, what it replaced."""
        methods = self.verdict.methods
        return methods[self.verdict.runner_up[row] if name in self.place else self.verdict.chosen[row]]

    def reason(self, name: str, row: int, demand_class: str) -> tuple[str, str, dict[str, float]]:
        """Why this method: a sentence that names the evidence and the distance to the naive benchmark, its code and
        its numbers."""
        folds = int(self.verdict.folds[row])
        if name not in self.place:
            sentence = (
                f"{WORDS.get(name, name)}: beat the panel's choice on this fast, smooth series in the held-out windows "
                "by more than one standard error"
            )
            return sentence, "clear_win", {"folds": folds}
        code, gap = self.verdict_of(name, row)
        words = self.benchmark.replace("_", " ")
        evidence = (
            f"{folds} held-out origins, windows of {self.windows} periods, weighed with all {demand_class} series"
        )
        alone = f"; on this series' own windows {words} did no worse, too few to go by"
        sentence = {
            "exact": f"met every held-out window exactly ({evidence})",
            "own_as_good": f"on its own windows no worse than what the panel favours ({evidence})",
            "within_noise": f"no method was better by more than one standard error ({evidence})",
            "no_better": f"no method was more than 1 % better ({evidence})",
        }.get(code) or (
            f"pinball loss {gap:.0f} % below {words} ({evidence}{alone if code == 'better_alone_not' else ''}); "
            "simplest within 1 % of the best"
        )
        return f"{WORDS[name]}: {sentence}", code, {"folds": folds, "gap_percent": round(gap, 1)}

    def verdict_of(self, name: str, row: int) -> tuple[str, float]:
        """The code and how far the choice lies below the benchmark, in percent of the shrunk loss."""
        shrunk, mine, base = self.verdict.shrunk[row], self.place[name], self.place[self.benchmark]
        gap = (1.0 - shrunk[mine] / shrunk[base]) * 100.0 if shrunk[base] > 0 else 0.0
        if name == self.benchmark and self.own[row, base] <= EXACT:
            return "exact", 0.0
        if name == self.benchmark and self.verdict.noisy[row]:
            return "within_noise", 0.0
        if name == self.benchmark and shrunk[base] > self.least[row] * (1.0 + TIE):
            return "own_as_good", 0.0
        if name == self.benchmark or shrunk[base] <= 0 or shrunk[mine] >= shrunk[base] * (1.0 - TIE):
            return "no_better", float(gap)
        return ("better" if self.own[row, mine] < self.own[row, base] else "better_alone_not"), float(gap)


def fallback_reason(method: str, code: int) -> str:
    """Why no backtest decided."""
    if code == UNTESTED:
        words = WORDS.get(method, method)
        return f"{words}: what the demand class does best with; its own history is too short to hold out a window"
    return {
        "zero": "nothing was ever sold, so nothing is forecast",
        "constant": "every period sold the same quantity, which is carried on",
        "own_mean": "mean of the few periods known, with the spread of comparable series",
        "short_trend": "too short to test, but it rises or falls beyond chance: its trend, fading",
        "new_item": "what earlier launches and like items sold at the same age, drawn towards its own few sales",
    }[method]
