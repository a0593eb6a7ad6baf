"""Whoever writes stock past the one writer is refused by the database itself, by whatever road he comes (S13)."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import psycopg2
import pytest
from django.db import DatabaseError, connection, transaction

from tests.cast import NOW, World
from warehouses.models import CostLayer, StockLevel, StockMovement, StockValue

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def as_in_a_transaction_of_ones_own(world: World) -> None:
    """The cast's stock was posted in this test's transaction, where the writer is known until it ends."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SELECT set_config('entrepot.stock_writer', '', true)")


TABLES = {
    StockLevel: ("on_hand", "warehouses_stocklevel", "(sku_id, location_id, on_hand, reserved, status, updated_at)"),
    StockValue: ("value", "warehouses_stockvalue", "(sku_id, warehouse_id, quantity, value)"),
    CostLayer: ("value", "warehouses_costlayer", "(sku_id, warehouse_id, received_at, quantity, remaining, value)"),
    StockMovement: (
        "quantity",
        "warehouses_stockmovement",
        "(kind, sku_id, location_id, quantity, value, reference, reason, idempotency_key, happened_at, recorded_at)",
    ),
}


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))


def insert(table: str, columns: str, values: tuple[Any, ...]) -> None:
    sql(f"INSERT INTO {table} {columns} VALUES ({', '.join(['%s'] * len(values))})", *values)  # noqa: S608


def copy(table: str, columns: str, values: tuple[Any, ...]) -> None:
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} {columns} FROM STDIN", StringIO("\t".join(map(str, values)) + "\n"))


def by_orm_update(model: Any, field: str, table: str) -> None:
    model.objects.all().update(**{field: 12})


def by_save(model: Any, field: str, table: str) -> None:
    row = model.objects.order_by("pk").first()
    setattr(row, field, 12)
    row.save()


def by_bulk_update(model: Any, field: str, table: str) -> None:
    rows = list(model.objects.all())
    for row in rows:
        setattr(row, field, 12)
    model.objects.bulk_update(rows, [field])


def by_sql_update(model: Any, field: str, table: str) -> None:
    sql(f"UPDATE {table} SET {field} = {field} + 1")  # noqa: S608


def by_orm_delete(model: Any, field: str, table: str) -> None:
    model.objects.all()._raw_delete(model.objects.db)


def by_sql_delete(model: Any, field: str, table: str) -> None:
    sql("SET CONSTRAINTS ALL DEFERRED")
    sql(f"DELETE FROM {table}")  # noqa: S608


ROADS = (by_orm_update, by_save, by_bulk_update, by_sql_update, by_orm_delete, by_sql_delete)


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.__name__)
def test_no_figure_is_changed_or_removed_by_any_road(world: World, model: Any, road: Callable[..., None]) -> None:
    field, table, _columns = TABLES[model]
    before = list(model.objects.order_by("pk").values())

    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        road(model, field, table)

    assert refused.value.__cause__.pgcode in {"42501", "P0001"}  # ours, or pgtrigger's own
    assert list(model.objects.order_by("pk").values()) == before
    assert len(before) > 0


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
@pytest.mark.parametrize("way", ["insert", "copy"])
def test_nothing_that_holds_units_or_value_is_added_by_insert_or_copy(world: World, model: Any, way: str) -> None:
    _field, table, columns = TABLES[model]
    values = {
        StockLevel: (world.tea.pk, world.shelf.pk, 5, 0, "available", NOW.isoformat()),
        StockValue: (world.tea.pk, world.main.pk, 5, 5),
        CostLayer: (world.tea.pk, world.main.pk, NOW.isoformat(), 5, 5, 5),
        StockMovement: (
            *("receipt", world.tea.pk, world.shelf.pk, 5, 5, "r", "x", "forged"),
            *(NOW.isoformat(), NOW.isoformat()),
        ),
    }[model]
    before = model.objects.count()

    with pytest.raises((DatabaseError, psycopg2.Error), match="post_movements only"), transaction.atomic():
        (insert if way == "insert" else copy)(table, columns, values)

    assert model.objects.count() == before


def test_the_ledger_is_not_emptied_either(world: World) -> None:
    count = StockMovement.objects.count()

    sql("SELECT set_config('entrepot.truncate_allowed', '', true)")  # the tests' own database allows it

    with pytest.raises(DatabaseError, match="is never emptied"), transaction.atomic():
        sql("TRUNCATE warehouses_stockmovement CASCADE")

    assert StockMovement.objects.count() == count


def test_even_the_one_writer_changes_no_row_of_the_ledger(world: World) -> None:
    sql("SELECT set_config('entrepot.stock_writer', 'on', true)")

    for statement in ("UPDATE warehouses_stockmovement SET quantity = 1", "DELETE FROM warehouses_stockmovement"):
        with pytest.raises(DatabaseError), transaction.atomic():
            sql(statement)


def test_the_writers_name_ends_with_its_transaction(world: World) -> None:
    with transaction.atomic():
        sql("SELECT set_config('entrepot.stock_writer', 'on', true)")
        transaction.set_rollback(True)

    with pytest.raises(DatabaseError), transaction.atomic():
        by_orm_update(StockValue, "value", "")
