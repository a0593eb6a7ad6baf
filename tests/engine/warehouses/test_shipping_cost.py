"""What a parcel costs: great-circle distances, weight breaks, and the distance where no table knows."""

from decimal import Decimal

import pytest

from warehouses.engine.distance import DistanceRate, RateRow, haversine_km, parcel_rate, shipping_cost

D = Decimal

ROWS = [
    RateRow("DE", D(10), D(5), D("0.50")),
    RateRow("DE", D(2), D(4), D(0)),
    RateRow("EU", None, D(9), D(1)),
]


def test_nashville_to_los_angeles_is_the_published_distance() -> None:
    nashville, los_angeles = (36.12, -86.67), (33.94, -118.40)

    assert haversine_km(nashville, los_angeles) * 6372.8 / 6371.0088 == pytest.approx(2887.2599506, abs=1e-4)
    assert haversine_km(los_angeles, nashville) == haversine_km(nashville, los_angeles)


def test_the_antipode_is_half_the_circumference_away() -> None:
    assert haversine_km((90.0, 0.0), (-90.0, 0.0)) == pytest.approx(20015.115, abs=1e-3)
    assert haversine_km((12.5, 7.0), (12.5, 7.0)) == 0.0


@pytest.mark.parametrize(
    ("kg", "cost"), [("1", "4"), ("2", "4"), ("2.001", "6.0005"), ("3", "6.5"), ("10", "10"), ("11", "20")]
)
def test_the_smallest_break_that_holds_the_parcel_counts_and_beyond_the_last_the_wider_zone(kg: str, cost: str) -> None:
    assert shipping_cost(D(kg), destinations=("DE", "EU"), rows=ROWS) == D(cost)


def test_the_distance_decides_where_no_table_knows() -> None:
    rate = parcel_rate(
        D(3), destinations=("JP",), rows=ROWS, distance_km=120.5, distance_rate=DistanceRate(D(2), D("0.01"), D("0.1"))
    )

    assert rate is not None
    assert (rate.parcel_cost, rate.cost_per_kg, rate.basis) == (D("3.2050"), D("0.1"), "distance")
    assert rate.cost(D(3)) == D("3.5050")


def test_neither_known_is_unknown() -> None:
    assert shipping_cost(D(3), destinations=("JP",), rows=ROWS) is None
    assert shipping_cost(D(3), destinations=("JP",), rows=ROWS, distance_km=5.0) is None
