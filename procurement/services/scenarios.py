"""What-if: the plan's decisions made again under other assumptions, beside the plan's own, touching nothing live."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.errors import NotFound, ValidationFailed
from config.kernel.jobs import queue_job, report_progress, send_to_worker
from config.kernel.transactions import one_transaction
from forecasting.models import ForecastRun
from forecasting.selectors import latest_run
from procurement.models import Scenario, ScenarioLine
from procurement.services.aims import Pair
from procurement.services.assumptions import assumed, clean_assumptions
from procurement.services.jobs import Clock, run_job
from procurement.services.planned_inputs import planned_inputs
from procurement.services.trials import categories_below

if TYPE_CHECKING:
    from procurement.engine.replenishment_types import ReplenishmentInput, ReplenishmentResult

KIND = "scenario"
MOST_COMPARED = 4
_BATCH = 2000
_THOUSANDTH = Decimal("0.001")
_SCOPE = ("category", "supplier", "warehouse")


@one_transaction
def queue_scenario(
    *, name: str, assumptions: Mapping[str, Any], actor: Any, note: str = "", scope: Mapping[str, Any] | None = None
) -> Scenario:
    """A scenario of the run in force, with its job, which a worker is woken for on commit.

    Raises ValidationFailed for wrong assumptions (each named) or none, NotFound without a plan to compare with.
    """
    cleaned = clean_assumptions(assumptions)
    if not cleaned:
        raise ValidationFailed(_("Assume at least one thing otherwise than the plan does."))
    run = latest_run()
    if run is None:
        raise NotFound(_("No plan has run yet to compare with."))
    scenario = Scenario.objects.create(
        name=name[:120], note=note, run=run, assumptions=cleaned, created_by=actor, **(scope or {})
    )
    scenario.job = queue_job(KIND, parameters={"scenario": scenario.pk}, actor=actor)
    scenario.save(update_fields=["job"])
    send_to_worker(scenario.job)  # type: ignore[arg-type]
    return scenario


def run_scenario(job_id: UUID, *, clock: Clock) -> dict[str, Any] | None:
    """The job's work. What an earlier try left is removed first; a scenario counts once its result is there."""

    def work() -> dict[str, Any]:
        scenario = Scenario.objects.select_related("run").get(job_id=job_id)
        found = work_out(scenario, job_id, clock)
        return {"scenario": scenario.pk, "series": found["lines"], "refused": len(found["refused"])}

    return run_job(job_id, work, clock=clock)


@dataclass(slots=True)
class Sums:
    """What a plan comes to. Money in the suppliers' currencies as if they were one; `demand` is a year's, for the
    weights of the fill rate."""

    orders: int = 0
    units: float = 0.0
    order_value: float = 0.0
    stock_value: float = 0.0
    demand: float = 0.0
    served: float = 0.0

    def add(self, quantity: float, unit_cost: float, stock_value: float, demand: float, fill_rate: float) -> None:
        self.orders += quantity > 0
        self.units += quantity
        self.order_value += quantity * unit_cost
        self.stock_value += stock_value
        self.demand += demand
        self.served += demand * fill_rate

    def told(self) -> dict[str, Any]:
        return {
            "orders": self.orders,
            "units": round(self.units, 3),
            "order_value": round(self.order_value, 2),
            "expected_stock_value": round(self.stock_value, 2),
            "expected_fill_rate": self.served / self.demand if self.demand > 0 else None,
        }


@dataclass(slots=True)
class _Found:
    plan: Sums = field(default_factory=Sums)
    scenario: Sums = field(default_factory=Sums)
    refused: list[str] = field(default_factory=list)
    lines: int = 0


def work_out(scenario: Scenario, job_id: UUID, clock: Clock) -> dict[str, Any]:
    run = scenario.run
    if run is None:
        raise NotFound(_("The run of this scenario is gone."))
    found = _Found()
    scenario.lines.all().delete()
    try:
        for chunk, done, total in _inputs(scenario, run, clock):
            report_progress(job_id, now=clock(), done=done, total=total, step=_("Deciding under the assumptions"))
            ScenarioLine.objects.bulk_create(_lines(scenario, chunk, found), batch_size=_BATCH)
    except BaseException:
        scenario.lines.all().delete()
        raise
    told = {
        "as_of": run.as_of.isoformat(),
        "currency": settings.COMPANY_CURRENCY,
        "plan": found.plan.told(),
        "scenario": found.scenario.told(),
        "lines": found.lines,
        "refused": found.refused[:50],
    }
    Scenario.objects.filter(pk=scenario.pk).update(result=told)
    return told


def _inputs(
    scenario: Scenario, run: ForecastRun, clock: Clock
) -> Iterator[tuple[dict[Pair, "ReplenishmentInput"], int, int]]:
    """Chunks of what the plan gives the engine, of the scenario's scope, with how far they are."""
    categories = categories_below(scenario.category_id) if scenario.category_id else set()
    for items, inputs, done, total in planned_inputs(run, today=timezone.localdate(clock())):
        yield (
            {
                pair: item
                for pair, item in inputs.items()
                if scenario.supplier_id in (None, items[pair].item.supplier_id)
                and scenario.warehouse_id in (None, pair[1])
                and (not categories or items[pair].item.sku.product.category_id in categories)
            },
            done,
            total,
        )


def _lines(scenario: Scenario, inputs: Mapping[Pair, "ReplenishmentInput"], found: _Found) -> list[ScenarioLine]:
    from procurement.engine.errors import ParameterError
    from procurement.engine.replenishment import plan_item

    lines = []
    for pair, item in inputs.items():
        try:
            told = assumed(item, scenario.assumptions)
            plan, other = plan_item(item), plan_item(told)
            ours, theirs = expected_of(item, plan), expected_of(told, other)
        except ParameterError as error:
            found.refused.append(f"{item.sku_key}: {error}")
            continue
        found.lines += 1
        found.plan.add(plan.order_quantity, plan.unit_cost, ours[0], item.mean_daily_demand * 365.0, ours[1])
        found.scenario.add(other.order_quantity, other.unit_cost, theirs[0], told.mean_daily_demand * 365.0, theirs[1])
        lines.append(
            ScenarioLine(
                scenario=scenario,
                sku_id=pair[0],
                warehouse_id=pair[1],
                plan_quantity=_units(plan.order_quantity),
                quantity=_units(other.order_quantity),
                reorder_point=_units(other.reorder_point),
                order_up_to_level=_units(other.order_up_to_level),
                safety_stock=_units(other.safety_stock),
                order_value=other.order_quantity * other.unit_cost,
                expected_stock_value=theirs[0],
                expected_fill_rate=theirs[1],
            )
        )
    return lines


def expected_of(item: "ReplenishmentInput", result: "ReplenishmentResult") -> tuple[float, float]:
    """(stock value on an average day, fill rate) that the levels bring in the long run.

    Stock ≈ max(SS, 0) + half of what comes between two orders, S − s and the demand of a review: SS 50, s 150, S 745,
    10 a day reviewed daily, at 4 → (50 + 0.5·605)·4 = 1,410.
    """
    cycle = max(result.order_up_to_level - result.reorder_point, 0.0) + item.mean_daily_demand * item.review_days
    stock = max(result.safety_stock, 0.0) + 0.5 * cycle
    served = next((term.value for term in result.explanation if term.code == "expected_fill_rate"), 1.0)
    return stock * item.unit_cost, min(max(served, 0.0), 1.0)


def _units(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(_THOUSANDTH)


def compared(ids: Sequence[int], *, actor: Any) -> list[Scenario]:
    """At most four finished scenarios the actor may see, in the order asked for."""
    rows = Scenario.objects.for_actor(actor).filter(pk__in=ids[:MOST_COMPARED]).exclude(result=None)
    found = rows.select_related("category", "supplier", "warehouse", "run").in_bulk()
    return [found[pk] for pk in dict.fromkeys(ids[:MOST_COMPARED]) if pk in found]
