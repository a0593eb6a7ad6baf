"""Experiments in plain words: what a look says, what happened, what a figure is counted in."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from procurement.models import Experiment, ExperimentEvent, ExperimentLook

# What the challenger does beside the champion, by metric and by whether the effect is below zero.
_SENTENCES = {
    (Experiment.Metric.COST, True): gettext_noop(
        "The challenger costs %(value)s a day and SKU less than the champion."
    ),
    (Experiment.Metric.COST, False): gettext_noop(
        "The challenger costs %(value)s a day and SKU more than the champion."
    ),
    (Experiment.Metric.STOCK_VALUE, True): gettext_noop(
        "The challenger holds %(value)s a SKU less in stock than the champion."
    ),
    (Experiment.Metric.STOCK_VALUE, False): gettext_noop(
        "The challenger holds %(value)s a SKU more in stock than the champion."
    ),
    (Experiment.Metric.FILL_RATE, True): gettext_noop(
        "The challenger's fill rate is %(value)s lower than the champion's."
    ),
    (Experiment.Metric.FILL_RATE, False): gettext_noop(
        "The challenger's fill rate is %(value)s higher than the champion's."
    ),
}


def told(metric: str, value: float, *, signed: bool = False) -> str:
    """A figure with its unit: 1.20 EUR, or 1.2 points where it is a difference of fill rates."""
    sign = "+" if signed and value > 0 else ""
    if metric == Experiment.Metric.FILL_RATE:
        return _("%s points") % f"{sign}{number_format(100 * value, 2)}"
    return f"{sign}{number_format(value, 2, force_grouping=True)} {settings.COMPANY_CURRENCY}"


def mean_told(metric: str, value: float) -> str:
    """A mean: of a fill rate in per cent."""
    is_fill = metric == Experiment.Metric.FILL_RATE
    return f"{number_format(100 * value, 1)} %" if is_fill else told(metric, value)


def look_in_words(experiment: Experiment, look: ExperimentLook) -> str:
    """The challenger costs 1.20 EUR a day and SKU less than the champion. Between 0.40 EUR and 2.00 EUR less: sure."""
    metric = experiment.metric
    first = _(_SENTENCES[metric, look.effect < 0]) % {"value": told(metric, abs(look.effect))}  # type: ignore[index]
    if look.low <= 0.0 <= look.high:
        bounds = {"low": told(metric, look.low, signed=True), "high": told(metric, look.high, signed=True)}
        return f"{first} " + _("It may be anything from %(low)s to %(high)s: not sure yet.") % bounds
    least, most = sorted((abs(look.low), abs(look.high)))
    bounds = {"least": told(metric, least), "most": told(metric, most)}
    return f"{first} " + _("Between %(least)s and %(most)s, however often one looks: sure enough to stop.") % bounds


def fill_in_words(experiment: Experiment, look: ExperimentLook) -> str:
    fill = Experiment.Metric.FILL_RATE
    bounds = {
        "effect": told(fill, look.fill_effect, signed=True),
        "low": told(fill, look.fill_low, signed=True),
        "high": told(fill, look.fill_high, signed=True),
        "limit": told(fill, float(experiment.harm_limit)),
    }
    said = _("Fill rate %(effect)s, between %(low)s and %(high)s.") % bounds
    return f"{said} " + _("A sure loss of %(limit)s or more stops the experiment.") % bounds


def reason_in_words(reason: str) -> str:
    words = {
        "asked": _("A planner stopped it."),
        "fill_rate_fell": _("The fill rate surely fell, by more than the limit."),
        "interval_below_zero": _("The whole interval lies below zero."),
        "interval_above_zero": _("The whole interval lies above zero."),
        "no_difference_shown": _("The planned days are over and no difference was shown."),
        "goes_on": _("It goes on."),
    }
    return words.get(reason, reason)


def event_in_words(experiment: Experiment, event: ExperimentEvent) -> dict[str, Any]:
    """{name, detail, event}, as the diary of a page shows it."""
    names = {
        "created": _("Written down"),
        "started": _("Started"),
        "looked": _("Looked at"),
        "ended": _("Ended"),
        "adopted": _("Challenger adopted"),
    }
    tell = _DETAILS.get(event.kind)
    return {
        "name": names.get(event.kind, event.kind),
        "detail": tell(experiment, event.detail) if tell else "",
        "event": event,
    }


def _started(experiment: Experiment, detail: Mapping[str, Any]) -> str:
    words = _("%(challenger)s SKUs try the challenger, %(champion)s keep the champion; drawn with seed %(seed)s.")
    said = words % {name: detail.get(name, 0) for name in ("challenger", "champion", "seed")}
    if left_out := detail.get("left_out"):
        said += " " + _("Left out, being in another experiment: %(count)s.") % {"count": left_out}
    return said


def _looked(experiment: Experiment, detail: Mapping[str, Any]) -> str:
    parts = {name: told(experiment.metric, detail[name], signed=True) for name in ("effect", "low", "high")}
    said = _("%(day)s: effect %(effect)s, between %(low)s and %(high)s.") % {"day": detail["day"], **parts}
    return f"{said} {reason_in_words(detail.get('reason', ''))}"


def _ended(experiment: Experiment, detail: Mapping[str, Any]) -> str:
    verdict = dict(Experiment.Verdict.choices).get(detail.get("verdict", ""), "")
    parts = [str(verdict), reason_in_words(detail.get("reason", "")), detail.get("note", "")]
    return " · ".join(part for part in parts if part)


def _adopted(experiment: Experiment, detail: Mapping[str, Any]) -> str:
    return _("It is the policy “%(name)s” now.") % {"name": detail.get("policy_name", "")}


_DETAILS = {"started": _started, "looked": _looked, "ended": _ended, "adopted": _adopted}
