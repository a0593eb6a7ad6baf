"""Small exports for the import tests, and what the database says after them. The clock stands at NOW."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from warehouses.models import SalesOrderLine, SalesReturnLine
from warehouses.services.importing import ImportSummary, import_sales

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"


def sales_csv(folder: Path, *lines: str, name: str = "sales.csv", header: str = HEADER) -> Path:
    path = folder / name
    path.write_bytes("".join(f"{line}\n" for line in (header, *lines)).encode())
    return path


def line(
    order: str = "1001",
    sku: str = "85123A",
    quantity: object = 6,
    at: str = "2025-12-01 08:26:00",
    price: object = "2.55",
    customer: str = "17850",
    name: str = "WHITE HEART HOLDER",
) -> str:
    return f"{order},{sku},{name},{quantity},{at},{price},{customer},United Kingdom"


def take(path: Path, **more: Any) -> ImportSummary:
    return import_sales(path, **{"channel_code": "SHOP", "now": NOW, **more})


def order_lines() -> list[tuple[str, str, Decimal, Decimal, Decimal, Decimal]]:
    """(order, SKU, ordered, shipped, cancelled, returned), sorted."""
    return sorted(
        SalesOrderLine.objects.values_list(
            "order__external_id",
            "sku__code",
            "quantity",
            "shipped_quantity",
            "cancelled_quantity",
            "returned_quantity",
        )
    )


def return_lines() -> list[tuple[str, str, Decimal, str, str | None]]:
    """(return, SKU, quantity, kind, order it undoes), sorted."""
    rows = SalesReturnLine.objects.values_list(
        "sales_return__external_id", "sku__code", "quantity", "kind", "order_line__order__external_id"
    )
    return sorted(rows, key=str)


def rows_touched() -> int:
    """Rows of ordinary tables inserted, updated or deleted so far in this transaction, as PostgreSQL counts them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables "
            "WHERE schemaname = 'public'"
        )
        return cursor.fetchone()[0]
