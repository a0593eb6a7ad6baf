"""A count sheet on paper: what to count, where, and a box for the number; codes that a scanner reads."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from config.kernel.fields import plain
from config.kernel.labels.symbols import draw_bars, module_width, modules_of
from config.kernel.labels.writing import BOLD, PLAIN, fitted, printable, shortened, write
from warehouses.models import CountSheet
from warehouses.selectors.counting import hides_expectations
from warehouses.selectors.scanning import location_code

_WIDTH, _HEIGHT, _MARGIN = 210.0, 297.0, 14.0
_ROW, _TOP = 15.0, 52.0
_PER_PAGE = int((_HEIGHT - _TOP - _MARGIN) / _ROW)
# Left edge of each column in millimetres: number, location over its code, SKU, lot and status, expected, box.
_NUMBER, _PLACE, _SKU, _LOT, _EXPECTED, _BOX = _MARGIN, 22.0, 88.0, 132.0, 162.0, 176.0


def count_sheet_pdf(sheet: CountSheet, lines: Sequence[Any]) -> bytes:
    """`lines` as `selectors.counting.shown_lines` gives them: a blind sheet has no expected quantities."""
    file = BytesIO()
    canvas = Canvas(file, pagesize=(_WIDTH * mm, _HEIGHT * mm), invariant=1, pageCompression=1)
    canvas.setTitle(sheet.number)
    canvas.setCreator("Entrepot")
    pages = [lines[start : start + _PER_PAGE] for start in range(0, len(lines), _PER_PAGE)] or [[]]
    for number, part in enumerate(pages, start=1):
        _head(canvas, sheet, _("Page %(page)d of %(pages)d") % {"page": number, "pages": len(pages)})
        for place, line in enumerate(part):
            _line(canvas, line, _HEIGHT - _TOP - place * _ROW)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _head(canvas: Canvas, sheet: CountSheet, page: str) -> None:
    top = _HEIGHT - _MARGIN
    write(canvas, sheet.number, left=_MARGIN, bottom=top - 6, latin=BOLD, size=18)
    words = f"{sheet.warehouse.name} · {sheet.created_at:%Y-%m-%d} · {page}"
    write(canvas, printable(words), left=_MARGIN, bottom=top - 13, latin=PLAIN, size=10)
    if sheet.note:
        note = shortened(printable(sheet.note), PLAIN, 9, 110)
        write(canvas, note, left=_MARGIN, bottom=top - 18, latin=PLAIN, size=9)
    signed = _("Counted by:") + " ______________________"
    write(canvas, printable(signed), left=_MARGIN, bottom=top - 25, latin=PLAIN, size=10)
    module = module_width(sheet.number, 62, padding=4)
    if module:
        left = _WIDTH - _MARGIN - modules_of(sheet.number) * module
        draw_bars(canvas, sheet.number, left=left, bottom=top - 14, module=module, height=12)
    titles = [(_NUMBER, "#"), (_PLACE, _("Location")), (_SKU, _("SKU")), (_LOT, _("Lot")), (_BOX, _("Counted"))]
    if not hides_expectations(sheet):
        titles.append((_EXPECTED, _("Books")))
    for left, title in titles:
        text = shortened(printable(title), BOLD, 8, 20)
        write(canvas, text, left=left, bottom=_HEIGHT - _TOP + 3, latin=BOLD, size=8)


def _line(canvas: Canvas, line: Any, top: float) -> None:
    canvas.setLineWidth(0.3)
    canvas.line(_MARGIN * mm, top * mm, (_WIDTH - _MARGIN) * mm, top * mm)
    _words(canvas, str(line.line_number), _NUMBER, top - 5, 7, PLAIN, 9)
    _words(canvas, line.location.code, _PLACE, top - 5, _SKU - _PLACE - 4, BOLD, 9)
    code = location_code(line.location)
    module = module_width(code, _SKU - _PLACE, padding=2)
    if module:
        draw_bars(canvas, code, left=_PLACE, bottom=top - 13.5, module=min(module, 0.3), height=7)
    _words(canvas, line.sku.code, _SKU, top - 5, _LOT - _SKU - 2, BOLD, 9)
    _words(canvas, line.sku.name, _SKU, top - 9.5, _LOT - _SKU - 2, PLAIN, 8)
    _words(canvas, line.lot.code if line.lot else "–", _LOT, top - 5, _EXPECTED - _LOT - 2, PLAIN, 8)
    _words(canvas, line.get_status_display(), _LOT, top - 9.5, _EXPECTED - _LOT - 2, PLAIN, 8)
    if line.expected is not None:
        _words(canvas, plain(line.expected), _EXPECTED, top - 5, _BOX - _EXPECTED - 1, PLAIN, 8)
    canvas.rect(_BOX * mm, (top - 13) * mm, (_WIDTH - _MARGIN - _BOX) * mm, 11 * mm)
    if line.counted_quantity is not None:
        _words(canvas, plain(line.counted_quantity), _BOX + 2, top - 8, 16, BOLD, 9)


def _words(canvas: Canvas, text: Any, left: float, bottom: float, width: float, latin: str, size: float) -> None:
    fits, smaller = fitted(printable(str(text)), latin, size, width)
    write(canvas, fits, left=left, bottom=bottom, latin=latin, size=smaller)
