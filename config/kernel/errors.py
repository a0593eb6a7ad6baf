"""The one family of domain errors. Services raise them and know nothing of HTTP; `problems` translates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class DomainError(Exception):
    """Something the caller asked for cannot be done. `items` lists every fault of a document, one dict each."""

    message: str
    items: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    code: str = "error"

    def __str__(self) -> str:
        return str(self.message)


@dataclass
class ValidationFailed(DomainError):
    """The input is wrong in itself; the same call will fail again."""

    code: str = "invalid"


@dataclass
class NotFound(DomainError):
    """The thing named does not exist, or the caller may not know that it does."""

    code: str = "not_found"


@dataclass
class Conflict(DomainError):
    """The state of the document forbids it now (wrong state, stale version, already done otherwise)."""

    code: str = "conflict"


@dataclass
class InsufficientStock(Conflict):
    """Not enough stock; `items` names every short line with what was asked and what is there."""

    code: str = "insufficient_stock"


@dataclass
class PermissionRefused(DomainError):
    """The actor is known but not allowed."""

    code: str = "permission_denied"
