"""Lots as deliveries name them: found by SKU and code, made where missing, their days checked."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from warehouses.models import Lot

LotName = tuple[int, str]
"""(sku id, lot code)"""


def lots_named(names: Iterable[LotName]) -> dict[LotName, Lot]:
    """The lots there are of these names, in one query."""
    wanted = set(names)
    if not wanted:
        return {}
    rows = Lot.objects.order_by().filter(
        sku__in={sku for sku, _code in wanted}, code__in={code for _sku, code in wanted}
    )
    return {(lot.sku_id, lot.code): lot for lot in rows if (lot.sku_id, lot.code) in wanted}


def make_lots(
    wanted: Mapping[LotName, date | None], *, received_on: date, known: Mapping[LotName, Lot] | None = None
) -> dict[LotName, Lot]:
    """The lots of these names (name → the day it expires, if known), made where missing; an unknown day is noted.

    Made in the order of their names, so that two deliveries which name the same new lots wait for each other and never
    in a circle. A lot keeps the day on which its first units came. `known`: those found before.
    """
    if not wanted:
        return {}
    found = dict(lots_named(wanted) if known is None else known)
    new = [
        Lot(sku_id=sku, code=code, expires_on=wanted[sku, code], received_on=received_on)
        for sku, code in sorted(wanted)
        if (sku, code) not in found
    ]
    if new:
        # A twin's lot of the same name is taken as it is: the update changes nothing, but tells its id.
        made = Lot.objects.bulk_create(
            new, update_conflicts=True, unique_fields=["sku", "code"], update_fields=["code"]
        )
        found |= {(lot.sku_id, lot.code): lot for lot in made}
    for name in sorted(wanted):
        lot = found[name]
        changes: dict[str, Any] = {}
        if lot.expires_on is None and wanted[name] is not None:
            changes["expires_on"] = lot.expires_on = wanted[name]
        if lot.received_on is None:
            changes["received_on"] = lot.received_on = received_on
        if changes:
            Lot.objects.filter(pk=lot.pk).update(**changes)
    return found
