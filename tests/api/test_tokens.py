"""Tokens: made by the operator, shown once, valid until they expire or are revoked."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient


def new_token(*arguments: str) -> str:
    out = StringIO()
    call_command("create_token", *arguments, stdout=out)
    return out.getvalue().strip()


def status_with(token: str) -> int:
    return APIClient().get("/api/v1/skus/", headers={"Authorization": f"Token {token}"}).status_code


def test_a_token_signs_a_program_in_until_it_is_revoked(world: Any) -> None:
    first = new_token("shop")
    second = new_token("shop", "--days", "30")
    before = (status_with(first), status_with(second))
    third = new_token("shop", "--revoke")

    assert before == (200, 200)
    assert [status_with(token) for token in (first, second, third)] == [401, 401, 200]


def test_a_token_of_somebody_who_left_opens_nothing(world: Any) -> None:
    token = new_token("shop")
    world.integration.is_active = False
    world.integration.save()

    assert status_with(token) == 401


def test_a_role_that_is_taken_away_or_given_counts_at_once(world: Any) -> None:
    token = new_token("shop")
    roles = list(world.integration.groups.all())

    before = status_with(token)
    world.integration.groups.clear()
    without = status_with(token)
    world.integration.groups.set(roles)

    assert (before, without, status_with(token)) == (200, 403, 200)


def test_who_asks_costs_one_query(world: Any, django_assert_num_queries: Any) -> None:
    client = APIClient(headers={"Authorization": f"Token {new_token('shop')}"})

    with django_assert_num_queries(2):  # and the page's own
        client.get("/api/v1/skus/")


def test_an_expired_token_opens_nothing(world: Any) -> None:
    from datetime import timedelta

    from django.utils import timezone
    from knox.models import AuthToken

    token = new_token("shop", "--days", "1")
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    assert status_with(token) == 401


@pytest.mark.parametrize("arguments", [("nobody",), ("shop", "--days", "0")])
def test_a_token_for_nobody_or_no_time_is_refused(world: Any, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        new_token(*arguments)
