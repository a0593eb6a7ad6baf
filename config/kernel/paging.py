"""Cursor paging with a stable order: the cost of a page does not grow with its distance from the first."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.filters import OrderingFilter
from rest_framework.pagination import CursorPagination


class CursorPaging(CursorPagination):
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-pk"


class StableOrderingFilter(OrderingFilter):
    """`?ordering=` over the fields a view names in `ordering_fields`, always ended by the primary key."""

    def get_default_valid_fields(self, queryset: QuerySet, view: Any, context: Any = None) -> list:
        return []

    def get_ordering(self, request: Any, queryset: QuerySet, view: Any) -> Any:
        ordering = list(super().get_ordering(request, queryset, view) or ["-pk"])
        if ordering[-1].lstrip("-") not in ("pk", "id"):
            ordering.append("-pk" if ordering[0].startswith("-") else "pk")
        return ordering
