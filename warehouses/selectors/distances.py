"""How far apart two warehouses are."""

from warehouses.engine.distance import haversine_km
from warehouses.models import Warehouse


def kilometres_between(first: Warehouse, second: Warehouse) -> float | None:
    """Along the great circle; None where one of the places is not known."""
    points = [
        (float(one.latitude), float(one.longitude))
        for one in (first, second)
        if one.latitude is not None and one.longitude is not None
    ]
    return haversine_km(points[0], points[1]) if len(points) == 2 else None
