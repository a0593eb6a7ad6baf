"""Fixtures of the warehouses' tests."""

from tests.cast import world

__all__ = ["world"]
