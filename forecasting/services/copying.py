"""Rows into a table by COPY: one statement, however many; as text, or in PostgreSQL's binary form laid out by NumPy."""

import io
from collections.abc import Iterable, Mapping, Sequence
from struct import pack
from typing import TYPE_CHECKING, Any

from django.db import connection, models

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINARY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
BINARY_TRAILER = pack(">h", -1)
_REAL, _DOUBLE = 700, 701  # PostgreSQL's numbers of the types


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


def copy_records(model: type[models.Model], columns: Mapping[str, tuple[Any, Any]]) -> None:
    """COPY rows whose fields have one length each: name → (kind on the wire, values (n, …)).

    A kind is a NumPy type, big end first, or what `array_kind` makes.
    """
    body = fixed_fields(columns, counted=True)
    if not len(body):
        return
    with connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN (FORMAT binary)",
            io.BytesIO(BINARY_HEADER + body.tobytes() + BINARY_TRAILER),
        )


def fixed_fields(columns: Mapping[str, tuple[Any, Any]], *, counted: bool = False) -> "NDArray[np.void]":
    """(n,) records as the wire wants them: of each field its length in bytes, then its value. `counted`: the number of
    fields stands before each row."""
    import numpy as np

    kinds = {name: np.dtype(kind) for name, (kind, _values) in columns.items()}
    layout: list[Any] = [("fields", ">i2")] if counted else []
    layout += [part for name, kind in kinds.items() for part in ((f"{name}_bytes", ">i4"), (name, kind))]
    records = np.zeros(len(next(iter(columns.values()))[1]), dtype=layout)
    if counted:
        records["fields"] = len(columns)
    for name, (_kind, values) in columns.items():
        records[f"{name}_bytes"] = kinds[name].itemsize
        _fill(records[name], values)
    return records


def array_kind(shape: tuple[int, ...], kind: str) -> "np.dtype[Any]":
    """An array of PostgreSQL: dimensions, no nulls, the element's type, (length, first index) of each dimension, and
    each element with its length. Of shape () it is empty."""
    import numpy as np

    head = ("head", ">i4", (3,))
    if not shape:
        return np.dtype([head])
    element = np.dtype([("bytes", ">i4"), ("value", kind)])
    return np.dtype([head, ("sizes", ">i4", (len(shape), 2)), ("elements", element, shape)])


def _fill(target: "NDArray[np.void]", values: Any) -> None:
    if target.dtype.names is None:
        target[...] = values
        return
    if "elements" not in target.dtype.names:
        target["head"] = (0, 0, values[0] if len(values) else _DOUBLE)
        return
    shape = target["elements"].shape[1:]
    size = target["elements"].dtype["value"].itemsize
    target["head"] = (len(shape), 0, _REAL if size == 4 else _DOUBLE)
    target["sizes"] = [(length, 1) for length in shape]
    target["elements"]["bytes"] = size
    target["elements"]["value"] = values


def empty_arrays(count: int, *, is_real: bool = False) -> tuple[Any, list[int]]:
    """A column of `count` empty arrays."""
    return array_kind((), ""), [_REAL if is_real else _DOUBLE] * count
