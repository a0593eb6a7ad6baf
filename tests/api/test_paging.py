"""Lists: every row exactly once, whatever the order, also while rows come and go; filters and orderings are checked."""

from datetime import timedelta
from typing import Any

import pytest

from catalog.models import Sku
from tests.cast import NOW, make_sku, put_stock
from tests.procurement.buying import make_proposal
from warehouses.models import SalesOrder, StockLevel


def walk(client: Any, path: str, link: str = "next", key: str = "id") -> list[Any]:
    """The keys of all rows from page to page, to the last one."""
    seen: list[Any] = []
    address: str | None = path
    for _page in range(100):
        answer = client.get(address)
        assert answer.status_code == 200, answer.content
        seen += [row[key] for row in answer.json()["results"]]
        address = answer.json()[link]
        if address is None:
            return seen
    raise AssertionError("the walk never ends")


def many_skus(world: Any, count: int) -> list[Sku]:
    """SKUs with few different prices, each with stock."""
    skus = [make_sku(f"S{n:02}", unit_price=str(n % 3)) for n in range(count)]
    for n, sku in enumerate(skus):
        put_stock(sku, world.shelf, 1 + n % 2)
    return skus


@pytest.mark.parametrize("ordering", ["", "unit_price", "-unit_price", "code", "-created_at", "unit_price,-code"])
@pytest.mark.parametrize("size", [1, 4, 7])
def test_a_walk_meets_every_row_once_in_order(world: Any, api: Any, ordering: str, size: int) -> None:
    many_skus(world, 11)
    client, path = api(world.viewer), f"/api/v1/skus/?ordering={ordering}&page_size="

    codes = walk(client, f"{path}{size}", key="code")

    assert sorted(codes) == sorted(Sku.objects.values_list("code", flat=True))
    assert codes == walk(client, f"{path}200", key="code")


def test_a_walk_back_gives_the_pages_of_the_walk_there(world: Any, api: Any) -> None:
    many_skus(world, 7)
    client, there = api(world.viewer), []
    answer = client.get("/api/v1/skus/?ordering=unit_price&page_size=3").json()
    while True:
        there.append([row["code"] for row in answer["results"]])
        if answer["next"] is None:
            break
        answer = client.get(answer["next"]).json()
    back = [[row["code"] for row in answer["results"]]]
    while answer["previous"]:
        answer = client.get(answer["previous"]).json()
        back.append([row["code"] for row in answer["results"]])

    assert [len(page) for page in there] == [3, 3, 3, 1]
    assert [sorted(code for page in back for code in page)] == [sorted(code for page in there for code in page)]
    assert back[0] == there[-1]
    assert back[1] == there[-2]


@pytest.mark.parametrize("ordering", ["days_of_cover", "-days_of_cover"])
def test_rows_without_the_value_come_last_and_once(world: Any, api: Any, ordering: str) -> None:
    covers = [3.5, None, 1.25, None, 2.0]
    rows = [make_proposal(world, make_item_of(world, n), 40, days_of_cover=cover) for n, cover in enumerate(covers)]
    client = api(world.viewer)

    ids = walk(client, f"/api/v1/proposals/?ordering={ordering}&page_size=2")

    shown = [covers[[row.pk for row in rows].index(pk)] for pk in ids]
    filled = sorted([3.5, 1.25, 2.0], reverse=ordering.startswith("-"))
    assert shown == [*filled, None, None]


def make_item_of(world: Any, n: int) -> Sku:
    from tests.cast import make_item

    sku = make_sku(f"N{n}")
    make_item(world.northwind, sku)
    return sku


def test_rows_that_come_meanwhile_move_nothing(world: Any, api: Any) -> None:
    many_skus(world, 6)
    client = api(world.viewer)
    first = client.get("/api/v1/skus/?page_size=4").json()

    many = [make_sku(f"NEW{n}") for n in range(5)]
    rest = walk(client, first["next"], key="code")

    assert len(many) == 5
    assert sorted([row["code"] for row in first["results"]] + rest) == sorted(
        Sku.objects.exclude(code__startswith="NEW").values_list("code", flat=True)
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cursor=rubbish", "cursor"),
        ("cursor=W10", "cursor"),
        ("cursor=bnVsbA", "cursor"),
        ("cursor=WyItcGsiLDAsWyJ4Il1d", "cursor"),
        ("cursor=WyItcGsiLDAsW251bGxdXQ", "cursor"),
        ("cursor=%F0%9F%92%A9", "cursor"),
        ("page_size=0", "page_size"),
        ("page_size=-1", "page_size"),
        ("page_size=x", "page_size"),
        ("page_size=" + "9" * 5000, "page_size"),
        ("ordering=sku__code", "ordering"),
        ("ordering=on_hand,-on_hand", "ordering"),
        ("ordering=--on_hand", "ordering"),
        ("ordering=location__warehouse__name", "ordering"),
        ("skus=MUG", "skus"),
        ("sku__code=MUG", "sku__code"),
        ("location__warehouse__name=Leeds", "location__warehouse__name"),
        ("on_hand__gte=many", "on_hand__gte"),
        ("on_hand__gte=1e30", "on_hand__gte"),
        ("on_hand__lte=-1e400", "on_hand__lte"),
        ("on_hand__gte=NaN", "on_hand__gte"),
        ("updated_at__gte=yesterday", "updated_at__gte"),
        ("location_kind=nowhere", "location_kind"),
    ],
)
def test_a_wrong_parameter_is_named_not_ignored(world: Any, api: Any, query: str, field: str) -> None:
    answer = api(world.planner).get(f"/api/v1/stock-levels/?{query}")

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert list(answer.json()["fields"]) == [field]


@pytest.mark.parametrize(
    "query",
    ["sku=%00", "updated_at__gte=0001-01-01T00:00:00%2B14:00", "on_hand__gte=1.23456789", "sku__in=" + "A," * 150],
)
def test_an_odd_value_never_breaks_the_server(world: Any, api: Any, query: str) -> None:
    answer = api(world.planner).get(f"/api/v1/stock-levels/?{query}")

    assert answer.status_code in (200, 400)


def test_a_cursor_of_another_ordering_is_refused(world: Any, api: Any) -> None:
    client = api(world.viewer)
    following = client.get("/api/v1/skus/?page_size=1&ordering=code").json()["next"]

    answer = client.get(following.replace("ordering=code", "ordering=-code"))

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["cursor"])


def test_filters_by_name_and_by_several_names(world: Any, api: Any) -> None:
    client = api(world.viewer)

    def places(query: str) -> list[tuple[str, str]]:
        rows = client.get(f"/api/v1/stock-levels/?{query}").json()["results"]
        return sorted((row["sku"], row["warehouse"]) for row in rows)

    assert places("sku=MUG") == [("MUG", "MAIN"), ("MUG", "NORTH")]
    assert places("sku=MUG&warehouse=NORTH") == [("MUG", "NORTH")]
    assert places("sku__in=LAMP,TEA") == [("LAMP", "MAIN")]
    assert places("on_hand__gte=40&location_kind=storage") == [("MUG", "MAIN"), ("MUG", "NORTH")]
    assert places("sku=NOPE") == []


def test_orders_are_found_by_number_state_and_day(world: Any, api: Any) -> None:
    for n in range(3):
        SalesOrder.objects.create(
            channel=world.web,
            external_id=f"W-{n}",
            status="shipped" if n else "reserved",
            currency="GBP",
            ordered_at=NOW + timedelta(days=n),
        )
    client = api(world.viewer)

    def numbers(query: str) -> list[str]:
        return [row["external_id"] for row in client.get(f"/api/v1/orders/?{query}").json()["results"]]

    assert numbers("external_id=W-1") == ["W-1"]
    assert numbers("status__in=reserved,backordered") == ["W-0"]
    assert numbers("ordered_at__gte=2026-03-03T00:00:00Z&ordering=ordered_at") == ["W-1", "W-2"]
    assert numbers("channel=MARKET") == []


def test_a_level_is_shown_as_it_stands(world: Any, api: Any) -> None:
    row = StockLevel.objects.get(sku=world.lamp)

    answer = api(world.viewer).get(f"/api/v1/stock-levels/{row.pk}/")

    assert answer.json() == {
        "id": row.pk,
        "sku": "LAMP",
        "warehouse": "MAIN",
        "location": "A-01",
        "location_kind": "storage",
        "lot": None,
        "status": "available",
        "on_hand": "20",
        "reserved": "0",
        "updated_at": row.updated_at.isoformat().replace("+00:00", "Z"),
    }
