"""What a scenario assumes otherwise, checked, and laid over the numbers the engine is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.errors import ValidationFailed
from procurement.models import Policy

if TYPE_CHECKING:
    from procurement.engine.replenishment_types import ReplenishmentInput


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number between two others, or one of some words."""

    label: Any
    least: float = 0.0
    most: float = 0.0
    choices: tuple[str, ...] = ()
    is_whole: bool = False


ASSUMPTIONS: dict[str, Assumption] = {
    "demand_factor": Assumption(gettext_lazy("Demand ×"), 0.01, 100.0),
    "lead_time_factor": Assumption(gettext_lazy("Lead time ×"), 0.0, 20.0),
    "lead_time_sd_factor": Assumption(gettext_lazy("Spread of the lead time ×"), 0.0, 20.0),
    "cost_factor": Assumption(gettext_lazy("Purchase prices ×"), 0.01, 100.0),
    "holding_rate": Assumption(gettext_lazy("Holding cost rate (share a year)"), 0.0, 5.0),
    "target": Assumption(gettext_lazy("Aims at"), choices=("cycle_service_level", "fill_rate")),
    "service_level": Assumption(gettext_lazy("Cycle service level"), 0.5, 0.999),
    "fill_rate": Assumption(gettext_lazy("Fill rate"), 0.5, 0.999),
    "review_days": Assumption(gettext_lazy("Review period (days)"), 1, 365, is_whole=True),
}


def clean_assumptions(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as numbers; left out is what is empty. Raises ValidationFailed naming every fault."""
    cleaned: dict[str, Any] = {}
    faults: list[dict[str, Any]] = []
    for name, value in given.items():
        if value is None or value == "":
            continue
        assumption = ASSUMPTIONS.get(name)
        try:
            cleaned[name] = _read(assumption, value)
        except ValueError as error:
            faults.append({"field": name, "message": str(error)})
    if faults:
        told = "; ".join(f"{fault['field']}: {fault['message']}" for fault in faults)
        raise ValidationFailed(told, items=faults)
    return cleaned


def _read(assumption: Assumption | None, value: Any) -> Any:
    if assumption is None:
        raise ValueError(_("There is no such assumption."))
    if assumption.choices:
        if value not in assumption.choices:
            raise ValueError(_("One of: %(words)s.") % {"words": ", ".join(assumption.choices)})
        return value
    try:
        number = float(str(value).strip())
    except ValueError:
        raise ValueError(_("This is not a number.")) from None
    if not assumption.least <= number <= assumption.most:
        told = {"least": f"{assumption.least:g}", "most": f"{assumption.most:g}"}
        raise ValueError(_("Between %(least)s and %(most)s.") % told)
    if assumption.is_whole and number != int(number):
        raise ValueError(_("This is not a whole number."))
    return int(number) if assumption.is_whole else number


_AIMS = {"target", "service_level", "fill_rate"}


def assumed(item: "ReplenishmentInput", assumptions: Mapping[str, Any]) -> "ReplenishmentInput":
    """The same item under the assumptions; what is there and on order stays as it is.

    A longer interval brings more demand in proportion and more spread by its root: mean 100 ± 20 over 10 days is 200 ±
    28.3 over 20. A scaled demand scales both.
    """
    told = dict(assumptions)
    changed = replace(
        item,
        lead_time_days=item.lead_time_days * told.get("lead_time_factor", 1.0),
        lead_time_sd_days=item.lead_time_sd_days * told.get("lead_time_sd_factor", 1.0),
        review_days=float(told.get("review_days", item.review_days)),
        unit_cost=item.unit_cost * told.get("cost_factor", 1.0),
        price_breaks=tuple((units, cost * told.get("cost_factor", 1.0)) for units, cost in item.price_breaks),
        holding_cost_rate_per_year=told.get("holding_rate", item.holding_cost_rate_per_year),
        service_level=told.get("service_level", item.service_level),
        fill_rate=told.get("fill_rate", item.fill_rate),
        target_kind=_target(item, told),
        shared_fill_rate=None if told.keys() & _AIMS else item.shared_fill_rate,
    )
    longer = changed.protection_days / item.protection_days if item.protection_days > 0 else 1.0
    return _with_demand(changed, item, told.get("demand_factor", 1.0), longer)


def _target(item: "ReplenishmentInput", told: Mapping[str, Any]) -> str:
    """A service given without a word on the aim is the aim."""
    if "target" in told:
        return str(told["target"])
    if "fill_rate" in told and "service_level" not in told:
        return str(Policy.Target.FILL)
    return str(Policy.Target.CYCLE) if "service_level" in told and "fill_rate" not in told else item.target_kind


def _with_demand(
    changed: "ReplenishmentInput", item: "ReplenishmentInput", factor: float, longer: float
) -> "ReplenishmentInput":
    mean, root = item.protection_mean, longer**0.5
    spread: Callable[[float], float] = lambda units: max(factor * (mean * longer + (units - mean) * root), 0.0)  # noqa: E731
    return replace(
        changed,
        mean_daily_demand=item.mean_daily_demand * factor,
        protection_mean=mean * longer * factor,
        protection_sd=item.protection_sd * root * factor,
        protection_quantiles={level: spread(units) for level, units in item.protection_quantiles.items()},
    )
