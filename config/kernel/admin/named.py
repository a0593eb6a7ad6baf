"""Filters over a column of codes that say each code in the reader's language."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import admin


class NamedValuesFilter(admin.AllValuesFieldListFilter):
    """Every code that occurs, by its name; a code without one is shown as it is."""

    names: Mapping[str, Any] = {}

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            code, gap, count = str(choice["display"]).partition(" (")  # "smooth (12)" when facets are counted
            yield {**choice, "display": f"{self.names.get(code, code)}{gap}{count}"}


def named_values(names: Mapping[str, Any]) -> type[NamedValuesFilter]:
    return type("NamedFilter", (NamedValuesFilter,), {"names": names})
