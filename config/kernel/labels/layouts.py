"""The papers labels are printed on. All measures are millimetres."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Layout:
    """A page with labels in a grid; a roll is a page with one label. `padding` stays white around every label."""

    key: str
    name: Any
    page: tuple[float, float]
    label: tuple[float, float]
    columns: int = 1
    rows: int = 1
    margin: tuple[float, float] = (0, 0)  # left and top of the first label
    gap: tuple[float, float] = (0, 0)
    padding: float = 2.5
    # A thermal printer has dots of 1/8 mm (203 dpi); bars are whole dots wide where they can be.
    is_thermal: bool = False

    @property
    def per_page(self) -> int:
        return self.columns * self.rows

    def corner(self, place: int) -> tuple[float, float]:
        """Left and top of the label at this place of the page, row by row."""
        row, column = divmod(place, self.columns)
        left = self.margin[0] + column * (self.label[0] + self.gap[0])
        return left, self.margin[1] + row * (self.label[1] + self.gap[1])


A4 = (210.0, 297.0)
LAYOUTS: dict[str, Layout] = {
    layout.key: layout
    for layout in (
        Layout("a4-3x8", _("A4, 3 × 8 labels of 70 × 37 mm"), A4, (70, 37), 3, 8, margin=(0, 0.5), padding=5),
        Layout(
            "a4-2x7", _("A4, 2 × 7 labels of 99 × 38 mm"), A4, (99.1, 38.1), 2, 7, (4.65, 15.15), (2.5, 0), padding=4
        ),
        Layout("roll-100x50", _("Roll, 100 × 50 mm"), (100, 50), (100, 50), padding=3, is_thermal=True),
        Layout("roll-57x32", _("Roll, 57 × 32 mm"), (57, 32), (57, 32), is_thermal=True),
    )
}
