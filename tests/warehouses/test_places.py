"""The places every warehouse needs, and the tree they stand in."""

import pytest

from tests.cast import World, make_location
from warehouses.models import Location
from warehouses.selectors.places import bins_below, stock_tree
from warehouses.services.places import ensure_places, location_faults

pytestmark = pytest.mark.django_db


def test_missing_places_are_made_once_and_those_there_are_taken(world: World) -> None:
    places = ensure_places(world.main.pk)

    assert places["receiving"] == world.receiving
    assert places["returns"] == world.returns
    assert (places["packing"].code, places["in_transit"].code) == ("PACKING", "IN-TRANSIT")
    assert ensure_places(world.main.pk) == places


def test_a_code_that_is_taken_gets_a_number(world: World) -> None:
    make_location(world.north, "IN-TRANSIT")

    place = ensure_places(world.north.pk, kinds=("in_transit",))["in_transit"]

    assert (place.code, place.kind) == ("IN-TRANSIT-2", "in_transit")


def test_the_bins_below_a_place_are_found_however_deep(world: World) -> None:
    zone = Location.objects.create(warehouse=world.main, code="Z", level="zone")
    aisle = Location.objects.create(warehouse=world.main, code="Z-1", level="aisle", parent=zone)
    deep = Location.objects.create(warehouse=world.main, code="Z-1-1", parent=aisle)
    world.shelf.parent = zone
    world.shelf.save()

    assert bins_below(zone.pk) == sorted([deep.pk, world.shelf.pk])
    assert bins_below(deep.pk) == [deep.pk]
    tree = [(place.location.code, place.depth, place.units) for place in stock_tree(world.main.pk)]
    assert tree[-4:] == [("Z", 0, 120), ("A-01", 1, 120), ("Z-1", 1, 0), ("Z-1-1", 2, 0)]


def test_a_ring_or_a_wrong_level_is_a_fault(world: World) -> None:
    zone = Location.objects.create(warehouse=world.main, code="Z", level="zone")
    aisle = Location.objects.create(warehouse=world.main, code="Z-1", level="aisle", parent=zone)

    zone.parent = aisle
    assert [fault["field"] for fault in location_faults(zone)] == ["parent"]
    zone.parent, zone.level = None, "bin"
    assert [fault["field"] for fault in location_faults(zone)] == ["level"]
    aisle.parent, aisle.level = world.shelf, "bin"
    assert [fault["message"] for fault in location_faults(aisle)] == ["Nothing lies so: a Bin within a Bin."]


def test_a_place_with_stock_stays_in_its_warehouse_and_a_bin(world: World) -> None:
    world.shelf.warehouse, world.shelf.level = world.north, "zone"

    assert [fault["field"] for fault in location_faults(world.shelf)] == ["warehouse", "level"]
