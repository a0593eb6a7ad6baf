"""What it costs to send a parcel somewhere: the carrier's table where there is one, else the distance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import asin, cos, radians, sin, sqrt

# The mean radius R₁ of the Earth (IUGG).
EARTH_RADIUS_KM = 6371.0088
MONEY = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class RateRow:
    """A line of a carrier's table: to `destination` (a country or a zone), parcels up to `up_to_kg` (None: any weight)
    cost `base` + `per_kg` for every kilogram."""

    destination: str
    up_to_kg: Decimal | None
    base: Decimal
    per_kg: Decimal


@dataclass(frozen=True, slots=True)
class DistanceRate:
    """Where no table knows the destination: `base` + `per_km` × kilometres, and `per_kg` for every kilogram."""

    base: Decimal
    per_km: Decimal
    per_kg: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class ParcelRate:
    """What a parcel costs before and per kilogram (as `sourcing_types.Candidate` asks it), and how that is known:
    `basis` is "table" (with the row's `destination`) or "distance"."""

    parcel_cost: Decimal
    cost_per_kg: Decimal
    basis: str
    destination: str = ""

    def cost(self, weight_kg: Decimal) -> Decimal:
        return (self.parcel_cost + self.cost_per_kg * weight_kg).quantize(MONEY, ROUND_HALF_UP)


def haversine_km(start: tuple[float, float], end: tuple[float, float]) -> float:
    """The great-circle distance in km of two points given as (latitude, longitude) in degrees.

    d = 2R · asin √(sin²(Δφ/2) + cos φ₁ · cos φ₂ · sin²(Δλ/2)). Source: Sinnott (1984), "Virtues of the Haversine".
    The Earth is taken as a sphere: up to 0.5 % off. Worked: Nashville (36.12, −86.67) – Los Angeles (33.94, −118.40)
    → 2 886.4 km (Rosetta Code has 2 887.26 with R = 6 372.8).
    """
    (lat1, lon1), (lat2, lon2) = start, end
    half_lat, half_lon = radians(lat2 - lat1) / 2.0, radians(lon2 - lon1) / 2.0
    chord = sin(half_lat) ** 2 + cos(radians(lat1)) * cos(radians(lat2)) * sin(half_lon) ** 2
    return 2.0 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))


def parcel_rate(
    weight_kg: Decimal,
    *,
    destinations: Sequence[str],
    rows: Iterable[RateRow],
    distance_km: float | None = None,
    distance_rate: DistanceRate | None = None,
) -> ParcelRate | None:
    """How a parcel of this weight is charged; None when neither a table nor a distance knows.

    `destinations` are the names the place goes by, the most specific first: ("DE-BE", "DE", "EU"). The first that has
    a row for the weight decides, with its smallest weight break that holds the parcel; else the distance, where both
    the kilometres and a rate for them are known.
    """
    rows = list(rows)
    for destination in destinations:
        fitting = [
            row
            for row in rows
            if row.destination == destination and (row.up_to_kg is None or weight_kg <= row.up_to_kg)
        ]
        if fitting:
            row = min(fitting, key=lambda row: (row.up_to_kg is None, row.up_to_kg or 0))
            return ParcelRate(row.base, row.per_kg, "table", destination)
    if distance_km is None or distance_rate is None:
        return None
    base = distance_rate.base + distance_rate.per_km * Decimal(repr(distance_km))
    return ParcelRate(base.quantize(MONEY, ROUND_HALF_UP), distance_rate.per_kg, "distance")


def shipping_cost(
    weight_kg: Decimal,
    *,
    destinations: Sequence[str],
    rows: Iterable[RateRow],
    distance_km: float | None = None,
    distance_rate: DistanceRate | None = None,
) -> Decimal | None:
    """What the parcel costs, in money to 4 decimals: `parcel_rate(…).cost(weight_kg)`, None when unknown.

    Worked: 3 kg to DE, rows (DE, ≤ 2 kg, 4.00 + 0), (DE, ≤ 10 kg, 5.00 + 0.50 a kg) → 6.50.
    """
    rate = parcel_rate(
        weight_kg, destinations=destinations, rows=rows, distance_km=distance_km, distance_rate=distance_rate
    )
    return rate.cost(weight_kg) if rate else None
