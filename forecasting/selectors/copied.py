"""Query results as numpy arrays, by binary COPY: no Python object a cell."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from django.db import connection

_COPY_HEADER_BYTES = 19
_COPY_TRAILER_BYTES = 2


def copied(query: str, names: Sequence[str], values: Mapping[str, Any]) -> Any:
    """The query's (int4 row, int4 column, float8 …) as a numpy record array with the fields row, column and `names`."""
    import numpy as np

    with connection.cursor() as cursor:
        sink = BytesIO()
        bound = cursor.mogrify(query, values).decode()
        cursor.copy_expert(f"COPY ({bound}) TO STDOUT (FORMAT binary)", sink)
    fields = [("fields", ">i2"), ("row_bytes", ">i4"), ("row", ">i4"), ("column_bytes", ">i4"), ("column", ">i4")]
    for name in names:
        fields += [(f"{name}_bytes", ">i4"), (name, ">f8")]
    body = memoryview(sink.getbuffer())[_COPY_HEADER_BYTES:-_COPY_TRAILER_BYTES]
    return np.frombuffer(body, dtype=np.dtype(fields))
