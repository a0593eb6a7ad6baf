"""Scanners put things around a code: the symbology's AIM identifier before it, a carriage return or a tab behind it."""

import re
from dataclasses import dataclass

GS = "\x1d"
# No code of ours is longer than two of 64 and their mark; a GS1 message has at most 48 characters, a QR one some more.
LONGEST = 256
_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
# GS1-128, GS1 DataBar, GS1 DataMatrix, GS1 QR.
_GS1_SYMBOLS = frozenset({"]C1", "]e0", "]d2", "]Q3"})
_CONTROL = re.compile(r"[\x00-\x1c\x1e\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Scan:
    """The text inside the symbol, the AIM identifier if the scanner sent one, and whether it says "this is GS1"."""

    text: str
    symbology: str = ""
    is_gs1: bool = False


def cleaned(typed: str) -> Scan:
    """What was typed without what the scanner put around it.

    >>> cleaned("]C1010400638133393110B7\\r")
    Scan(text='010400638133393110B7', symbology=']C1', is_gs1=True)
    >>> cleaned(" MUG\\t")
    Scan(text='MUG', symbology='', is_gs1=False)
    """
    text = _CONTROL.sub("", typed[: LONGEST + 8]).strip(" \u3000\ufeff")
    aim = _AIM.match(text)
    symbology = aim.group() if aim else ""
    text = text[len(symbology) :]
    leads_with_fnc1 = text.startswith(GS)
    return Scan(text.strip(GS + " ")[:LONGEST], symbology, symbology in _GS1_SYMBOLS or leads_with_fnc1)
