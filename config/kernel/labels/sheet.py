"""Labels put on pages. The same labels and layout give the same bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from config.kernel.errors import ValidationFailed
from config.kernel.labels.layouts import Layout
from config.kernel.labels.symbols import draw_bars, draw_qr, module_width, modules_of, qr_fits
from config.kernel.labels.writing import BOLD, PLAIN, fitted, in_lines, printable, text_width, write

_POINT = 0.3528  # millimetres
_TITLE, _SUBTITLE, _READ = 13.0, 8.0, 8.0
_LOWEST_BARS = 7.0


@dataclass(frozen=True, slots=True)
class Label:
    """`code` is what the symbol says; `note` stands at the right of the title ("× 12")."""

    title: str
    code: str
    subtitle: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a label's symbols are laid out: the module of the bars (None: no bars) and the side of the QR (0: none)."""

    module: float | None
    qr_side: float


def plan_of(code: str, layout: Layout, *, with_qr: bool) -> Plan | None:
    """Bars across the label, beside a QR if one is wanted; QR alone where bars would be too narrow; None: none fits."""
    width, height = layout.label
    largest = min(height - 2 * layout.padding + 2, 0.5 * width)
    side = min(largest, 0.34 * width) if with_qr else 0.0
    module = module_width(code, width - side, padding=layout.padding, is_thermal=layout.is_thermal)
    if module is not None and (not with_qr or qr_fits(code, side)):
        return Plan(module, side)
    return Plan(None, largest) if qr_fits(code, largest) else None


def label_sheet(labels: Sequence[Label], *, layout: Layout, with_qr: bool = False, skip: int = 0) -> bytes:
    """The PDF; `skip` leaves the first places of the first page free (a sheet that was used before).

    Raises ValidationFailed with every code that is too long to be read from a label of this size.
    """
    plans = {label.code: plan_of(label.code, layout, with_qr=with_qr) for label in labels}
    if too_long := [code for code, plan in plans.items() if plan is None]:
        raise ValidationFailed(
            _("These codes are too long for labels of this size; choose larger ones."),
            items=[{"field": "code", "message": code} for code in too_long],
        )
    file = BytesIO()
    canvas = Canvas(file, pagesize=(layout.page[0] * mm, layout.page[1] * mm), invariant=1, pageCompression=1)
    canvas.setTitle(_("Labels"))
    canvas.setCreator("Entrepot")
    for place, label in enumerate(labels, start=min(skip, layout.per_page - 1)):
        if place and place % layout.per_page == 0:
            canvas.showPage()
        plan = plans[label.code]
        if plan is not None:
            _draw(canvas, label, layout, layout.corner(place % layout.per_page), plan)
    canvas.save()
    return file.getvalue()


def _draw(canvas: Canvas, label: Label, layout: Layout, corner: tuple[float, float], plan: Plan) -> None:
    width, height = layout.label
    left, bottom = corner[0], layout.page[1] - corner[1] - height
    inner = width - plan.qr_side - layout.padding * (1 if plan.qr_side else 2)
    if plan.qr_side:
        draw_qr(
            canvas,
            label.code,
            left=left + width - plan.qr_side - max(0.0, layout.padding - 2.5),
            bottom=bottom + (height - plan.qr_side) / 2,
            side=plan.qr_side,
        )
        inner -= max(0.0, layout.padding - 2.5)
    top = _words(canvas, label, left=left + layout.padding, top=bottom + height - layout.padding, width=inner)
    read_at = bottom + layout.padding
    if plan.module is None:
        lines = in_lines(printable(label.code), PLAIN, _READ - 1, inner, at_most=3)
        for number, line in enumerate(reversed(lines)):
            write(canvas, line, left=left + layout.padding, bottom=read_at + number * 3, latin=PLAIN, size=_READ - 1)
        return
    _bars(canvas, label.code, plan.module, left=left, bottom=read_at, top=top, width=width - plan.qr_side)


def _bars(canvas: Canvas, code: str, module: float, *, left: float, bottom: float, top: float, width: float) -> None:
    """The bars between the words above and the readable code below, in the middle of their part of the label."""
    wide = modules_of(code) * module
    text, size = fitted(code, PLAIN, _READ, wide + 6 * module)
    start = left + (width - wide) / 2
    write(canvas, text, left=start + (wide - text_width(text, PLAIN, size)) / 2, bottom=bottom, latin=PLAIN, size=size)
    above = bottom + size * _POINT + 0.6
    draw_bars(canvas, code, left=start, bottom=above, module=module, height=max(_LOWEST_BARS, top - above))


def _words(canvas: Canvas, label: Label, *, left: float, top: float, width: float) -> float:
    """Title, note and up to two lines below them; returns how far down they reach."""
    note = printable(label.note)
    noted = text_width(note, BOLD, _TITLE - 2) + 2 if note else 0
    title, size = fitted(printable(label.title), BOLD, _TITLE, width - noted, smallest=7)
    y = top - _TITLE * _POINT * 0.8
    write(canvas, title, left=left, bottom=y, latin=BOLD, size=size)
    if note:
        write(canvas, note, left=left + width - noted + 2, bottom=y, latin=BOLD, size=_TITLE - 2)
    for line in in_lines(printable(label.subtitle), PLAIN, _SUBTITLE, width, at_most=2):
        y -= _SUBTITLE * _POINT * 1.2
        write(canvas, line, left=left, bottom=y, latin=PLAIN, size=_SUBTITLE)
    return y - 1.4
