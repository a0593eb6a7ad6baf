"""Suppliers, their items and prices out of one CSV file, so that a newcomer's plan has somebody to buy from.

Loading the same file twice changes nothing; a row that cannot be used is listed with its reason, the others come in.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from catalog.selectors import sku_ids_by_code
from catalog.services.costs import set_missing_unit_costs
from config.kernel.transactions import one_transaction
from procurement.models import PriceBreak, Supplier, SupplierItem
from procurement.services.supplier_file import ITEM_COLUMNS, SupplierRow, Unusable, lines_of, parsed


@dataclass(frozen=True, slots=True)
class Reject:
    line: int
    reason: str
    row: Mapping[str, str]


@dataclass(slots=True)
class SupplierImport:
    """How every row of the file was counted: rows = items + len(rejects)."""

    rows: int = 0
    suppliers_new: int = 0
    items_new: int = 0
    items_changed: int = 0
    items_same: int = 0
    costs_set: int = 0
    rejects: list[Reject] = field(default_factory=list)


@one_transaction
def import_suppliers(path: Path) -> SupplierImport:
    """Take in a file whose columns are those of `supplier_file`; an empty cell leaves the value as it is.

    One row is one item of one supplier. `price_breaks` is "100:2.10;500:1.95": from this quantity on, this unit cost;
    a filled cell replaces the item's breaks, "none" removes them. An item is preferred unless the SKU has a preferred
    supplier already; `is_preferred` "yes" makes it the preferred one. A SKU whose unit cost is 0 gets that of its
    preferred item, if this is in the company's currency. Raises ValidationFailed when the file is no such
    table.
    """
    summary = SupplierImport()
    lines = list(lines_of(path))
    skus = sku_ids_by_code(cells["sku"] for _line, cells in lines)
    rows: dict[tuple[str, int], SupplierRow] = {}
    for line, cells in lines:
        summary.rows += 1
        try:
            row = parsed(cells, skus)
            if (row.supplier, row.sku_id) in rows:
                raise Unusable(_("this supplier and SKU stand in the file already"))
            rows[row.supplier, row.sku_id] = row
        except Unusable as exc:
            summary.rejects.append(Reject(line, str(exc), cells))
    suppliers = _save_suppliers(rows.values(), summary)
    _save_items(list(rows.values()), suppliers, summary)
    summary.costs_set = _set_costs({row.sku_id for row in rows.values()})
    return summary


def _set_costs(skus: Collection[int]) -> int:
    """A SKU that costs 0 costs what its preferred supplier takes, in the company's currency; how many got a cost."""
    items = SupplierItem.objects.filter(
        sku__in=skus, is_preferred=True, is_active=True, supplier__currency=settings.COMPANY_CURRENCY
    )
    return set_missing_unit_costs(dict(items.values_list("sku_id", "unit_cost")))


def _save_suppliers(rows: Iterable[SupplierRow], summary: SupplierImport) -> dict[str, Supplier]:
    """Code → supplier. What several rows say of one supplier is joined; the later row wins."""
    wanted: dict[str, dict[str, Any]] = {}
    for row in rows:
        wanted.setdefault(row.supplier, {}).update(row.supplier_fields)
    known = {s.code: s for s in Supplier.objects.filter(code__in=wanted).select_for_update(no_key=True)}
    for code, fields in wanted.items():
        if code not in known:
            known[code] = Supplier.objects.create(code=code, **{"name": code, **fields})
            summary.suppliers_new += 1
        elif any(getattr(known[code], name) != value for name, value in fields.items()):
            for name, value in fields.items():
                setattr(known[code], name, value)
            known[code].save(update_fields=list(fields))
    return known


def _save_items(rows: list[SupplierRow], suppliers: Mapping[str, Supplier], summary: SupplierImport) -> None:
    of_these = SupplierItem.objects.filter(supplier__in=list(suppliers.values()))
    known = {(item.supplier_id, item.sku_id): item for item in of_these.prefetch_related("price_breaks")}
    preferred = dict(
        SupplierItem.objects.filter(
            sku__in=[row.sku_id for row in rows], is_preferred=True, is_active=True
        ).values_list("sku_id", "supplier_id")
    )
    new, changed, breaks = [], [], []
    demoted: set[int] = set()
    for row in rows:
        supplier_id = suppliers[row.supplier].pk
        item = known.get((supplier_id, row.sku_id))
        is_new = item is None
        item = item or SupplierItem(supplier_id=supplier_id, sku_id=row.sku_id, is_preferred=False)
        wish = row.item_fields.get("is_preferred")
        holder = preferred.get(row.sku_id)
        takes_it = wish or (wish is None and is_new and holder is None)
        if takes_it and holder != supplier_id:
            demoted.add(row.sku_id)
            preferred[row.sku_id] = supplier_id
        fields = {**row.item_fields, "is_preferred": bool(takes_it or (wish is None and item.is_preferred))}
        is_changed = any(getattr(item, name) != value for name, value in fields.items())
        for name, value in fields.items():
            setattr(item, name, value)
        stored = () if is_new else tuple((b.minimum_quantity, b.unit_cost) for b in item.price_breaks.all())
        has_other_breaks = row.price_breaks is not None and row.price_breaks != stored
        if has_other_breaks:
            breaks.append((item, row.price_breaks or ()))
        if is_new:
            new.append(item)
        elif is_changed or has_other_breaks:
            changed.append(item)
    _settle_preferred([*new, *changed], demoted, preferred)
    SupplierItem.objects.bulk_update(changed, ITEM_COLUMNS, batch_size=500)
    PriceBreak.objects.filter(item__in=[item.pk for item, _pairs in breaks if item.pk]).delete()
    SupplierItem.objects.bulk_create(new, batch_size=1000)
    PriceBreak.objects.bulk_create(
        [
            PriceBreak(item=item, minimum_quantity=minimum, unit_cost=cost)
            for item, pairs in breaks
            for minimum, cost in pairs
        ],
        batch_size=2000,
    )
    summary.items_new, summary.items_changed = len(new), len(changed)
    summary.items_same = len(rows) - len(new) - len(changed)


def _settle_preferred(items: Iterable[SupplierItem], demoted: set[int], preferred: Mapping[int, int]) -> None:
    """The old preferred supplier steps back before the new one comes in: the database lets a SKU have one."""
    SupplierItem.objects.filter(sku__in=demoted, is_preferred=True).update(is_preferred=False)
    for item in items:
        if item.is_preferred and preferred.get(item.sku_id) != item.supplier_id:
            item.is_preferred = False  # a later row of the file took its place
