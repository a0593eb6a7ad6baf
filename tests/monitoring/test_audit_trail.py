"""Every change of master data leaves an event, by whatever road it comes, and no event is ever changed (S13)."""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Category, Sku, SkuAudit
from config.embedded import binaries
from config.embedded.postgres import clean_environment
from config.kernel.acting import acting
from config.kernel.models import Job, UserAudit
from config.kernel.transactions import one_transaction
from forecasting.tasks import import_sales_task
from monitoring.models import AuditEvent
from monitoring.models.audit import EVENT_MODELS
from monitoring.selectors.audit import changes_of, history_of
from monitoring.services.audit import prune_audit
from procurement.models import SupplierItem
from tests.cast import World, make_sku
from tests.kernel.test_export_admin import enter
from tests.warehouses.test_import_admin import send
from warehouses.models import ChannelQuota


def sql(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        return cursor.fetchall() if cursor.description else None


def database_user() -> str:
    return str(sql("SELECT current_user")[0][0])


def last(row: Any) -> AuditEvent:
    event = AuditEvent.objects.filter(table=row._meta.label_lower, row_id=row.pk).order_by("-pk").first()
    assert event is not None
    return event


def by_save(sku: Sku) -> None:
    sku.name = "New"
    sku.save()


def by_update(sku: Sku) -> None:
    Sku.objects.filter(pk=sku.pk).update(name="New")


def by_bulk_update(sku: Sku) -> None:
    sku.name = "New"
    Sku.objects.bulk_update([sku], ["name"])


def by_upsert(sku: Sku) -> None:
    sku.name = "New"
    Sku.objects.bulk_create([sku], update_conflicts=True, unique_fields=["code"], update_fields=["name"])


def by_raw_sql(sku: Sku) -> None:
    sql("UPDATE catalog_sku SET name = 'New' WHERE id = %s", sku.pk)


ROADS = (by_save, by_update, by_bulk_update, by_upsert, by_raw_sql)


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.__name__)
def test_a_change_is_told_with_who_made_it_and_what_it_was_before(world: World, road: Callable[[Sku], None]) -> None:
    before = world.mug.name

    with acting(world.planner):
        road(world.mug)

    event = last(world.mug)
    assert (event.kind, event.actor, event.database_user) == ("update", world.planner, database_user())
    [change] = changes_of([event])[event.pk]
    assert (change.field, change.before, change.after) == ("name", before, "New")


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.__name__)
def test_without_a_user_the_databases_own_is_told(world: World, road: Callable[[Sku], None]) -> None:
    road(world.mug)

    assert (last(world.mug).actor, last(world.mug).database_user) == (None, database_user())


def test_bulk_create_tells_of_every_row(world: World) -> None:
    with acting(world.planner):
        made = Category.objects.bulk_create(Category(code=f"C{n}", name="C") for n in range(5))

    events = AuditEvent.objects.filter(table="catalog.category", row_id__in=[row.pk for row in made])
    assert {(event.kind, event.actor_id) for event in events} == {("insert", world.planner.pk)}
    assert len(events) == 5


def test_copy_tells_of_every_row(world: World) -> None:
    with acting(world.planner), connection.cursor() as cursor:
        cursor.copy_expert("COPY catalog_category (code, name) FROM STDIN", StringIO("A\tA\nB\tB\n"))

    events = list(AuditEvent.objects.filter(table="catalog.category", actor=world.planner).order_by("pk"))
    assert [(event.kind, event.name, event.actor) for event in events] == [
        ("insert", "A", world.planner),
        ("insert", "B", world.planner),
    ]


def test_a_deleted_row_is_kept_in_its_event(world: World) -> None:
    category = Category.objects.create(code="GONE", name="Gone")

    with acting(world.planner):
        Category.objects.filter(pk=category.pk).delete()

    event = last(category)
    assert (event.kind, event.actor, event.data["name"]) == ("delete", world.planner, "Gone")


def test_a_change_of_nothing_leaves_no_event(world: World) -> None:
    count = AuditEvent.objects.count()

    world.mug.save()
    sql("UPDATE catalog_sku SET name = name")

    assert AuditEvent.objects.count() == count


def test_what_a_transaction_takes_back_leaves_no_event(world: World) -> None:
    count = AuditEvent.objects.count()

    with transaction.atomic(), acting(world.planner):
        by_update(world.mug)
        transaction.set_rollback(True)

    assert AuditEvent.objects.count() == count


def test_all_the_events_of_the_house_stand_in_one_order(world: World) -> None:
    by_update(world.mug)
    SupplierItem.objects.filter(sku=world.mug).update(unit_cost=Decimal("4.10"))

    newest, next_ = AuditEvent.objects.order_by("-pk")[:2]

    assert (newest.table, next_.table) == ("procurement.supplieritem", "catalog.sku")


@pytest.mark.parametrize("verb", ["UPDATE {} SET pgh_label = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", [*{event._meta.db_table for event in EVENT_MODELS.values()}])
def test_no_event_is_changed_removed_or_emptied(world: World, table: str, verb: str) -> None:
    sql("SELECT set_config('entrepot.truncate_allowed', '', true)")  # the tests' own database allows it
    count = sql(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608

    if count or verb.startswith("TRUNCATE"):
        with pytest.raises(DatabaseError), transaction.atomic():
            sql(verb.format(table))

    assert sql(f"SELECT count(*) FROM {table}")[0][0] == count  # noqa: S608


def test_the_view_shows_every_event_table(world: World) -> None:
    shown = str(sql("SELECT pg_get_viewdef('audit_event'::regclass)")[0][0])

    for label, event in EVENT_MODELS.items():
        assert f"'{label}'::text" in shown
        assert f"FROM {event._meta.db_table} event" in shown


def test_of_people_neither_password_nor_sign_in_is_kept(world: World) -> None:
    person = world.viewer

    person.set_password("another one 123")
    person.save(update_fields=["password"])
    person.last_login = world.planner.date_joined
    person.save(update_fields=["last_login"])

    events = list(UserAudit.objects.filter(pgh_obj_id=person.pk).order_by("pgh_id"))
    assert [event.pgh_label for event in events] == ["insert", "password"]
    assert "password" not in AuditEvent.objects.filter(table="auth.user").latest("pk").data


def test_a_role_given_and_taken_is_told_with_the_person(world: World) -> None:
    group = Group.objects.get(name="Planner")

    with acting(world.planner):
        world.viewer.groups.add(group)
        world.viewer.groups.remove(group)

    events = AuditEvent.objects.filter(table="auth.user_groups", row_id=world.viewer.pk).order_by("-pk")[:2]
    assert [(event.kind, event.data["group_id"]) for event in events] == [("delete", group.pk), ("insert", group.pk)]


def test_what_was_sold_of_a_quota_is_no_change_of_it(world: World) -> None:
    quota = ChannelQuota.objects.create(channel=world.web, sku=world.mug, quantity=5)

    ChannelQuota.objects.filter(pk=quota.pk).update(used=2)
    ChannelQuota.objects.filter(pk=quota.pk).update(quantity=9)

    events = history_of("warehouses.channelquota", quota.pk, actor=world.viewer)
    assert [event.kind for event in events] == ["update", "insert"]


def test_the_owner_prunes_what_is_old_but_the_newest_event_of_each_row(world: World) -> None:
    by_update(world.mug)
    by_raw_sql(world.lamp)
    sql("SET CONSTRAINTS ALL IMMEDIATE")

    pruned = prune_audit(before=timezone.now() + timedelta(days=1))

    kept = AuditEvent.objects.filter(table="catalog.sku", row_id__in=[world.mug.pk, world.lamp.pk])
    assert pruned > 0
    assert [event.kind for event in kept] == ["update", "update"]
    with pytest.raises(DatabaseError), transaction.atomic():
        SkuAudit.objects.all().delete()


# --- who acts -------------------------------------------------------------------------------------------------------


def test_the_name_ends_where_the_acting_ends(world: World) -> None:
    with acting(world.planner):
        by_update(world.mug)
        with acting(world.clerk):
            Sku.objects.filter(pk=world.mug.pk).update(name="Clerk's")
        Sku.objects.filter(pk=world.mug.pk).update(name="Planner's")
    Sku.objects.filter(pk=world.mug.pk).update(name="Nobody's")

    events = AuditEvent.objects.filter(table="catalog.sku", row_id=world.mug.pk, kind="update").order_by("pk")
    assert [event.actor for event in events] == [world.planner, world.clerk, world.planner, None]


@pytest.mark.django_db(transaction=True)
def test_every_transaction_that_begins_while_somebody_acts_is_named_and_nothing_stays(world: World) -> None:
    @one_transaction
    def service(name: str) -> None:
        Sku.objects.get(pk=world.mug.pk)
        Sku.objects.filter(pk=world.mug.pk).update(name=name)

    with acting(world.planner):
        service("first")
        service("second")
        Sku.objects.filter(pk=world.mug.pk).update(name="alone")
        Sku.objects.create(code="BORN", product=world.mug.product, name="x")
    by_update(world.mug)

    events = AuditEvent.objects.filter(table="catalog.sku", row_id=world.mug.pk, kind="update").order_by("pk")
    assert [event.actor for event in events] == [world.planner, world.planner, world.planner, None]
    assert last(Sku.objects.get(code="BORN")).actor == world.planner
    assert not sql("SELECT current_setting('entrepot.actor', true)")[0][0]


@pytest.mark.django_db(transaction=True)
def test_psql_leaves_an_event_with_the_databases_user(world: World) -> None:
    told = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    where = {name: str(told[key]) for name, key in names.items() if told.get(key)}
    statement = f"UPDATE catalog_sku SET name = 'By hand' WHERE id = {world.mug.pk}"  # noqa: S608
    environment = {**clean_environment(), **where, "PATH": os.environ["PATH"]}
    subprocess.run(
        [binaries.postgres_bin() / "psql", "-c", statement], env=environment, check=True, capture_output=True
    )

    event = last(world.mug)
    assert (event.kind, event.actor, event.database_user) == ("update", None, database_user())
    assert (event.program, event.data["name"]) == ("psql", "By hand")


def test_the_api_names_its_caller(world: World, api: Any) -> None:
    client = api(world.planner)

    made = client.post("/api/v1/categories/", {"code": "API", "name": "First"})
    changed = client.patch("/api/v1/categories/API/", {"name": "Second"})

    assert (made.status_code, changed.status_code) == (201, 200)
    row = Category.objects.get(code="API")
    events = AuditEvent.objects.filter(table="catalog.category", row_id=row.pk).order_by("pk")
    assert [(event.kind, event.actor) for event in events] == [("insert", world.planner), ("update", world.planner)]


def test_the_admin_names_who_saves(world: World) -> None:
    client = enter(world.planner)
    address = "/admin/catalog/category/add/"

    assert client.post(address, {"code": "ADM", "name": "By hand"}).status_code == 302

    assert last(Category.objects.get(code="ADM")).actor == world.planner


def test_an_import_names_whoever_sent_the_file(world: World, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    send(enter(world.planner), warehouse="NORTH")

    import_sales_task(str(Job.objects.get(kind="import_sales").pk))

    assert last(Sku.objects.get(code="85123A")).actor == world.planner


def test_an_order_pays_nothing_for_the_trail(world: World, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[Any] = []
    monkeypatch.setattr("config.kernel.acting._tell", named.append)
    client = api(world.integration)
    line = {"sku": "MUG", "quantity": "1", "unit_price": "9.00"}
    order = {"channel": "WEB", "external_id": "AUD-1", "ordered_at": "2026-03-02T12:00:00Z", "currency": "GBP"}

    with CaptureQueriesContext(connection) as seen:
        answer = client.post("/api/v1/orders/", order | {"lines": [{"line_number": 1, **line}]})

    assert answer.status_code == 201, answer.content
    assert named == []
    assert [query for query in seen.captured_queries if "entrepot.actor" in query["sql"]] == []


# --- screens --------------------------------------------------------------------------------------------------------


def test_the_page_of_a_row_shows_its_history(world: World) -> None:
    with acting(world.planner):
        Sku.objects.filter(pk=world.mug.pk).update(unit_price=Decimal("9.50"))

    page = enter(world.viewer).get(f"/admin/catalog/sku/{world.mug.pk}/change/").content.decode()

    history = page[page.index('id="history"') :]
    assert world.planner.username in history
    assert "9.5" in history
    assert f"?table=catalog.sku&amp;row_id={world.mug.pk}" in history


def test_the_list_is_filtered_and_exported(world: World) -> None:
    with acting(world.planner):
        by_update(world.mug)
    client, path = enter(world.viewer), "/admin/monitoring/auditevent/"
    asked = f"?table=catalog.sku&row_id={world.mug.pk}&who={world.planner.pk}&kind__exact=update"

    page = client.get(path + asked)
    lines = b"".join(client.get(f"{path}export/{asked}")).decode().splitlines()  # type: ignore[arg-type]

    assert "→ New" in page.content.decode()
    assert len(lines) == 2
    assert f",catalog.sku,{world.mug.pk},update,{world.planner.username}," in lines[1]
    assert json.loads(lines[1].split(",", 8)[8].strip('"').replace('""', '"'))["name"] == "New"


def test_a_page_of_the_list_costs_the_same_whatever_it_holds(world: World) -> None:
    client, path = enter(world.viewer), "/admin/monitoring/auditevent/?kind__exact=update"

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    by_update(world.mug)
    few = count()
    for n in range(10):
        by_update(make_sku(f"A{n}"))

    assert count() == few


def test_changes_of_people_are_for_superusers(world: World) -> None:
    assert AuditEvent.objects.filter(table="auth.user").exists()

    assert not history_of("auth.user", world.viewer.pk, actor=world.planner).exists()
    assert not history_of("catalog.sku", world.mug.pk, actor=world.northwind_user).exists()


def test_neither_clerks_nor_suppliers_read_the_trail(world: World) -> None:
    assert enter(world.clerk).get("/admin/monitoring/auditevent/").status_code == 403
    assert enter(world.northwind_user).get("/admin/monitoring/auditevent/").status_code == 302
