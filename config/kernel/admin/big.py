"""Tables with a million rows: no full count, no sorting without an index, cheap pages also far from the first."""

from functools import cached_property
from typing import Any, cast

from django.contrib.admin import ShowFacets
from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import QuerySet

from config.kernel.admin.base import ReadOnlyAdmin

COUNTED_EXACTLY = 10_000


class EstimatePaginator(Paginator):
    """Counts exactly up to 10,000 rows, then takes the planner's estimate; a page is found by primary key first."""

    template_name = "admin/house/pagination.html"

    @cached_property
    def count(self) -> int:
        rows: QuerySet = cast(QuerySet, self.object_list).order_by()
        counted = rows.values("pk")[: COUNTED_EXACTLY + 1].count()
        return counted if counted <= COUNTED_EXACTLY else max(self._estimate(rows), counted)

    @cached_property
    def is_estimate(self) -> bool:
        return self.count > COUNTED_EXACTLY

    def _estimate(self, rows: QuerySet) -> int:
        if not rows.query.where:
            with connection.cursor() as cursor:
                table = rows.model._meta.db_table
                cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
                return int(cursor.fetchone()[0])
        sql, parameters = rows.values("pk").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
            return int(cursor.fetchone()[0][0]["Plan"]["Plan Rows"])

    def page(self, number: int | str) -> Page:
        """The primary keys of the page from the index alone, then the rows with all that they show."""
        number = self.validate_number(number)
        rows = cast(QuerySet, self.object_list)
        start = (number - 1) * self.per_page
        keys = list(rows.select_related(None).values_list("pk", flat=True)[start : start + self.per_page])
        found = rows.model._default_manager.filter(pk__in=keys).order_by(*rows.query.order_by or ("-pk",))
        found.query.select_related = rows.query.select_related
        return self._get_page(found, number, self)  # type: ignore[attr-defined]


class BigTableAdmin(ReadOnlyAdmin):
    """Read-only, newest first by primary key. Filters and search go through indexes only."""

    paginator = EstimatePaginator
    ordering = ("-pk",)
    sortable_by: tuple[str, ...] = ()
    list_per_page = 50
    # Counting the rows of every filter choice would read the whole table.
    show_facets = ShowFacets.NEVER

    def get_search_results(self, request: Any, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Search by `find(term) -> Q` of the subclass, which looks the term up in the small tables beside it."""
        term = search_term.strip().replace("\x00", "")
        return (queryset.filter(self.find(term)) if term else queryset), False

    def find(self, term: str) -> Any:
        raise NotImplementedError
