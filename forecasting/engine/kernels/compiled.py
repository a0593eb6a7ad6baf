"""How a kernel is compiled: once, kept on disk where that is possible, and as plain Python where numba is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

LANES = 16
"""Series worked on side by side: their states fit the registers and the first-level cache."""


def kernel(function: F) -> F:
    """Compile at the first call. The machine code is kept beside the source, or in the user's cache (NUMBA_CACHE_DIR)
    where the install is read-only; with neither writable it is compiled anew in each process.

    No fast-math: the order of additions is part of the result.
    """
    try:
        from numba import njit
    except ImportError:
        return function
    try:
        made: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba's "no locator available": nowhere to keep the code
        made = njit(nogil=True, error_model="numpy")(function)
    return cast(F, made)
