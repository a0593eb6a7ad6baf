"""Which column is what: the exports of common shops are read without a word, any other with --map."""

import pytest

from config.kernel.errors import ValidationFailed
from warehouses.services.importing.columns import column_positions

UCI = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]


def positions(*header: str, **column_map: str) -> dict[str, int]:
    return column_positions(header, column_map=column_map, where="sales.csv, line 1")


def test_the_uci_columns_are_known() -> None:
    assert positions(*UCI) == {
        "order_id": 0,
        "sku": 1,
        "name": 2,
        "quantity": 3,
        "ordered_at": 4,
        "unit_price": 5,
        "customer": 6,
        "country": 7,
    }


def test_the_parquet_columns_are_known_and_a_sheet_is_a_part_of_the_file() -> None:
    found = positions(
        "invoice",
        "stock_code",
        "description",
        "quantity",
        "invoice_ts",
        "unit_price",
        "customer_id",
        "country",
        "sheet",
    )

    assert (found["ordered_at"], found["unit_price"], found["part"]) == (4, 5, 8)


def test_in_shopifys_export_the_name_is_the_order() -> None:
    found = positions(
        "Name",
        "Email",
        "Financial Status",
        "Created at",
        "Lineitem quantity",
        "Lineitem name",
        "Lineitem price",
        "Lineitem sku",
        "Shipping Country",
        "Cancelled at",
    )

    assert found == {
        "order_id": 0,
        "customer": 1,
        "status": 2,
        "ordered_at": 3,
        "quantity": 4,
        "name": 5,
        "unit_price": 6,
        "sku": 7,
        "country": 8,
        "cancelled_at": 9,
    }


def test_in_amazons_export_the_price_is_that_of_the_line() -> None:
    found = positions(
        "amazon-order-id", "purchase-date", "order-status", "sku", "product-name", "quantity", "item-price"
    )

    assert found["line_total"] == 6
    assert "unit_price" not in found


def test_woocommerce_columns_are_known() -> None:
    found = positions("Order Number", "Order Status", "Order Date", "SKU", "Item Name", "Quantity", "Item Cost")

    assert (found["order_id"], found["sku"], found["unit_price"], found["status"]) == (0, 3, 6, 1)


def test_plain_names_are_known() -> None:
    found = positions("order_id", "sku", "name", "quantity", "unit_price", "ordered_at", "customer", "country")

    assert (found["order_id"], found["name"], found["ordered_at"]) == (0, 2, 5)


def test_a_map_wins_over_what_the_title_says() -> None:
    found = positions(*UCI, "Net price", **{"Net price": "unit_price"})

    assert found["unit_price"] == 8


def test_a_column_mapped_to_one_field_does_not_serve_another() -> None:
    found = positions(*UCI, **{"Description": "customer"})

    assert found["customer"] == 2
    assert "name" not in found


@pytest.mark.parametrize("missing", ["Invoice", "StockCode", "Quantity", "InvoiceDate", "Price"])
def test_a_missing_column_is_named(missing: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        positions(*(title for title in UCI if title != missing))

    assert str(refusal.value).startswith(f"sales.csv, line 1: missing column {missing} (")
    assert "\n" not in str(refusal.value)


def test_a_map_that_names_no_column_is_refused() -> None:
    with pytest.raises(ValidationFailed, match=r"sales.csv, line 1: missing column Nett, which --map names"):
        positions(*UCI, Nett="unit_price")


def test_a_map_that_names_no_field_is_refused() -> None:
    with pytest.raises(ValidationFailed, match=r"there is no such field; the fields are order_id, sku, name"):
        positions(*UCI, Price="prize")
