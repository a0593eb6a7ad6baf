"""The reason in words: what was chosen for each series, against which rivals, on which evidence."""

from __future__ import annotations

from forecasting.engine.cleaning import Cleaned
from forecasting.engine.fallbacks import CONSTANT, METHOD, NONE, UNTESTED, Fallbacks, cleaning_notes
from forecasting.engine.methods import WORDS
from forecasting.engine.predict import Pooled
from forecasting.engine.selection import EXACT, TIE, Losses, Verdict, scores_of
from forecasting.engine.types import Choice


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
    choices = []
    for row, name in enumerate(names):
        code = int(fallbacks.code[row])
        tested = code == NONE
        method = METHOD.get(code, name)
        scores = scores_of(losses, row) if code in (NONE, CONSTANT) else {}
        runner_up = verdict.methods[verdict.runner_up[row]] if tested else None
        if tested and name == "theta":
            runner_up = verdict.methods[verdict.chosen[row]]
        choices.append(
            Choice(
                method=method,
                reason=reason(name, row, verdict, losses, pooled, classes[row])
                if tested
                else fallback_reason(method, code),
                demand_class=classes[row],
                scores=scores,
                runner_up=runner_up,
                fallback=fallbacks.reasons[row],
                notes=cleaning_notes(cleaned, row),
                folds=int(verdict.folds[row]),
                outliers_capped=int(cleaned.outliers[row]),
                censored_periods=int(cleaned.censored[row]),
            )
        )
    return choices


def benchmark_of(pooled: Pooled) -> str:
    """The naive method every other one has to beat."""
    return "seasonal_naive" if pooled.calendar.season > 1 else "naive"


def reason(name: str, row: int, verdict: Verdict, losses: Losses, pooled: Pooled, demand_class: str) -> str:
    """Why this method, in one sentence that names the evidence and the distance to the naive benchmark."""
    if name == "theta":
        return (
            f"{WORDS[name]}: beat the panel's choice on this fast, smooth series in the held-out windows "
            "by more than one standard error"
        )
    benchmark = benchmark_of(pooled)
    words = benchmark.replace("_", " ")
    mine = verdict.shrunk[row, verdict.methods.index(name)]
    base = verdict.shrunk[row, verdict.methods.index(benchmark)]
    windows = ", ".join(str(k) for k in pooled.plan.scored)
    evidence = (
        f"{int(verdict.folds[row])} held-out origins, windows of {windows} periods, "
        f"weighed with all {demand_class} series"
    )
    own = losses.loss()[row]
    own_mine, own_base = own[verdict.methods.index(name)], own[verdict.methods.index(benchmark)]
    if name == benchmark and own_base <= EXACT:
        return f"{WORDS[name]}: met every held-out window exactly ({evidence})"
    if name == benchmark and base > verdict.shrunk[row].min() * (1.0 + TIE):
        return f"{WORDS[name]}: on its own windows no worse than what the panel favours ({evidence})"
    if name == benchmark or base <= 0 or mine >= base * (1.0 - TIE):
        return f"{WORDS[name]}: no method was more than 1 % better ({evidence})"
    gap = (1.0 - mine / base) * 100.0
    alone = "" if own_mine < own_base else f"; on this series' own windows {words} did no worse, too few to go by"
    return f"{WORDS[name]}: pinball loss {gap:.0f} % below {words} ({evidence}{alone}); simplest within 1 % of the best"


def fallback_reason(method: str, code: int) -> str:
    """Why no backtest decided."""
    if code == UNTESTED:
        words = WORDS.get(method, method)
        return f"{words}: what the demand class does best with; its own history is too short to hold out a window"
    return {
        "zero": "nothing was ever sold, so nothing is forecast",
        "constant": "every period sold the same quantity, which is carried on",
        "own_mean": "mean of the few periods known, with the spread of comparable series",
    }[method]
