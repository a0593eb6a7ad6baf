"""Code 128 and QR as rectangles, and whether a scanner could still read them at the size they would get.

Code 128: ISO/IEC 15417; every character is 11 modules wide, the stop character 13, with 10 white modules on each side.
QR: ISO/IEC 18004; 4 white modules around.
"""

from functools import lru_cache
from itertools import groupby

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qrencoder import QR8bitByte, QRCode, QRErrorCorrectLevel
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

# The narrowest bar a common scanner reads, and the widest that still looks like one (millimetres).
NARROWEST, WIDEST = 0.19, 0.5
QUIET_MODULES = 10
QR_QUIET, QR_SMALLEST = 4, 0.25
DOT = 25.4 / 203


@lru_cache(maxsize=2048)
def bar_runs(code: str) -> tuple[int, ...] | None:
    """Widths in modules: bar, space, bar, …; None for a text Code 128 cannot carry (anything but printable ASCII).

    The symbol of "A" is start B, A, its check character and stop: 3 × 11 + 13 = 46 modules.
    """
    if not code or not all(" " <= letter <= "~" for letter in code):
        return None
    symbol = Code128(code)
    symbol.validate()
    symbol.encode()
    pattern: str = symbol.decompose()
    return tuple(ord(letter.lower()) - ord("a") + 1 for letter in pattern)


def modules_of(code: str) -> int:
    return sum(bar_runs(code) or ())


def module_width(code: str, width: float, *, padding: float, is_thermal: bool = False) -> float | None:
    """How wide a module of the code becomes on a label of this width; None when that is too narrow to be read.

    The quiet zones lie in the padding where it is wide enough.
    """
    modules = modules_of(code)
    if not modules:
        return None
    module = min(WIDEST, (width - 2 * padding) / modules, width / (modules + 2 * QUIET_MODULES))
    if module < NARROWEST:
        return None
    whole_dots = int(module / DOT + 1e-9) * DOT
    return whole_dots if is_thermal and whole_dots >= NARROWEST else module


def draw_bars(canvas: Canvas, code: str, *, left: float, bottom: float, module: float, height: float) -> None:
    """`left` is where the first bar begins; the caller keeps the quiet zones."""
    x = left
    for place, run in enumerate(bar_runs(code) or ()):
        if place % 2 == 0:
            canvas.rect(x * mm, bottom * mm, run * module * mm, height * mm, stroke=0, fill=1)
        x += run * module


@lru_cache(maxsize=2048)
def qr_rows(code: str) -> tuple[tuple[bool, ...], ...]:
    """The modules of a QR code that carries the text as UTF-8, row by row from the top; error correction M."""
    symbol = QRCode(None, QRErrorCorrectLevel.M)
    symbol.addData(code if code.isascii() else QR8bitByte(code))
    symbol.make()
    return tuple(tuple(bool(module) for module in row) for row in symbol.modules)


def qr_fits(code: str, side: float) -> bool:
    """Whether its modules stay wide enough on a square of this side, white border included."""
    return side / (len(qr_rows(code)) + 2 * QR_QUIET) >= QR_SMALLEST


def draw_qr(canvas: Canvas, code: str, *, left: float, bottom: float, side: float) -> None:
    rows = qr_rows(code)
    module = side / (len(rows) + 2 * QR_QUIET)
    for number, row in enumerate(rows):
        y, x = bottom + side - (QR_QUIET + number + 1) * module, left + QR_QUIET * module
        for is_dark, run in groupby(row):
            width = len(list(run)) * module
            if is_dark:
                canvas.rect(x * mm, y * mm, width * mm, module * mm, stroke=0, fill=1)
            x += width
