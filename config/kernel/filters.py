"""Filters of lists: named like the fields of the answer, checked, and refused when there is no such filter.

A view says `filters = {"sku": "sku__code", "happened_at": ("happened_at", "gte", "lte")}`: the public name, the path to
the column, and the lookups where they are not plain equality. An unknown parameter is an error, never ignored: a filter
that is misspelt would otherwise answer with everything.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, ClassVar

import django_filters.rest_framework as rest
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.filters import BaseInFilter, CharFilter, Filter, NumberFilter
from django_filters.utils import get_model_field
from rest_framework.exceptions import ValidationError

from config.kernel.paging import PAGING_PARAMETERS

LARGEST = 10**11
MAX_VALUES = 100
Filters = Mapping[str, "str | tuple[str, ...] | Filter"]


class BoundedNumber(NumberFilter):
    """A number that a column of ours can be compared with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"min_value": -LARGEST, **kwargs})

    def get_max_validator(self) -> Any:
        from django.core.validators import MaxValueValidator

        return MaxValueValidator(LARGEST)


class HouseFilterSet(rest.FilterSet):
    FILTER_DEFAULTS: ClassVar = {
        **deepcopy(rest.FilterSet.FILTER_DEFAULTS),
        models.DecimalField: {"filter_class": BoundedNumber},
    }


class _ByName(CharFilter):
    """Rows that point at a row of this code. It is looked up first: the planner then knows how many rows follow."""

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        if not value:
            return qs
        names = value if isinstance(value, list) else [value]
        if len(names) > MAX_VALUES:
            raise ValidationError({self.extra.get("label") or "filter": [_("At most %d values.") % MAX_VALUES]})
        path, column = str(self.field_name).rsplit("__", 1)
        related: Any = get_model_field(qs.model, path).related_model  # type: ignore[union-attr]
        ids = list(related._base_manager.filter(**{f"{column}__in": names}).values_list("pk", flat=True))
        return qs.filter(**{f"{path}__in": ids})


class _ByNames(BaseInFilter, _ByName):
    pass


def filter_set(model: type[models.Model], filters: Filters) -> type[HouseFilterSet]:
    """The filter set of a view's `filters`."""
    made: dict[str, Any] = {}
    for name, wanted in filters.items():
        if isinstance(wanted, Filter):
            made[name] = wanted
            continue
        path, *lookups = (wanted,) if isinstance(wanted, str) else wanted
        for lookup in lookups or ["exact"]:
            made[name if lookup == "exact" else f"{name}__{lookup}"] = _filter(model, path, lookup)
    meta = type("Meta", (), {"model": model, "fields": []})
    return type(f"{model.__name__}Filters", (HouseFilterSet,), {**made, "Meta": meta})


def _filter(model: type[models.Model], path: str, lookup: str) -> Filter:
    field = get_model_field(model, path)
    if field is None:
        raise LookupError(f"{model.__name__} has no {path}")
    if "__" in path and isinstance(field, models.CharField) and not field.choices and lookup in ("exact", "in"):
        return _ByName(field_name=path) if lookup == "exact" else _ByNames(field_name=path, lookup_expr="in")
    return HouseFilterSet.filter_for_field(field, path, lookup)


class HouseFilterBackend(rest.DjangoFilterBackend):
    """Filters lists only; refuses parameters that the view does not know."""

    def get_filterset_class(self, view: Any, queryset: Any = None) -> Any:
        if queryset is None or not hasattr(view, "filters"):
            return None
        known = type(view).__dict__.get("_filter_set")
        if known is None:
            known = filter_set(queryset.model, view.filters)
            type(view)._filter_set = known
        return known

    def filter_queryset(self, request: Any, queryset: QuerySet, view: Any) -> QuerySet:
        if view.action != "list":
            return queryset
        filters = self.get_filterset_class(view, queryset)
        known = {*PAGING_PARAMETERS, *(filters.base_filters if filters else ())}
        if unknown := sorted(set(request.query_params) - known):
            message = _("There is no such parameter; known are: %s.") % ", ".join(sorted(known))
            raise ValidationError({name: [message] for name in unknown})
        return super().filter_queryset(request, queryset, view)
