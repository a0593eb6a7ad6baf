"""Available to promise: how much of one SKU may be promised now and by a date, when a wanted quantity can be, and why.

Uncommitted supply accumulates over time; a promise for a date may only use what no later commitment needs. So the
promise is the SUFFIX MINIMUM of the cumulative uncommitted supply, never below zero.
"""

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Supply:
    """`quantity` units expected to be usable on `on`; `reference` says from where (a purchase order, a transfer)."""

    on: date
    quantity: Decimal
    reference: Hashable = None


@dataclass(frozen=True, slots=True)
class Commitment:
    """`quantity` units promised and not reserved: open backorders. `due` None: owed now."""

    quantity: Decimal
    due: date | None = None
    reference: Hashable = None


@dataclass(frozen=True, slots=True)
class RingFence:
    """What remains of another channel's quota; it holds through `expires_on` and is free on the day after."""

    quantity: Decimal
    expires_on: date | None = None
    channel: Hashable = None


@dataclass(frozen=True, slots=True)
class SupplyPicture:
    """All that a promise on one SKU depends on, in units. `as_of` is today.

    `usable` is on hand in usable stock; `reserved` is part of it. `buffer` is what this channel must leave,
    `safety_stock` what is held back from everybody. A supply dated today or earlier has not arrived: today's counts
    for the date of today, not for "now"; a late one (before `as_of`) is promised on from `late_supply_on` (today at
    the earliest), or not at all when that is None.
    """

    as_of: date
    usable: Decimal
    reserved: Decimal = ZERO
    buffer: Decimal = ZERO
    safety_stock: Decimal = ZERO
    ring_fences: tuple[RingFence, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    supplies: tuple[Supply, ...] = ()
    late_supply_on: date | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A term of an explanation: the signed `quantity` it adds to the promise, with its date and reference, if any.

    on_hand + · reserved − · buffer − · safety_stock − · ring_fenced − (reference: the channel) · owed − (backorders) ·
    arriving + · kept_for_later − (a later commitment needs it; `on` is its day) · short + (what is owed beyond all
    supply; it lifts the promise to 0) · late 0 (a late supply that is not counted; `on` is the day it was due).
    All of an explanation add up to the promise. A term of zero is left out, on_hand excepted.
    """

    code: str
    quantity: Decimal
    on: date | None = None
    reference: Hashable = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What may be promised. `steps` are (from this date on, units), rising; before the first step it is `now`."""

    picture: SupplyPicture
    now: Decimal
    steps: tuple[tuple[date, Decimal], ...]

    def by(self, on: date) -> Decimal:
        """Units that may be promised for `on`, all that may be promised earlier included."""
        at = bisect_right(self.steps, on, key=lambda step: step[0])
        return self.steps[at - 1][1] if at else self.now

    def earliest(self, quantity: Decimal) -> date | None:
        """The first date for which so many may be promised: `as_of` when they can be now, None when never yet."""
        if quantity <= self.now:
            return self.picture.as_of
        return next((on for on, units in self.steps if units >= quantity), None)

    def explanation(self, on: date | None = None) -> tuple[Fact, ...]:
        """The terms whose sum is `by(on)`, or `now` without a date. See `Fact`."""
        return _explained(self.picture, on)


def available_to_promise(picture: SupplyPicture) -> Promise:
    """Work out the promise now and at every date on which it changes.

    C(d) = usable − reserved − buffer − safety stock − ring fences holding on d − commitments due by d + supplies by d;
    ATP(d) = max(0, min over d' ≥ d of C(d')). C(now) counts no supply. O(n log n) in the dated terms.

    Source: cumulative ATP with look-ahead, e.g. Vollmann et al., Manufacturing Planning and Control, ch. "Demand
    management". Worked: 12 on hand, 9 reserved, buffer 2, 40 arriving on 3 Dec, 25 owed on 10 Dec → 1 now; 16 from
    3 Dec on (41 are there, but 25 of them are owed a week later).
    """
    running, changes = _standing(picture), _changes(picture)
    totals: list[tuple[date, Decimal]] = []
    now = running + sum((change for on, change, is_supply in changes if on <= picture.as_of and not is_supply), ZERO)
    for on, change, _ in changes:
        running += change
        if totals and totals[-1][0] == on:
            totals[-1] = (on, running)
        else:
            totals.append((on, running))
    steps: list[tuple[date, Decimal]] = []
    least: Decimal | None = None
    for on, total in reversed(totals):
        least = total if least is None or total < least else least
        steps.append((on, max(least, ZERO)))
    steps.reverse()
    now = max(now if least is None else min(now, least), ZERO)
    rising: list[tuple[date, Decimal]] = []
    for on, units in steps:
        if units != (rising[-1][1] if rising else now):
            rising.append((on, units))
    return Promise(picture, now, tuple(rising))


def with_promise(
    picture: SupplyPicture, quantity: Decimal, due: date | None, reference: Hashable = None
) -> SupplyPicture:
    """The picture after so many more were promised for `due` (None: owed now)."""
    return replace(picture, commitments=(*picture.commitments, Commitment(quantity, due, reference)))


def _standing(picture: SupplyPicture) -> Decimal:
    """What stands whatever the date: stock less what is held, all ring fences and what is owed now."""
    held = picture.reserved + picture.buffer + picture.safety_stock
    held += sum((fence.quantity for fence in picture.ring_fences if _holds(fence, picture.as_of)), ZERO)
    return picture.usable - held - sum((owed.quantity for owed in picture.commitments if owed.due is None), ZERO)


def _holds(fence: RingFence, on: date) -> bool:
    return fence.expires_on is None or on <= fence.expires_on


def _arrival(supply: Supply, picture: SupplyPicture) -> date | None:
    """The day from which a supply may be counted; None for a late one that nobody dates anew."""
    if supply.on >= picture.as_of:
        return supply.on
    return max(picture.late_supply_on, picture.as_of) if picture.late_supply_on else None


def _due(commitment: Commitment, picture: SupplyPicture) -> date | None:
    """A commitment that is overdue is due today."""
    return max(commitment.due, picture.as_of) if commitment.due else None


def _changes(picture: SupplyPicture) -> list[tuple[date, Decimal, bool]]:
    """(date, change of the cumulative supply, is it an arrival), by date."""
    changes = []
    for supply in picture.supplies:
        arrival = _arrival(supply, picture)
        if arrival is not None:
            changes.append((arrival, supply.quantity, True))
    for owed in picture.commitments:
        due = _due(owed, picture)
        if due is not None:
            changes.append((due, -owed.quantity, False))
    for fence in picture.ring_fences:
        if fence.expires_on is not None and _holds(fence, picture.as_of):
            changes.append((fence.expires_on + timedelta(days=1), fence.quantity, False))
    changes.sort(key=lambda change: change[0])
    return changes


def _explained(picture: SupplyPicture, on: date | None) -> tuple[Fact, ...]:
    day = picture.as_of if on is None else max(on, picture.as_of)
    facts = [Fact("on_hand", picture.usable)]
    held = (("reserved", picture.reserved), ("buffer", picture.buffer), ("safety_stock", picture.safety_stock))
    facts += [Fact(code, -quantity) for code, quantity in held]
    for fence in picture.ring_fences:
        if _holds(fence, day):
            facts.append(Fact("ring_fenced", -fence.quantity, fence.expires_on, fence.channel))
    for owed in sorted(picture.commitments, key=lambda owed: owed.due or date.min):
        due = _due(owed, picture)
        if due is None or due <= day:
            facts.append(Fact("owed", -owed.quantity, owed.due, owed.reference))
    for supply in sorted(picture.supplies, key=lambda supply: supply.on):
        arrival = _arrival(supply, picture)
        if arrival is None:
            facts.append(Fact("late", ZERO, supply.on, supply.reference))
        elif on is not None and arrival <= day:
            facts.append(Fact("arriving", supply.quantity, arrival, supply.reference))
    total = sum((fact.quantity for fact in facts), ZERO)
    promised, tightest = total, None
    running = _standing(picture)
    seen: dict[date, Decimal] = {}
    for changed_on, change, _ in _changes(picture):
        running += change
        seen[changed_on] = running
    for later, cumulative in seen.items():
        if later >= day and cumulative < promised:
            promised, tightest = cumulative, later
    if tightest is not None:
        facts.append(Fact("kept_for_later", promised - total, tightest))
    if promised < 0:
        facts.append(Fact("short", -promised))
    return tuple(fact for fact in facts if fact.quantity or fact.code in ("on_hand", "late"))
