"""Cursor paging by key: the cost of a page does not grow with its distance, and no row is shown twice or left out.

The cursor holds the sort values of the row at the page's edge, ended by the primary key, so it also stands where many
rows share a value and where rows are added or removed meanwhile. Empty values come last.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import F, Field, Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

PAGING_PARAMETERS = frozenset({"cursor", "page_size", "ordering"})


class StableOrderingFilter(OrderingFilter):
    """`?ordering=` over the fields a view names in `ordering_fields`, always ended by the primary key."""

    def get_ordering(self, request: Any, queryset: QuerySet, view: Any) -> list[str]:
        asked = [term.strip() for term in request.query_params.get(self.ordering_param, "").split(",") if term.strip()]
        known = getattr(view, "ordering_fields", [])
        names = [term.removeprefix("-") for term in asked]
        if wrong := [term for term, name in zip(asked, names, strict=True) if name not in known]:
            message = _("Cannot be ordered by %(wrong)s; known are: %(known)s.")
            raise ValidationError(
                {"ordering": [message % {"wrong": ", ".join(wrong), "known": ", ".join(known) or "–"}]}
            )
        if len(set(names)) < len(names):
            raise ValidationError({"ordering": [_("A field is named twice.")]})
        ordering = asked or list(getattr(view, "ordering", None) or ["-pk"])
        if ordering[-1].removeprefix("-") != "pk":
            ordering.append("-pk" if ordering[0].startswith("-") else "pk")
        return ordering

    def filter_queryset(self, request: Any, queryset: QuerySet, view: Any) -> QuerySet:
        return queryset  # the paging orders the rows, in one place with the cursor

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        known = getattr(view, "ordering_fields", [])
        if not known:
            return []
        text = f"One or several of {', '.join(known)}, by commas; with - before it descending. Empty values come last."
        return [
            {"name": "ordering", "in": "query", "required": False, "description": text, "schema": {"type": "string"}}
        ]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind (`is_back`: before) the row with these sort values."""

    ordering: tuple[str, ...]
    values: tuple[Any, ...]
    is_back: bool

    def text(self) -> str:
        values = [None if v is None else v.isoformat() if hasattr(v, "isoformat") else str(v) for v in self.values]
        document = json.dumps([",".join(self.ordering), int(self.is_back), values], separators=(",", ":"))
        return urlsafe_b64encode(document.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, text: str, ordering: tuple[str, ...], model: type[Model]) -> "Cursor":
        """Raises a validation error for anything but a cursor of this list and ordering."""
        try:
            named, is_back, values = json.loads(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
            if named != ",".join(ordering) or is_back not in (0, 1) or len(values) != len(ordering):
                raise ValueError("of another list")
            fields = [_field(model, name) for name in ordering]
            read = tuple(None if v is None else f.to_python(str(v)) for f, v in zip(fields, values, strict=True))
            if any(value is None and not field.null for field, value in zip(fields, read, strict=True)):
                raise ValueError("an empty value")
        except (ValueError, TypeError, ArithmeticError, RecursionError, DjangoValidationError) as exc:
            message = _("This is no cursor of this list and ordering; follow `next` and `previous` as they are.")
            raise ValidationError({"cursor": [message]}) from exc
        return cls(ordering, read, bool(is_back))

    def rows_beyond(self, model: type[Model]) -> Q:
        beyond = Q(pk__in=[])
        for name, value in zip(reversed(self.ordering), reversed(self.values), strict=True):
            column, is_nullable = name.removeprefix("-"), _field(model, name).null
            if value is None:  # empty values stand last, so going back everything else follows
                after, same = (
                    Q(pk__in=[]) if not self.is_back else Q(**{f"{column}__isnull": False}),
                    Q(**{column: None}),
                )
            else:
                is_falling = name.startswith("-") != self.is_back
                after, same = Q(**{f"{column}__{'lt' if is_falling else 'gt'}": value}), Q(**{column: value})
                if is_nullable and not self.is_back:
                    after |= Q(**{f"{column}__isnull": True})
            beyond = after | (same & beyond)
        first = self.ordering[0]
        if len(self.ordering) > 1 and not _field(model, first).null:
            # Says nothing new, but as a plain range it lets the database use the index of the first column.
            is_falling = first.startswith("-") != self.is_back
            beyond &= Q(**{f"{first.removeprefix('-')}__{'lte' if is_falling else 'gte'}": self.values[0]})
        return beyond


def _field(model: type[Model], name: str) -> Field:
    column = name.removeprefix("-")
    return model._meta.pk if column == "pk" else model._meta.get_field(column)  # type: ignore[return-value]


def _order_by(ordering: Sequence[str], model: type[Model], *, is_back: bool) -> list[Any]:
    terms: list[Any] = []
    for name in ordering:
        column, is_falling = name.removeprefix("-"), name.startswith("-") != is_back
        if _field(model, name).null:
            nulls = {"nulls_first": True} if is_back else {"nulls_last": True}
            terms.append(F(column).desc(**nulls) if is_falling else F(column).asc(**nulls))
        else:
            terms.append(f"-{column}" if is_falling else column)
    return terms


def _first(queryset: QuerySet, terms: Sequence[Any], count: int) -> list[Any]:
    """So many rows in this order. Where the database may have to sort, it sorts bare keys and joins only what is shown:
    otherwise every row that the filters leave is joined to all its codes and names first."""
    ordered = queryset.order_by(*terms)
    if len(terms) == 1 or not queryset.query.select_related:
        return list(ordered[:count])
    return list(ordered.filter(pk__in=ordered.values("pk")[:count]))


class CursorPaging(BasePagination):
    page_size = 50
    max_page_size = 200
    page: ClassVar[list[Any]] = []

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        size, model = self._size(request), queryset.model
        self._address = request.build_absolute_uri()
        self._ordering = tuple(StableOrderingFilter().get_ordering(request, queryset, view))
        text = request.query_params.get("cursor")
        cursor = Cursor.of(text, self._ordering, model) if text else None
        is_back = cursor is not None and cursor.is_back
        if cursor is not None:
            queryset = queryset.filter(cursor.rows_beyond(model))
        # One more than asked for tells whether anything follows.
        rows = _first(queryset, _order_by(self._ordering, model, is_back=is_back), size + 1)
        is_cut, rows = len(rows) > size, rows[:size]
        self.page = rows[::-1] if is_back else rows  # type: ignore[misc]
        self._has_next = is_cut if not is_back else True
        self._has_previous = is_cut if is_back else cursor is not None
        return self.page

    def _size(self, request: Any) -> int:
        text = request.query_params.get("page_size", str(self.page_size))
        if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 9 and int(text) >= 1):
            raise ValidationError({"page_size": [_("A whole number from 1 to %d.") % self.max_page_size]})
        return min(int(text), self.max_page_size)

    def get_paginated_response(self, data: Any) -> Response:
        following = self._link(self.page[-1], is_back=False) if self.page and self._has_next else None
        before = self._link(self.page[0], is_back=True) if self.page and self._has_previous else None
        return Response({"next": following, "previous": before, "results": data})

    def _link(self, row: Any, *, is_back: bool) -> str:
        values = tuple(getattr(row, name.removeprefix("-")) for name in self._ordering)
        return replace_query_param(self._address, "cursor", Cursor(self._ordering, values, is_back).text())

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where the page begins; comes in `next` and `previous`.",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": f"Rows a page; more than {self.max_page_size} counts as {self.max_page_size}.",
                "schema": {"type": "integer", "minimum": 1, "default": self.page_size},
            },
        ]

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        link = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }
