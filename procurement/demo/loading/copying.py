"""COPY for Django models: columns of the generator's tables become rows of the database, in one stream per table."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from io import StringIO
from itertools import islice, repeat
from typing import Any

import numpy as np
from django.db import connection, models

CHUNK_ROWS = 20_000
NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

Column = Iterable[str]


def copy_rows(model: type[models.Model], columns: Mapping[str, Column]) -> None:
    """Columns by field name, each a stream of values in COPY's text form, all of one length."""
    names = ", ".join(f'"{model._meta.get_field(name).column}"' for name in columns)  # type: ignore[union-attr]
    statement = f'COPY "{model._meta.db_table}" ({names}) FROM STDIN'
    rows: Iterator[tuple[str, ...]] = zip(*columns.values(), strict=True)
    with connection.cursor() as cursor:
        while chunk := list(islice(rows, CHUNK_ROWS)):
            cursor.copy_expert(statement, StringIO("\n".join(map("\t".join, chunk)) + "\n"))


def take_ids(model: type[models.Model], count: int) -> np.ndarray:
    """`count` fresh primary keys in ascending order, taken from the table's own sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return np.fromiter((row[0] for row in cursor.fetchall()), dtype=np.int64, count=count)


def continue_sequence(name: str, last: int) -> None:
    """The next document gets the number after `last`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(%s, %s)", [name, last])


def pounds(pence: int) -> Decimal:
    """The one place where the generator's pence become money."""
    return Decimal(int(pence)).scaleb(-2)


def constant(value: object, count: int) -> Column:
    return repeat(str(value), count)


def nothing(count: int) -> Column:
    return repeat(NULL, count)


def whole(values: np.ndarray) -> Column:
    return map(str, values.tolist())


def money(pence: np.ndarray) -> Column:
    return (str(pounds(value)) for value in pence.tolist())


def texts(values: Iterable[str]) -> Column:
    return (value.translate(_ESCAPES) for value in values)


def documents(values: Iterable[Any]) -> Column:
    return texts(json.dumps(value, ensure_ascii=False) for value in values)


def flags(values: np.ndarray) -> Column:
    return ("t" if value else "f" for value in values.tolist())


def moments(values: np.ndarray) -> Column:
    """UTC moments; not-a-time becomes NULL."""
    written = np.datetime_as_string(values, unit="s", timezone="UTC").tolist()
    return (NULL if value.startswith("NaT") else value for value in written)


def days(values: np.ndarray) -> Column:
    return (NULL if value == "NaT" else value for value in np.datetime_as_string(values, unit="D").tolist())
