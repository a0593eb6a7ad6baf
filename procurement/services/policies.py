"""Changing a policy: what may be changed, checked as the form checks it, and written down with what it was."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from config.kernel.acting import acting
from config.kernel.errors import NotFound, ValidationFailed
from config.kernel.fields import plain
from config.kernel.transactions import one_transaction
from procurement.models import Policy, PolicyChange
from procurement.services.aims import planned_items
from procurement.services.policy_book import changed_policy

# The fields a challenger may have otherwise; what a policy holds for is not among them.
CHANGEABLE = (
    "target",
    "service_level",
    "fill_rate",
    "shares_target",
    "stockout_cost_share",
    "unmet_demand",
    "model",
    "holding_cost_rate",
    "review_days",
    "maximum_stock",
    "maximum_cover_days",
)

LEAST_SERVICE, MOST_SERVICE = Decimal("0.5"), Decimal("0.999")


def clean_changes(policy: Policy, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `changes` that differ from the policy, as JSON holds them.

    Raises ValidationFailed naming every field that is unknown or wrong, also where only the fields together are.
    """
    if unknown := sorted(set(changes) - set(CHANGEABLE)):
        raise ValidationFailed(
            _("A policy has no such field to change: %(names)s.") % {"names": ", ".join(unknown)},
            items=[{"field": name, "message": _("There is no such field.")} for name in unknown],
        )
    changed, faults = _changed(policy, changes)
    if faults:
        raise ValidationFailed(" ".join(fault["message"] for fault in faults), items=faults)
    return {
        name: stored(getattr(changed, name))
        for name in CHANGEABLE
        if name in changes and getattr(changed, name) != getattr(policy, name)
    }


def _changed(policy: Policy, changes: Mapping[str, Any]) -> tuple[Policy, list[dict[str, Any]]]:
    """The policy with all that can be read, and what is wrong field by field, or in how the fields go together."""
    changed, faults = policy, []
    for name, value in changes.items():
        try:
            changed = changed_policy(changed, {name: None if value == "" else value})
        except ValidationError as error:
            faults.append({"field": name, "message": " ".join(error.messages)})
    others = [f.name for f in Policy._meta.fields if f.name not in CHANGEABLE]
    try:
        changed.clean_fields(exclude=[*others, *(fault["field"] for fault in faults)])
    except ValidationError as error:
        faults += [{"field": name, "message": " ".join(texts)} for name, texts in error.message_dict.items()]
    wrong = {fault["field"] for fault in faults}
    return changed, faults + [fault for fault in _together(changed, changes) if fault["field"] not in wrong]


def _together(changed: Policy, changes: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What the table's constraints would refuse, in words."""
    for name in ("service_level", "fill_rate"):
        share = getattr(changed, name)
        if name in changes and share is not None and not LEAST_SERVICE <= share <= MOST_SERVICE:
            yield {"field": name, "message": _("A service level lies between 0.5 and 0.999.")}
    if changed.target == Policy.Target.COST and not changed.stockout_cost_share:
        yield {"field": "stockout_cost_share", "message": _("The aim of least cost needs the cost of a unit short.")}
    for name in ("holding_cost_rate", "stockout_cost_share", "maximum_stock"):
        if name in changes and (getattr(changed, name) or 0) < 0:
            yield {"field": name, "message": _("It must not be below 0.")}
    for name in ("review_days", "maximum_cover_days"):
        if name in changes and getattr(changed, name) == 0:
            yield {"field": name, "message": _("It is at least a day.")}


def stored(value: Any) -> Any:
    """As JSON holds it: decimals as text without trailing zeros."""
    return plain(value) if isinstance(value, Decimal) else value


def values_of(policy: Policy) -> dict[str, Any]:
    return {name: stored(getattr(policy, name)) for name in CHANGEABLE}


@one_transaction
def apply_policy_changes(policy: Policy, changes: Mapping[str, Any], *, actor: Any, now: datetime) -> PolicyChange:
    """Change the policy and keep what it was, so that the effect can be measured against it later.

    Locks the policy; it is written as the actor's in the audit trail. Raises NotFound, and ValidationFailed for a wrong
    value or when nothing would change.
    """
    locked = Policy.objects.select_for_update().filter(pk=policy.pk).first()
    if locked is None:
        raise NotFound(_("There is no such policy."))
    cleaned = clean_changes(locked, changes)
    if not cleaned:
        raise ValidationFailed(_("Nothing would change: the policy says so already."))
    before = values_of(locked)
    changed = changed_policy(locked, cleaned)
    with acting(actor):
        changed.save(update_fields=list(cleaned))
    record = record_policy_change(changed, before, actor=actor, now=now)
    assert record is not None  # `cleaned` differs  # noqa: S101
    return record


def record_policy_change(
    changed: Policy, before: Mapping[str, Any], *, actor: Any, now: datetime
) -> PolicyChange | None:
    """Write down how a policy that was saved differs from what it was (`values_of`); None where it does not."""
    after = values_of(changed)
    names = [name for name in CHANGEABLE if after[name] != before[name]]
    if not names:
        return None
    return PolicyChange.objects.create(
        policy=changed,
        policy_name=changed.name,
        before={name: before[name] for name in names},
        after={name: after[name] for name in names},
        item_count=count_items(changed, today=now.date()),
        changed_by_id=getattr(actor, "pk", None),
        changed_at=now,
    )


def count_items(policy: Policy, *, today: date) -> int:
    """For how many SKUs and warehouses this is the narrowest policy."""
    return sum(planned.policy.pk == policy.pk for planned in planned_items(today=today).values())
