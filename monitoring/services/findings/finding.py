"""What is wrong, in words: what an alert is made of."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` names the same trouble by the same words as long as it lasts."""

    kind: str
    severity: str
    subject: str
    message: str
    facts: dict[str, Any] = field(default_factory=dict)
    link: str = ""
