"""Which overrides are in force, and what they do to the days of each series."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Q, QuerySet

from forecasting.models import ForecastOverride, ForecastRun
from forecasting.selectors import Pair
from forecasting.selectors.override_scopes import Match, days_of, matches_of, parents_of, weights_of
from forecasting.selectors.shares import channel_shares

FACTOR, CHANGE, SET = ForecastOverride.Kind.FACTOR, ForecastOverride.Kind.CHANGE, ForecastOverride.Kind.SET


@dataclass(frozen=True, slots=True)
class Segment:
    """Days first … last − 1, counted from as_of + 1: the forecast x becomes max(0, scale × x + shift)."""

    first: int
    last: int
    scale: float
    shift: float
    overrides: tuple[int, ...]


Effect = tuple[Segment, ...]
"""What overrides do to one series, in the order of days; days of no segment stay as they are."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """An override on one series: its days, what it makes of the forecast, and how narrow its scope is."""

    override: int
    channel: int | None
    first: int
    last: int
    scale: float
    shift: float
    rank: tuple[Any, ...]


def overrides_in_force(*, on: date, at: datetime | None = None) -> QuerySet[ForecastOverride]:
    """Those that a plan of this day uses; with `at`, those that were known at that moment."""
    rows = ForecastOverride.objects.filter(expires_on__gt=on)
    if at is None:
        return rows.filter(withdrawn_at=None)
    return rows.filter(Q(withdrawn_at=None) | Q(withdrawn_at__gt=at), created_at__lte=at)


def override_effects(
    run: ForecastRun, *, on: date, at: datetime | None = None, sku_ids: Collection[int] | None = None
) -> dict[Pair, Effect]:
    """(SKU, warehouse) → what the overrides in force do to the run's forecast; pairs they leave alone are not in it.

    FACTOR multiplies. CHANGE and SET are units of their whole scope, shared out like the forecast of their span (evenly
    where that is zero); of a SET whose span is partly over, or beyond the horizon, the share of its days within counts.
    On one day the narrowest scope wins, then the newest: a SKU before a category, a deeper category before its parents,
    a channel or warehouse before all of them. An override of a channel acts on the channel's share alone; what is left
    follows the next in line. At most five queries, whatever their number.
    """
    start = run.as_of + timedelta(days=1)
    rows = overrides_in_force(on=on, at=at).filter(ends_on__gte=start).order_by("pk")
    overrides = {override.pk: override for override in rows}
    if not overrides:
        return {}
    parents = parents_of(overrides.values())
    found = matches_of(run, overrides, parents, sku_ids)
    named = {pk for pk, override in overrides.items() if override.channel_id}
    shares = channel_shares(run, {match.pair for pk in named for match in found.get(pk, ())}) if named else {}
    claims: dict[Pair, list[_Claim]] = defaultdict(list)
    for pk, matches in found.items():
        for pair, claim in _claims(overrides[pk], matches, run, shares, _rank(overrides[pk], parents)):
            claims[pair].append(claim)
    wanted = None if sku_ids is None else set(sku_ids)
    return {
        pair: tuple(_segments(many, shares.get(pair, {})))
        for pair, many in claims.items()
        if wanted is None or pair[0] in wanted
    }


def _rank(override: ForecastOverride, parents: dict[int, int | None]) -> tuple[Any, ...]:
    depth, category, seen = 0, override.category_id, set()
    while category is not None and category not in seen:  # a circle of parents ends where it began
        seen.add(category)
        depth, category = depth + 1, parents.get(category)
    named = (override.warehouse_id is not None) + (override.channel_id is not None)
    return override.sku_id is not None, depth, named, override.created_at, override.pk


def _claims(
    override: ForecastOverride,
    matches: Sequence[Match],
    run: ForecastRun,
    shares: dict[Pair, dict[int, float]],
    rank: tuple[Any, ...],
) -> Iterator[tuple[Pair, _Claim]]:
    channel, value = override.channel_id, float(override.value)
    first, last = days_of(override, run)
    weights = weights_of(matches, shares, channel)
    total, even = (sum(weights.values()) if channel else matches[0].total), 1 / matches[0].series
    span = (override.ends_on - override.starts_on).days + 1
    covered = max(min(last, run.horizon_days) - first, 0)
    for pair, weight in weights.items():
        part = weight / total if total > 0 else even
        if override.kind == FACTOR:
            scale, shift = value, 0.0
        elif override.kind == CHANGE:
            scale, shift = 1.0, value * part
        elif total > 0:
            scale, shift = value * covered / span / total, 0.0
        else:
            scale, shift = 0.0, value / span * even
        yield pair, _Claim(override.pk, channel, first, last, scale, shift, rank)


def _segments(claims: Sequence[_Claim], shares: dict[int, float]) -> Iterator[Segment]:
    edges = sorted({edge for claim in claims for edge in (claim.first, claim.last)})
    for first, last in pairwise(edges):
        acting = [claim for claim in claims if claim.first <= first < claim.last]
        if acting:
            yield _segment(first, last, acting, shares)


def _segment(first: int, last: int, acting: Sequence[_Claim], shares: dict[int, float]) -> Segment:
    """Each channel that is named follows its own best claim; the rest of the demand the best of all channels'."""
    channels = sorted({claim.channel for claim in acting if claim.channel is not None})
    parts: list[tuple[int | None, float]] = [(channel, shares.get(channel, 0.0)) for channel in channels]
    parts.append((None, max(1 - sum(share for _c, share in parts), 0.0)))
    scale = shift = 0.0
    winners = []
    for channel, share in parts:
        able = [claim for claim in acting if claim.channel in (None, channel)]
        if not able:
            scale += share
            continue
        best = max(able, key=lambda claim: claim.rank)
        winners.append(best)
        scale += share * best.scale
        shift += best.shift * (share if best.channel is None else 1.0)
    newest_first = sorted(set(winners), key=lambda claim: claim.rank, reverse=True)
    return Segment(first, last, scale, shift, tuple(claim.override for claim in newest_first))
