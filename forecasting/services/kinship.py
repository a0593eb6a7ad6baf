"""Who succeeds whom: relations of SKUs and their launches and ends, as the engine's kinship of a chunk's rows.

A successor's row needs its predecessor's in the same panel, and a predecessor's the successor that takes its demand:
both are read along with the chunk's own pairs, and their forecasts are dropped afterwards.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import F

from catalog.models import Sku
from forecasting.models import ItemRelation
from forecasting.services.packing import History, PairBook

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from forecasting.engine import PanelForecast
    from forecasting.engine.newcomers.kinship import Kinship

Pair = tuple[int, int]
"""(sku id, warehouse id)"""

LIKE_DAYS = 56  # an item on sale for eight weeks has a past of its own
LONGEST_CHAIN = 5  # of the engine


@dataclass(frozen=True, slots=True)
class Link:
    """What a SKU begins with: the past of `other`, of which it is expected to have `share`."""

    other: int
    starts_on: date | None
    ramp_days: int
    share: float
    is_like: bool


@dataclass(frozen=True)
class Family:
    """The rows of a chunk's panel: the `asked` pairs, then those read along.

    predecessor: row → the row whose past it takes over, by `links`. ghosts: rows of an item that another is only like:
    read along even where the chunk has the item, because what it sells after the other's launch is not handed over.
    """

    pairs: tuple[Pair, ...]
    asked: int
    first: date
    days: int
    predecessor: Mapping[int, int]
    links: Mapping[int, Link]
    ghosts: frozenset[int]
    spans: Mapping[int, tuple[date | None, date | None]]

    @property
    def extra(self) -> list[Pair]:
        return list(self.pairs[self.asked :])

    def joined(self, own: History, extra: History) -> History:
        """The chunk's history with that of `extra` below it; a ghost sells nothing from the launch of its row on."""
        import numpy as np

        values = np.concatenate([own.values, extra.values])
        starts = np.concatenate([own.starts, extra.starts])
        for row, old in self.predecessor.items():
            if old in self.ghosts:
                values[old, min(max(self._launch(row, starts), 0), self.days) :] = 0.0
        in_stock = None
        if own.in_stock is not None and extra.in_stock is not None:
            in_stock = np.concatenate([own.in_stock, extra.in_stock])
        return History(values, starts, in_stock)

    def kinship(self, starts: "NDArray[np.int64]") -> "Kinship":
        """`starts` (n,): first column of each row's demand, as in the joined history.

        A relation is left out where the launch lies before the first day, or nothing was sold of the other before it;
        one of likeness also once the item has been on sale for eight weeks.
        """
        import numpy as np

        from forecasting.engine.newcomers.kinship import Kinship

        n = len(self.pairs)
        predecessor, launch, end = (np.full(n, -1, dtype=np.int64) for _ in range(3))
        ramps, share = np.zeros(n, dtype=np.int64), np.ones(n)
        for row, (sku, _warehouse) in enumerate(self.pairs):
            launched, ended = self.spans.get(sku, (None, None))
            if launched is not None and (launched - self.first).days >= self.days <= starts[row]:
                launch[row] = (launched - self.first).days
            if ended is not None:
                end[row] = max((ended - self.first).days + 1, 0)
        for row, old in self.predecessor.items():
            begins, link = self._launch(row, starts), self.links[row]
            is_grown = link.is_like and begins <= self.days - LIKE_DAYS
            if begins > max(int(starts[old]), 0) and not is_grown:
                predecessor[row], launch[row] = old, begins
                ramps[row], share[row] = max(link.ramp_days, int(link.is_like)), link.share
        return Kinship(predecessor, launch, end, ramps=ramps, share=share)

    def _launch(self, row: int, starts: "NDArray[np.int64]") -> int:
        """Column of the first day: the relation's, else the SKU's launch, else its first sale, else tomorrow."""
        launched, _ended = self.spans.get(self.pairs[row][0], (None, None))
        day = self.links[row].starts_on or launched
        return int(starts[row]) if day is None else (day - self.first).days


def family_of(pairs: Sequence[Pair], *, first: date, days: int) -> Family | None:
    """Relations, launches and ends of these pairs on a panel of `days` days from `first`; None where none of them has
    any. Two queries.

    A SKU has one predecessor: of several the one with the latest day, then the largest share; a likeness only without
    one. Relations that run in a circle, or further back than five links, are left out. They hold in every warehouse.
    """
    links = _links()
    heirs: dict[int, list[int]] = defaultdict(list)
    for sku, link in links.items():
        if not link.is_like:
            heirs[link.other].append(sku)
    rows = {pair: row for row, pair in enumerate(pairs)}
    found, waiting = list(pairs), list(pairs)
    while waiting:
        sku, warehouse = waiting.pop()
        own = links.get(sku)
        for other in [*([] if own is None or own.is_like else [own.other]), *heirs[sku]]:
            if (other, warehouse) not in rows:
                rows[other, warehouse] = len(found)
                found.append((other, warehouse))
                waiting.append((other, warehouse))
    predecessor, ghosts = _predecessors(found, len(pairs), rows, links)
    spans = _spans({sku for sku, _warehouse in found})
    if not predecessor and not any(_is_bounded(spans.get(sku), first, days) for sku, _warehouse in pairs):
        return None
    by_row = {row: links[found[row][0]] for row in predecessor}
    return Family(tuple(found), len(pairs), first, days, predecessor, by_row, frozenset(ghosts), spans)


def with_extra(book: PairBook, family: Family) -> PairBook:
    """The chunk's book with the rows read along: what is asked of those is not looked at."""
    import numpy as np

    added = PairBook(
        skus=np.array([sku for sku, _warehouse in family.extra], dtype=np.int64),
        warehouses=np.array([warehouse for _sku, warehouse in family.extra], dtype=np.int64),
        protection_days=np.ones(len(family.extra), dtype=np.int64),
        unit_costs=np.zeros(len(family.extra)),
        value_classes=np.full(len(family.extra), "C", dtype="<U1"),
    )
    columns = {n: np.concatenate([getattr(book, n), getattr(added, n)]) for n in PairBook.__dataclass_fields__}
    return PairBook(**columns)


def asked_only(result: "PanelForecast", asked: int) -> "PanelForecast":
    """The forecast without those of the rows read along."""
    names = ("mean", "quantiles", "window_mean", "window_quantiles", "choices", "ids")
    own = ("protection_periods", "protection_mean", "protection_sd", "protection_quantiles")
    kept = {name: getattr(result, name)[:asked] for name in names}
    kept |= {name: getattr(result, name)[:asked] for name in own if getattr(result, name) is not None}
    found = result.backtest
    return replace(result, **kept, backtest=found and replace(found, held_out=found.held_out[:asked]))


def _links() -> dict[int, Link]:
    """SKU → what it begins with; no chain of successors runs in a circle or is too long for the engine."""
    order = ("sku_id", "-kind", F("starts_on").desc(nulls_last=True), "-share", "pk")  # successor before like
    links: dict[int, Link] = {}
    for one in ItemRelation.objects.order_by(*order):
        is_like = one.kind == ItemRelation.Kind.LIKE
        if one.sku_id not in links:
            links[one.sku_id] = Link(one.other_id, one.starts_on, one.ramp_days, float(one.share), is_like)
    for sku in sorted(links):
        if not links[sku].is_like and _is_endless(sku, links):
            del links[sku]
    return links


def _is_endless(sku: int, links: Mapping[int, Link]) -> bool:
    at = sku
    for _step in range(LONGEST_CHAIN):
        link = links.get(at)
        if link is None or link.is_like:
            return False
        at = link.other
    return at in links and not links[at].is_like


def _predecessors(
    found: list[Pair], asked: int, rows: Mapping[Pair, int], links: Mapping[int, Link]
) -> tuple[dict[int, int], list[int]]:
    """(row → row of its predecessor, rows of ghosts); a ghost is added to `found`."""
    predecessor: dict[int, int] = {}
    ghosts: list[int] = []
    for row, (sku, warehouse) in enumerate(list(found)):
        link = links.get(sku)
        if link is None:
            continue
        if not link.is_like:
            predecessor[row] = rows[link.other, warehouse]
        elif row < asked:
            predecessor[row] = len(found)
            ghosts.append(len(found))
            found.append((link.other, warehouse))
    return predecessor, ghosts


def _spans(skus: set[int]) -> dict[int, tuple[date | None, date | None]]:
    """SKU → (launched, discontinued)."""
    rows = Sku.objects.filter(pk__in=skus).order_by().values_list("pk", "launched_on", "discontinued_on")
    return {pk: (launched, ended) for pk, launched, ended in rows}


def _is_bounded(span: tuple[date | None, date | None] | None, first: date, days: int) -> bool:
    """Whether the SKU is still to be launched, or has an end."""
    launched, ended = span or (None, None)
    return ended is not None or (launched is not None and (launched - first).days >= days)
