"""Text that stays on its label, in any script the printer's fonts know: Latin in Helvetica, the rest in Adobe's CID
fonts (named in the PDF, not embedded: PDF readers bring them or use the system's own)."""

import unicodedata
from functools import cache
from itertools import groupby

from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfgen.canvas import Canvas

PLAIN, BOLD = "Helvetica", "Helvetica-Bold"
CHINESE, KOREAN = "STSong-Light", "HYSMyeongJo-Medium"
SMALLEST = 5.0
_ELLIPSIS = "…"
# Latin letters that no font of ours has and that do not decompose into a letter and its accent.
_STROKED = str.maketrans("ĐđĦħıŁłŊŋŦŧ", "DdHhiLlNnTt")


@cache
def _registered(name: str) -> str:
    registerFont(UnicodeCIDFont(name))
    return name


def font_of(letter: str, latin: str) -> str:
    """The font that has this letter."""
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        is_hangul = "\uac00" <= letter <= "\ud7a3" or "\u1100" <= letter <= "\u11ff" or "\u3130" <= letter <= "\u318f"
        return _registered(KOREAN if is_hangul else CHINESE)
    return latin


def printable(text: str) -> str:
    """One line without control characters; accents that Helvetica lacks are dropped, what two bytes cannot hold is □.

    >>> printable("Żółta\\n茶")
    'Zólta 茶'
    """
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    kept = (letter for letter in composed if unicodedata.category(letter) not in {"Cc", "Cf", "Cs"})
    return "".join(_plainer(letter) if ord(letter) <= 0xFFFF else "□" for letter in kept)


def _plainer(letter: str) -> str:
    is_extended_latin = "\u0100" <= letter <= "\u024f" or "\u1e00" <= letter <= "\u1eff"
    if not is_extended_latin or font_of(letter, PLAIN) == PLAIN:
        return letter
    return unicodedata.normalize("NFD", letter)[0].translate(_STROKED)


def _runs(text: str, latin: str) -> list[tuple[str, str]]:
    return [(font, "".join(letters)) for font, letters in groupby(text, key=lambda letter: font_of(letter, latin))]


def text_width(text: str, latin: str, size: float) -> float:
    """In millimetres."""
    return sum(stringWidth(part, font, size) for font, part in _runs(text, latin)) / mm


def shortened(text: str, latin: str, size: float, width: float) -> str:
    """The text, or as much of it as fits with an ellipsis behind it."""
    if text_width(text, latin, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text_width(text[:middle] + _ELLIPSIS, latin, size) <= width else (low, middle - 1)
    return text[:low].rstrip() + _ELLIPSIS


def fitted(text: str, latin: str, size: float, width: float, *, smallest: float = SMALLEST) -> tuple[str, float]:
    """The text at this size, or smaller, or (below `smallest`) shortened."""
    wide = text_width(text, latin, size)
    if wide > width:
        size = max(smallest, size * width / wide * 0.999)
    return shortened(text, latin, size, width), size


def in_lines(text: str, latin: str, size: float, width: float, *, at_most: int) -> list[str]:
    """Broken at spaces (Chinese anywhere), the last line shortened if there is more."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < at_most - 1:
        fits = _longest_start(rest, latin, size, width)
        if fits == len(rest):
            break
        space = rest.rfind(" ", 0, fits + 1)
        cut = space if space > fits // 2 else max(fits, 1)
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*lines, shortened(rest, latin, size, width)] if rest else lines


def _longest_start(text: str, latin: str, size: float, width: float) -> int:
    used, count = 0.0, 0
    for letter in text:
        used += stringWidth(letter, font_of(letter, latin), size) / mm
        if used > width:
            return count
        count += 1
    return count


def write(canvas: Canvas, text: str, *, left: float, bottom: float, latin: str, size: float) -> None:
    x = left * mm
    for font, part in _runs(text, latin):
        canvas.setFont(font, size)
        canvas.drawString(x, bottom * mm, part)
        x += stringWidth(part, font, size)
