"""The feed over HTTP: from a cursor on, in order, at least once, and only for people and programs of the company."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring.selectors.events import FeedCursor
from tests.cast import World, make_user
from tests.monitoring.hooks import tell

FEED = "/api/v1/events/"


def pages(client: Any, address: str, **asked: Any) -> Iterator[dict[str, Any]]:
    """The pages up to the present, as an integration reads them."""
    while True:
        page = client.get(address, asked).json()
        yield page
        if not page["has_more"]:
            return
        asked["after"] = page["after"]


def keys(page: dict[str, Any]) -> list[str]:
    return [event["key"] for event in page["results"]]


def test_the_feed_tells_what_happened_in_order(world: World, api: Any) -> None:
    tell("listing:1", channel_id=world.web.pk, available="7")
    tell("order:9", kind="order.shipped")

    page = api(world.integration).get(FEED).json()

    first, second = page["results"]
    assert set(first) == {"id", "sequence", "type", "channel", "key", "timestamp", "data"}
    assert (first["type"], first["channel"], first["key"]) == ("availability.changed", "WEB", "listing:1")
    assert first["data"] == {"available": "7"}
    assert (second["type"], second["channel"], second["data"]) == ("order.shipped", None, {})
    assert second["sequence"] > first["sequence"]
    assert page["has_more"] is False


def test_a_reader_goes_on_where_it_stopped_and_gets_everything_once(world: World, api: Any) -> None:
    tell(*(f"{n:02}" for n in range(25)))
    client = api(world.integration)

    read = list(pages(client, FEED, page_size=10))
    assert [len(page["results"]) for page in read] == [10, 10, 5]
    assert [key for page in read for key in keys(page)] == [f"{n:02}" for n in range(25)]

    after = read[-1]["after"]
    assert keys(client.get(FEED, {"after": after}).json()) == []
    tell("new")
    assert keys(client.get(FEED, {"after": after}).json()) == ["new"]
    assert keys(client.get(FEED, {"after": after}).json()) == ["new"]  # asked again, told again


def test_a_reader_of_a_rare_kind_does_not_read_the_rest_again(world: World, api: Any) -> None:
    tell("rare", kind="order.shipped")
    tell(*(f"{n}" for n in range(20)))
    client = api(world.integration)

    first = client.get(FEED, {"kind": "order.shipped", "page_size": 5}).json()

    assert (keys(first), first["has_more"]) == (["rare"], False)
    assert keys(client.get(FEED, {"after": first["after"]}).json()) == []


def test_kinds_and_channel_choose(world: World, api: Any) -> None:
    tell("a", channel_id=world.web.pk)
    tell("b", channel_id=world.market.pk)
    tell("c", kind="order.shipped", channel_id=world.web.pk)
    client = api(world.integration)

    assert keys(client.get(FEED, {"channel": "WEB"}).json()) == ["a", "c"]
    assert keys(client.get(FEED, {"kind": "order.shipped,price.changed"}).json()) == ["c"]
    assert keys(client.get(FEED, {"channel": "MARKET", "kind": "order.shipped"}).json()) == []


def test_latest_begins_now(world: World, api: Any) -> None:
    tell("before")
    client = api(world.integration)

    page = client.get(FEED, {"after": "latest"}).json()
    tell("after")

    assert page["results"] == []
    assert keys(client.get(FEED, {"after": page["after"]}).json()) == ["after"]


def test_a_cursor_older_than_the_events_are_kept_is_said_to_be_gone(world: World, api: Any) -> None:
    old = FeedCursor(1, timezone.now() - timedelta(days=13, minutes=1)).text()
    good = FeedCursor(1, timezone.now() - timedelta(days=12, hours=23)).text()
    client = api(world.integration)

    response = client.get(FEED, {"after": old})

    assert (response.status_code, response.json()["code"]) == (410, "cursor_expired")
    assert client.get(FEED, {"after": good}).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [{"after": "x"}, {"after": "W10"}, {"after": "WzEsMl0x!"}, {"after": "ü"}, {"after": "WzEsIDFlOTldCg"},
     {"after": "Wy0xLDFd"}, {"page_size": "0"}, {"page_size": "x"}, {"channel": "NONE"}, {"channel": "\x00"},
     {"kind": "a\x00"}, {"kinds": "x"}, {"cursor": "x"}, {"kind": ",".join("abcdefghijklmnopqrstuvwxyz" * 2)}],
)  # fmt: skip
def test_what_makes_no_sense_is_an_error(world: World, api: Any, asked: dict[str, str]) -> None:
    if asked.get("kind", "").count(",") > 40:
        asked = {"kind": ",".join(str(n) for n in range(51))}

    response = api(world.integration).get(FEED, asked)

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_a_supplier_and_a_stranger_read_nothing(world: World, api: Any) -> None:
    tell("a")

    assert api(world.northwind_user).get(FEED).status_code == 403
    assert api(make_user("nobody")).get(FEED).status_code == 403
    assert api().get(FEED).status_code == 401
    assert api(world.clerk).get(FEED).status_code == 403
    assert api(world.viewer).get(FEED).status_code == 200


def test_reading_the_feed_costs_the_same_however_much_is_in_it(
    world: World, api: Any, django_assert_max_num_queries: Any
) -> None:
    tell(*(f"{n}" for n in range(200)))
    client = api(world.integration)

    with django_assert_max_num_queries(14):
        assert len(client.get(FEED).json()["results"]) == 200
