"""What overrides are of: the series in their scope, with the units that a run expects of them over their span."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection

from catalog.models import Category
from forecasting.models import ForecastOverride, ForecastRun
from forecasting.selectors import Pair
from forecasting.selectors.shares import channel_shares


@dataclass(frozen=True, slots=True)
class Match:
    """One series in an override's scope: its units over the span, and what all series of the scope come to."""

    pair: Pair
    units: float
    total: float
    series: int


def expected_units(run: ForecastRun, overrides: Sequence[ForecastOverride]) -> list[tuple[float, int]]:
    """For each override, saved or not: the units the run expects of its scope and span within the horizon, and those
    days. What it is judged by. At most four queries."""
    numbered = dict(enumerate(overrides))
    found = matches_of(run, numbered, parents_of(overrides), None)
    channels = {number for number, override in numbered.items() if override.channel_id}
    shares = channel_shares(run, {m.pair for number in channels for m in found.get(number, ())}) if channels else {}
    expected = []
    for number, override in numbered.items():
        units = sum(weights_of(found.get(number, ()), shares, override.channel_id).values())
        first, last = days_of(override, run)
        expected.append((units, max(min(last, run.horizon_days) - first, 0)))
    return expected


def parents_of(overrides: Iterable[ForecastOverride]) -> dict[int, int | None]:
    if not any(override.category_id for override in overrides):
        return {}
    return dict(Category.objects.values_list("pk", "parent_id"))


def days_of(override: ForecastOverride, run: ForecastRun) -> tuple[int, int]:
    """(first, last) day of its span, counted from as_of + 1; last is the first day after it."""
    start = run.as_of + timedelta(days=1)
    return max((override.starts_on - start).days, 0), (override.ends_on - start).days + 1


def matches_of(
    run: ForecastRun,
    overrides: Mapping[int, ForecastOverride],
    parents: dict[int, int | None],
    sku_ids: Collection[int] | None,
) -> dict[int, list[Match]]:
    """Override → its series: those of the SKUs asked for, and all of them where shares of channels weigh the whole."""
    claims, members = [], []
    for key, o in overrides.items():
        first, last = days_of(o, run)
        is_shared = o.kind != ForecastOverride.Kind.FACTOR
        claims.append(
            (key, o.sku_id, o.warehouse_id, first + 1, last, is_shared, is_shared and o.channel_id is not None)
        )
        members += [(key, below) for below in (_below(o.category_id, parents) if o.category_id else ())]
    names = ("ids", "skus", "warehouses", "firsts", "lasts", "shared", "whole")
    values: dict[str, Any] = dict(zip(names, (list(column) for column in zip(*claims, strict=True)), strict=True))
    values |= {"run": run.pk, "of": [key for key, _c in members], "categories": [c for _key, c in members]}
    values["wanted"] = None if sku_ids is None else list(sku_ids)
    found: dict[int, list[Match]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_MATCHES, values)
        for key, sku, warehouse, units, total, series in cursor.fetchall():
            found[key].append(Match((sku, warehouse), units, total, series))
    return found


def weights_of(
    matches: Sequence[Match], shares: Mapping[Pair, Mapping[int, float]], channel: int | None
) -> dict[Pair, float]:
    """The units of each series that an override is about: of its channel, or all."""
    if channel is None:
        return {match.pair: match.units for match in matches}
    return {match.pair: match.units * shares.get(match.pair, {}).get(channel, 0.0) for match in matches}


def _below(category: int, parents: dict[int, int | None]) -> list[int]:
    children = defaultdict(list)
    for child, parent in parents.items():
        children[parent].append(child)
    found, todo = {category}, [category]
    while todo:
        fresh = [child for child in children[todo.pop()] if child not in found]
        found.update(fresh)
        todo += fresh
    return sorted(found)


_MATCHES = """
WITH claim AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(skus)s::bigint[], %(warehouses)s::bigint[], %(firsts)s::int[],
                         %(lasts)s::int[], %(shared)s::bool[], %(whole)s::bool[])
        AS claim(id, sku_id, warehouse_id, first, last, is_shared, needs_all)
), wanted AS (
    SELECT claim.id, claim.sku_id FROM claim WHERE claim.sku_id IS NOT NULL
    UNION ALL
    SELECT member.id, sku.id
    FROM unnest(%(of)s::bigint[], %(categories)s::bigint[]) AS member(id, category_id)
    JOIN catalog_product product ON product.category_id = member.category_id
    JOIN catalog_sku sku ON sku.product_id = product.id
), matched AS (
    SELECT claim.id, claim.needs_all, f.sku_id, f.warehouse_id,
           (SELECT coalesce(sum(units::float8), 0) FROM unnest(f.mean[claim.first:claim.last]) AS units) AS units
    FROM wanted
    JOIN claim ON claim.id = wanted.id
    JOIN forecasting_forecast f ON f.run_id = %(run)s AND f.sku_id = wanted.sku_id
         AND (claim.warehouse_id IS NULL OR claim.warehouse_id = f.warehouse_id)
    WHERE claim.is_shared OR %(wanted)s::bigint[] IS NULL OR f.sku_id = ANY(%(wanted)s::bigint[])
)
SELECT id, sku_id, warehouse_id, units, total, series
FROM (
    SELECT *, sum(units) OVER (PARTITION BY id) AS total, count(*) OVER (PARTITION BY id) AS series FROM matched
) summed
WHERE needs_all OR %(wanted)s::bigint[] IS NULL OR sku_id = ANY(%(wanted)s::bigint[])
"""
