"""Rows into a table by COPY: one statement, however many."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY the rows into the model's table, in the caller's transaction. None is NULL; arrays come as their text."""
    text = io.StringIO()
    for row in rows:
        text.write("\t".join(escaped(field) for field in row) + "\n")
    if not text.tell():
        return
    text.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN", text)


def array_text(values: Iterable[float]) -> str:
    return "{" + ",".join(map(repr, values)) + "}"


def escaped(field: Any) -> str:
    if field is None:
        return r"\N"
    text = str(field)
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text.replace("\t", " ").replace("\n", r"\n").replace("\r", r"\r")
