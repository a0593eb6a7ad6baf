"""An experiment is written down, and started: SKUs drawn by lot within segments, everything that was known kept."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Category, Sku
from config.kernel.errors import Conflict, NotFound, ValidationFailed
from config.kernel.transactions import one_transaction
from forecasting.models import Forecast
from forecasting.selectors import last_demand_day, latest_run
from procurement.models import Experiment, ExperimentEvent, ExperimentItem, Policy
from procurement.services.aims import Pair, planned_items, policy_source
from procurement.services.experiments.measures import Fared, fared
from procurement.services.policies import clean_changes
from procurement.services.policy_book import PolicyBook

LEAST_ITEMS = 8
# Without a spread in the days before, the interval is laid out for this share of the metric's mean.
ASSUMED_ERROR = 0.05
# Where shelves empty, SKUs differ so much in fill rate. Full shelves in the days before would lay the guard-rail's
# interval out for a spread that harm itself takes away.
HARMED_SD = 0.3


@one_transaction
def create_experiment(*, actor: Any, now: datetime, changes: Mapping[str, Any], **fields: Any) -> Experiment:
    """Write an experiment down as a draft. Raises ValidationFailed naming each field that is wrong, also for changes
    that a policy does not know, or that leave the champion of the experiment's scope as it is."""
    experiment = Experiment(created_by=actor, **fields)
    cleaned = clean_changes(champion_of(experiment), changes)
    if not cleaned:
        raise ValidationFailed(
            _("The challenger must differ from the champion."),
            items=[{"field": "changes", "message": _("Name at least one field that the challenger has otherwise.")}],
        )
    experiment.changes = cleaned
    try:
        experiment.full_clean()
    except ValidationError as error:
        faults = [{"field": name, "message": " ".join(texts)} for name, texts in error.message_dict.items()]
        raise ValidationFailed(" ".join(error.messages), items=faults) from error
    experiment.save()
    log(experiment, "created", actor=actor, now=now, changes=cleaned)
    return experiment


def champion_of(experiment: Experiment) -> Policy:
    """The policy of the experiment's scope; SKUs may have a narrower one, to which the changes are made as well."""
    parents = dict(Category.objects.values_list("pk", "parent_id"))
    return PolicyBook(Policy.objects.all(), parents).find(0, experiment.category_id, experiment.warehouse_id or 0)


@one_transaction
def start_experiment(experiment_id: int, *, actor: Any, now: datetime) -> Experiment:
    """Draw the arms and begin. The experiment's row is locked; SKUs of other running experiments are left out.

    Raises NotFound, Conflict (not a draft any more), ValidationFailed when too few SKUs would take part.
    """
    experiment = locked(experiment_id)
    if experiment.status != Experiment.Status.DRAFT:
        raise Conflict(_("The experiment was started before."))
    last = last_demand_day()
    if last is None:
        raise ValidationFailed(_("There is no demand yet to measure by."))
    known, busy = candidates(experiment)
    before = fared(
        known, first=last - timedelta(days=experiment.pre_days - 1), until=last, warehouse_id=experiment.warehouse_id
    )
    drawn = drawn_items(experiment, sorted(before), before)
    ExperimentItem.objects.bulk_create(drawn, batch_size=2000)
    experiment.status, experiment.starts_on = Experiment.Status.RUNNING, timezone.localdate(now)
    experiment.save(update_fields=["status", "starts_on"])
    planned = _planned_errors(experiment, drawn, last)
    counts = {arm: sum(item.arm == arm for item in drawn) for arm in ExperimentItem.Arm.values}
    log(experiment, "started", actor=actor, now=now, seed=experiment.seed, left_out=busy, **counts, **planned)
    return experiment


def challenger_changes(sku_ids: Collection[int]) -> Mapping[int | Pair, Mapping[str, Any]]:
    """What the policy has otherwise for the challengers among these SKUs, for plans to go by. One query.

    Keys are SKU ids, or (SKU id, warehouse id) where the experiment is held in one warehouse.
    """
    rows = ExperimentItem.objects.filter(
        is_active=True, arm=ExperimentItem.Arm.CHALLENGER, experiment__status=Experiment.Status.RUNNING
    ).values_list("sku_id", "experiment__warehouse_id", "experiment__changes")
    wanted = set(sku_ids)
    return {
        (sku if warehouse is None else (sku, warehouse)): changes for sku, warehouse, changes in rows if sku in wanted
    }


def register() -> None:
    """Have every plan ask which SKUs try a challenger."""
    policy_source(challenger_changes)


def locked(experiment_id: int) -> Experiment:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("An experiment is locked inside a transaction.")
    row = Experiment.objects.select_for_update(no_key=True).filter(pk=experiment_id).first()
    if row is None:
        raise NotFound(_("There is no such experiment."))
    return row


def log(experiment: Experiment, kind: str, *, actor: Any, now: datetime, **detail: Any) -> None:
    ExperimentEvent.objects.create(experiment=experiment, kind=kind, detail=detail, actor=actor, happened_at=now)


def candidates(experiment: Experiment) -> tuple[list[int], int]:
    """(SKU ids that may take part, how many are busy in another experiment)."""
    bought = {sku for sku, _warehouse in planned_items()}
    rows = Sku.objects.filter(pk__in=bought)
    if experiment.category_id is not None:
        rows = rows.filter(product__category__in=_with_below(experiment.category_id))
    wanted = set(rows.values_list("pk", flat=True))
    busy = set(ExperimentItem.objects.filter(is_active=True, sku__in=wanted).values_list("sku_id", flat=True))
    return sorted(wanted - busy), len(busy)


def _with_below(category_id: int) -> set[int]:
    """The category and all below it; a circle of parents ends where it began."""
    children: dict[int | None, list[int]] = {}
    for pk, parent in Category.objects.values_list("pk", "parent_id"):
        children.setdefault(parent, []).append(pk)
    found: set[int] = set()
    waiting = [category_id]
    while waiting:
        category = waiting.pop()
        if category not in found:
            found.add(category)
            waiting += children.get(category, [])
    return found


def drawn_items(experiment: Experiment, skus: Sequence[int], before: Mapping[int, Fared]) -> list[ExperimentItem]:
    from procurement.engine.experiments import assign, strata_of

    if len(skus) < LEAST_ITEMS:
        words = _("Only %(count)d SKUs could take part; at least %(least)d are needed.")
        raise ValidationFailed(words % {"count": len(skus), "least": LEAST_ITEMS})
    value, demand = _classes(skus)
    strata = strata_of([value.get(sku, "") for sku in skus], [demand.get(sku, "") for sku in skus])
    # By code, which is the same in every copy of the data.
    codes = dict(Sku.objects.filter(pk__in=skus).values_list("pk", "code"))
    drawn = assign([codes[sku] for sku in skus], strata, share=float(experiment.share), seed=experiment.seed)
    if not any(min(count) >= 2 for count in drawn.counts.values()):
        raise ValidationFailed(_("No segment has two SKUs for each arm: take more SKUs, or another share."))
    return [
        ExperimentItem(
            experiment=experiment,
            sku_id=sku,
            arm=drawn.arms[codes[sku]],
            stratum=stratum,
            covariate=before[sku].of(experiment.metric),
        )
        for sku, stratum in zip(skus, strata, strict=True)
    ]


def _classes(skus: Collection[int]) -> tuple[dict[int, str], dict[int, str]]:
    """(value class, demand class) by SKU: those of the warehouse where it sells most."""
    run = latest_run()
    rows = Forecast.objects.filter(run=run, sku__in=skus).order_by("protection_mean")
    found = list(rows.values_list("sku_id", "value_class", "demand_class"))
    return {sku: value for sku, value, _demand in found}, {sku: demand for sku, _value, demand in found}


def _planned_errors(experiment: Experiment, drawn: Sequence[ExperimentItem], last: date) -> dict[str, float]:
    """The standard errors to expect at the planned end, from the days before, halved: the interval is laid out for
    them and they stay as they are, whatever the looks say."""
    half = max(experiment.pre_days // 2, 1)
    skus, place = [item.sku_id for item in drawn], experiment.warehouse_id
    early = fared(
        skus, first=last - timedelta(days=2 * half - 1), until=last - timedelta(days=half), warehouse_id=place
    )
    late = fared(skus, first=last - timedelta(days=half - 1), until=last, warehouse_id=place)
    metric = _expected_error(experiment.metric, drawn, early, late)
    fill = _expected_error(Experiment.Metric.FILL_RATE, drawn, early, late)
    challengers = sum(item.arm == ExperimentItem.Arm.CHALLENGER for item in drawn)
    harmed = HARMED_SD * (1.0 / challengers + 1.0 / (len(drawn) - challengers)) ** 0.5
    return {"planned_error": metric, "planned_fill_error": max(fill, harmed)}


def _expected_error(
    metric: str, drawn: Sequence[ExperimentItem], early: Mapping[int, Fared], late: Mapping[int, Fared]
) -> float:
    from procurement.engine.experiments import compare_arms

    arms = [item.arm == ExperimentItem.Arm.CHALLENGER for item in drawn]
    outcome = [late[item.sku_id].of(metric) for item in drawn]
    known = [early[item.sku_id].of(metric) for item in drawn]
    found = compare_arms(outcome, arms, [item.stratum for item in drawn], known)
    return found.error or ASSUMED_ERROR * (abs(found.champion_mean) or 1.0)
