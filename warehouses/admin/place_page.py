"""What lies where in a warehouse: its tree of places with totals, on its own page and as a file."""

import csv
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from config.kernel.admin import escaped, panel, render_panel
from warehouses.models import Location, StockLevel, Warehouse
from warehouses.selectors.places import Place, bins_below, stock_tree

VIEW = "warehouses.view_stocklevel"
MOST_ROWS = 300
MOST_LEVELS = 100


@panel("warehouses.warehouse", order=20, permission=VIEW)
def places_panel(request: HttpRequest, warehouse: Warehouse) -> SafeString:
    """All places; of a large warehouse those that hold others, and the rest in the file."""
    tree = stock_tree(warehouse.pk)
    shown = tree if len(tree) <= MOST_ROWS else [place for place in tree if place.below][:MOST_ROWS]
    context = {
        "rows": [_row(place) for place in shown],
        "count": len(tree),
        "is_cut": len(shown) < len(tree),
        "export_url": reverse("admin:warehouses_warehouse_places", args=[warehouse.pk]),
        "levels_url": reverse("admin:warehouses_stocklevel_changelist"),
    }
    return render_panel("admin/house/places.html", request, context)


@panel("warehouses.location", order=10, permission=VIEW)
def contents_panel(request: HttpRequest, location: Location) -> SafeString:
    """What lies in a place, or in the bins below it."""
    levels = StockLevel.objects.filter(location__in=bins_below(location.pk), on_hand__gt=0)
    rows = list(
        levels.select_related("sku", "lot", "location").order_by("sku__code", "location__code")[: MOST_LEVELS + 1]
    )
    for level in rows:
        level.free = level.on_hand - level.reserved  # type: ignore[attr-defined]
    context = {"location": location, "rows": rows[:MOST_LEVELS], "is_cut": len(rows) > MOST_LEVELS, "most": MOST_LEVELS}
    return render_panel("admin/house/place_contents.html", request, context)


def places_export(request: HttpRequest, object_id: str) -> HttpResponse:
    """The whole tree as CSV."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    warehouse = Warehouse.objects.for_actor(request.user).filter(pk=object_id if object_id.isdecimal() else 0).first()
    if warehouse is None:
        raise Http404
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="places-{warehouse.pk}.csv"'
    table = csv.writer(response)
    table.writerow(["warehouse", "within", "code", "level", "kind", "is_active", "units", "skus", "capacity", "fill"])
    for place in stock_tree(warehouse.pk):
        where = place.location
        within = where.parent.code if where.parent_id and where.parent else ""
        cells = [warehouse.code, within, where.code, where.level, where.kind, where.is_active]
        fill = "" if place.fill is None else f"{place.fill:.4f}"
        table.writerow([escaped(cell) for cell in (*cells, place.units, place.sku_count, place.capacity, fill)])
    return response


def _row(place: Place) -> dict[str, Any]:
    fill = place.fill
    return {
        "place": place,
        "location": place.location,
        "indent": place.depth * 1.5,
        "percent": None if fill is None else round(100 * fill),
        "bar": None if fill is None else min(round(100 * fill), 100),
    }
