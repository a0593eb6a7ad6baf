"""Why a method was chosen, in the reader's language: the engine's code and numbers, or its English sentence."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from forecasting.models import Forecast
from forecasting.words import method_name

REASONS = {
    "better": _(
        "Its loss on %(folds)s held-out origins is %(gap)s %% below the naive method's; the simplest within 1 %% of "
        "the best."
    ),
    "better_alone_not": _(
        "Over all SKUs of its class its loss is %(gap)s %% below the naive method's; this SKU's own %(folds)s held-out "
        "origins are too few to say otherwise."
    ),
    "exact": _("It met every one of the %(folds)s held-out origins exactly."),
    "no_better": _("No method was more than 1 %% better on %(folds)s held-out origins, so the simple one stays."),
    "within_noise": _(
        "No method was better by more than chance on %(folds)s held-out origins, so the simple one stays."
    ),
    "own_as_good": _("On this SKU's own %(folds)s held-out origins it did no worse than what its class favours."),
    "clear_win": _(
        "On this SKU it beat the panel's choice by more than one standard error (%(folds)s held-out origins)."
    ),
}


def reason_words(forecast: Forecast) -> str:
    """`%(gap)s` is the distance to the naive method in percent of the loss. A code without words keeps the sentence."""
    scores: dict[str, Any] = forecast.scores if isinstance(forecast.scores, dict) else {}
    words, numbers = REASONS.get(scores.get("reason_code") or ""), scores.get("reason_numbers") or {}
    if words is None:
        return forecast.reason
    gap = numbers.get("gap_percent")
    return str(words) % {"folds": f"{numbers.get('folds') or 0:g}", "gap": "–" if gap is None else f"{gap:.0f}"}


def runner_up_of(forecast: Forecast) -> str:
    scores = forecast.scores if isinstance(forecast.scores, dict) else {}
    code = scores.get("runner_up")
    return str(method_name(code)) if code else ""
