"""R2: whatever a cart holds (one SKU on several lines, kits that share a part), no unit is promised twice."""

from collections import defaultdict
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import Channel
from config.kernel.errors import InsufficientStock
from tests.cast import World, make_sku, put_stock
from tests.warehouses.selling import make_kit, sell
from warehouses.models import ChannelQuota, StockLevel
from warehouses.selectors.stock import drifting_levels, drifting_lines

pytestmark = pytest.mark.django_db
LINES = st.lists(
    st.tuples(st.sampled_from(["TEA", "GLOW", "SET", "TWIN", "TRIO"]), st.integers(1, 3)), min_size=2, max_size=5
)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lines=LINES,
    tea=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    glows=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    splits=st.booleans(),
    refuses=st.booleans(),
    quota=st.integers(0, 3),
)
def test_no_cart_gets_more_than_there_is(world: World, lines, tea, glows, splits, refuses, quota) -> None:
    with transaction.atomic():
        there = _stock(world, tea, glows, splits=splits, quota=quota)
        try:
            order = sell(*lines, on_short="refuse" if refuses else "backorder")
        except InsufficientStock:
            order = None
        assert refuses or order
        _check(order, lines, there)
        transaction.set_rollback(True)  # the next cart finds an empty house


def _stock(world: World, tea: tuple[int, int], glows: tuple[int, int], *, splits: bool, quota: int) -> dict[str, int]:
    """TEA and GLOW, which the kits share, in two warehouses; units that the web shop may have of each."""
    Channel.objects.filter(code="WEB").update(allows_split=splits)
    glow = make_sku("GLOW")
    for sku, (here, north) in ((world.tea, tea), (glow, glows)):
        for location, units in ((world.shelf, here), (world.north_shelf, north)):
            if units:
                put_stock(sku, location, units)
    make_kit("SET", (world.tea, 1), (glow, 1))
    make_kit("TWIN", (world.tea, 2))
    make_kit("TRIO", (glow, 2), (world.tea, 1))
    if quota:  # of the marketplace, which NORTH alone serves
        ChannelQuota.objects.create(channel=world.market, sku=world.tea, quantity=Decimal(quota))
    return {"TEA": tea[0] + max(tea[1] - quota, 0), "GLOW": sum(glows)}


def _check(order, lines, there: dict[str, int]) -> None:
    held: dict[str, Decimal] = defaultdict(Decimal)
    for level in StockLevel.objects.select_related("sku"):
        assert 0 <= level.reserved <= level.on_hand
        held[level.sku.code] += level.reserved
    assert held["TEA"] <= there["TEA"]
    assert held["GLOW"] <= there["GLOW"]
    assert drifting_levels() == drifting_lines() == []
    assert not ChannelQuota.objects.filter(used__gt=0).exists()
    if order is None:
        assert not any(held.values())
        return
    rows = list(order.lines.order_by("line_number"))
    assert [int(row.quantity) for row in rows[: len(lines)]] == [quantity for _sku, quantity in lines]
    for row in rows:
        assert row.reserved_quantity <= row.quantity
        if row.kit_line_id:
            kit = next(one for one in rows if one.pk == row.kit_line_id)
            assert row.reserved_quantity == kit.reserved_quantity * row.units_per_kit
