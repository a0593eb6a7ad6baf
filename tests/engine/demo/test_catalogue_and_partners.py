"""The demo company has the promised size, valid codes and sane prices."""

from datetime import date, timedelta

import pytest

from procurement.demo.catalogue import gtin13
from procurement.demo.events import easter, public_holidays


def test_the_company_has_three_warehouses_three_channels_twelve_suppliers_and_three_hundred_skus(demo):
    sizes = (len(demo.warehouses), len(demo.channels), len(demo.suppliers), len(demo.skus))

    assert sizes == (3, 3, 12, 300)
    assert (len(demo.categories), len(demo.products)) == (12, 104)
    assert demo.end_day - demo.start_day == timedelta(days=730)


def test_the_check_digit_agrees_with_the_published_example():
    assert gtin13("400638133393") == "4006381333931"


def test_every_barcode_is_a_valid_and_unique_gtin_13(demo):
    barcodes = [sku.gtin for sku in demo.skus]

    weighted = [sum(int(d) * (1, 3)[place % 2] for place, d in enumerate(code)) % 10 for code in barcodes]

    assert weighted == [0] * 300
    assert {len(code) for code in barcodes} == {13}
    assert len(set(barcodes)) == 300


def test_sku_codes_and_names_are_unique(demo):
    assert len({sku.code for sku in demo.skus}) == 300
    assert len({product.code for product in demo.products}) == 104
    assert len(set(demo.orders["number"].tolist())) == len(demo.orders)


def test_every_sku_earns_a_margin_and_money_is_whole_pence(demo):
    margins = [1 - sku.unit_cost_pence / (sku.list_price_pence / 1.2) for sku in demo.skus]

    assert all(0.40 < margin < 0.66 for margin in margins)
    assert {type(sku.unit_cost_pence) for sku in demo.skus} == {int}
    assert {type(item.unit_cost_pence) for item in demo.supplier_items} == {int}


def test_every_sku_has_one_preferred_supplier_and_some_have_a_dearer_second_one(demo):
    preferred = {item.sku: item for item in demo.supplier_items if item.is_preferred}
    second = [item for item in demo.supplier_items if not item.is_preferred]

    assert sorted(preferred) == sorted(sku.code for sku in demo.skus)
    assert len(second) == 91
    assert all(item.unit_cost_pence >= preferred[item.sku].unit_cost_pence for item in second)


def test_every_supplier_supplies_something(demo):
    assert {item.supplier for item in demo.supplier_items} == {supplier.code for supplier in demo.suppliers}


def test_minimum_quantities_are_whole_packs_and_larger_orders_are_cheaper(demo):
    items = {(item.supplier, item.sku): item for item in demo.supplier_items}

    assert all(item.minimum_order_quantity % item.pack_size == 0 for item in demo.supplier_items)
    for step in demo.price_breaks:
        item = items[step.supplier, step.sku]
        assert step.minimum_quantity > item.minimum_order_quantity
        assert step.unit_cost_pence <= item.unit_cost_pence


def test_the_shares_of_a_channel_add_up_to_one_hundred_percent(demo):
    shares = {channel.code: 0 for channel in demo.channels}
    for route in demo.routes:
        shares[route.channel] += route.share_percent

    assert shares == {"WEB": 100, "MKT": 100, "WHS": 100}


@pytest.mark.parametrize(
    ("year", "day"), [(2024, date(2024, 3, 31)), (2025, date(2025, 4, 20)), (2026, date(2026, 4, 5))]
)
def test_easter_falls_on_the_published_day(year, day):
    assert easter(year) == day


def test_bank_holidays_of_2022_move_to_the_published_substitute_days():
    english = {event.name: event.starts_on for event in public_holidays(2022) if event.country == "GB"}

    assert english["New Year's Day"] == date(2022, 1, 3)
    assert english["Christmas Day"] == date(2022, 12, 27)
    assert english["Boxing Day"] == date(2022, 12, 26)


def test_promotions_are_already_planned_beyond_the_end_of_the_history(demo):
    planned = [event for event in demo.events if event.kind == "promotion" and event.starts_on > demo.end_day]

    assert len(planned) == 16
