"""Fixtures of the whole suite: the small cast, and API clients that speak for its members."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import translation

from tests.cast import world

__all__ = ["world"]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Every test starts in English: a page in Chinese leaves its language to the thread, and so to the next test."""
    with translation.override("en"):
        yield


@pytest.fixture
def api() -> Callable[..., Any]:
    """`api(user)` is an API client signed in with a token of that user; `api()` is a stranger."""
    from knox.models import AuthToken
    from rest_framework.test import APIClient

    def client(user: Any = None) -> Any:
        made = APIClient(raise_request_exception=False)
        if user is not None:
            _token, secret = AuthToken.objects.create(user)
            made.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
        return made

    return client
