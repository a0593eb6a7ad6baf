"""The places of a warehouse: those every warehouse needs are made where missing, and the tree's rules are checked."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from config.kernel.transactions import one_transaction
from warehouses.models import Location, StockLevel

_Kind = Location.Kind

# kind → the code of the bin that is made for it.
NEEDED: Mapping[str, str] = {
    _Kind.RECEIVING: "RECEIVING",
    _Kind.PACKING: "PACKING",
    _Kind.RETURNS: "RETURNS",
    _Kind.QUARANTINE: "QUARANTINE",
    _Kind.IN_TRANSIT: "IN-TRANSIT",
}
_DEPTH = {Location.Level.ZONE: 0, Location.Level.AISLE: 1, Location.Level.BIN: 2}


@one_transaction
def ensure_places(warehouse_id: int, *, kinds: Sequence[str] = tuple(NEEDED)) -> dict[str, Location]:
    """kind → an open bin of that kind in the warehouse, made where there is none.

    Two calls that meet make one bin: the second waits at the unique code and finds the first one's.
    """
    found = _bins_of_kinds(warehouse_id, kinds)
    missing = [kind for kind in kinds if kind not in found]
    nth = 1
    while missing:
        # A code that another place has already gets a number: IN-TRANSIT-2.
        suffix = "" if nth == 1 else f"-{nth}"
        rows = [Location(warehouse_id=warehouse_id, code=f"{NEEDED[kind]}{suffix}", kind=kind) for kind in missing]
        Location.objects.bulk_create(rows, ignore_conflicts=True)
        found |= _bins_of_kinds(warehouse_id, missing)
        missing = [kind for kind in missing if kind not in found]
        nth += 1
    return found


def _bins_of_kinds(warehouse_id: int, kinds: Sequence[str]) -> dict[str, Location]:
    bins = Location.objects.filter(
        warehouse=warehouse_id, kind__in=kinds, level=Location.Level.BIN, is_active=True
    ).order_by("-sequence", "-pk")
    return {place.kind: place for place in bins.select_related("warehouse")}


def location_faults(location: Location) -> list[dict[str, Any]]:
    """What is wrong with a location as it is about to be saved; empty when the tree stays a tree.

    A parent is of the same warehouse and stands higher (a zone holds aisles and bins, an aisle holds bins), so there
    are no rings. A place that holds stock stays a bin and stays in its warehouse; one that holds other places keeps its
    warehouse, and a level above theirs.
    """
    faults = []
    parent = location.parent
    if parent is not None:
        if parent.warehouse_id != location.warehouse_id:
            faults.append(_fault("parent", _("%s is in another warehouse.") % parent.code))
        elif _DEPTH[parent.level] >= _DEPTH[location.level]:  # type: ignore[index]
            words = {"parent": parent.get_level_display(), "level": location.get_level_display()}
            faults.append(_fault("parent", _("Nothing lies so: a %(level)s within a %(parent)s.") % words))
    before = Location.objects.filter(pk=location.pk).first() if location.pk else None
    return faults + (_change_faults(before, location) if before else [])


def _change_faults(before: Location, after: Location) -> list[dict[str, Any]]:
    faults = []
    has_moved = before.warehouse_id != after.warehouse_id
    if has_moved and StockLevel.objects.filter(location=before).exists():
        faults.append(_fault("warehouse", _("Stock has lain here; the place stays in its warehouse.")))
    elif has_moved and before.children.exists():
        faults.append(_fault("warehouse", _("Other places lie within it; it stays in its warehouse.")))
    if after.level != Location.Level.BIN and StockLevel.objects.filter(location=before, on_hand__gt=0).exists():
        faults.append(_fault("level", _("Stock lies here; only a bin holds stock.")))
    if any(_DEPTH[child.level] <= _DEPTH[after.level] for child in before.children.all()):  # type: ignore[index]
        faults.append(_fault("level", _("Places lie within it that would not stand below it any more.")))
    is_in_use = before.kind != after.kind and _Kind.IN_TRANSIT in (before.kind, after.kind)
    if is_in_use and StockLevel.objects.filter(location=before, on_hand__gt=0).exists():
        faults.append(_fault("kind", _("What lies here is either in transit or not: empty the place first.")))
    return faults


def _fault(field: str, message: str) -> dict[str, Any]:
    return {"field": field, "message": message}
