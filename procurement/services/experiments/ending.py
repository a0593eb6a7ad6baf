"""An experiment ends, by its own verdict or a planner's word; a challenger that has won may become the policy."""

from copy import copy
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.acting import acting
from config.kernel.errors import Conflict
from config.kernel.transactions import one_transaction
from procurement.models import Experiment, Policy
from procurement.services.experiments.starting import locked, log
from procurement.services.policies import apply_policy_changes
from procurement.services.policy_book import DEFAULT_POLICY


@one_transaction
def stop_experiment(experiment_id: int, *, actor: Any, now: datetime, note: str = "") -> Experiment:
    """Stop a running experiment without a verdict; its SKUs go back to the champion. Raises NotFound, Conflict."""
    experiment = locked(experiment_id)
    if experiment.status != Experiment.Status.RUNNING:
        raise Conflict(_("The experiment is not running."))
    verdict = experiment.verdict
    end(experiment, status=Experiment.Status.STOPPED, verdict=verdict, now=now, actor=actor, reason="asked", note=note)
    return experiment


@one_transaction
def adopt_challenger(experiment_id: int, *, actor: Any, now: datetime) -> Policy:
    """Make the challenger the policy of the experiment's category and warehouse (of all, where it names none).

    The policy of exactly that scope is changed, or made from what held there. Raises NotFound; Conflict unless the
    challenger has won.
    """
    experiment = locked(experiment_id)
    if experiment.verdict != Experiment.Verdict.CHALLENGER:
        raise Conflict(_("Only a challenger that has won can become the policy."))
    if experiment.events.filter(kind="adopted").exists():
        raise Conflict(_("The challenger was adopted before."))
    policy = _policy(experiment, actor)
    change = apply_policy_changes(policy, experiment.changes, actor=actor, now=now)
    log(experiment, "adopted", actor=actor, now=now, policy=policy.pk, policy_name=policy.name, change=change.pk)
    policy.refresh_from_db()
    return policy


def end(
    experiment: Experiment, *, status: str, verdict: str, now: datetime, actor: Any, reason: str, note: str = ""
) -> None:
    """Close a locked experiment and let its SKUs go."""
    experiment.status, experiment.verdict, experiment.ends_on = status, verdict, timezone.localdate(now)
    experiment.save(update_fields=["status", "verdict", "ends_on"])
    experiment.items.filter(is_active=True).update(is_active=False)
    log(experiment, "ended", actor=actor, now=now, verdict=str(verdict), reason=reason, note=note)


def _policy(experiment: Experiment, actor: Any) -> Policy:
    scope = {"category": experiment.category_id, "warehouse": experiment.warehouse_id}
    found = Policy.objects.filter(sku=None, **scope).first()
    if found is not None:
        return found
    wider = Policy.objects.filter(sku=None, category=None, warehouse=None).first() or DEFAULT_POLICY
    made = copy(wider)
    made.pk, made._state.adding = None, True
    made.name = experiment.name
    made.category_id, made.warehouse_id = experiment.category_id, experiment.warehouse_id
    with acting(actor):
        made.save(force_insert=True)
    return made
