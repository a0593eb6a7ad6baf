"""Labels as PDF: a title, a line below it, a bar code that a scanner reads, and the code as people read it."""

from config.kernel.labels.layouts import LAYOUTS, Layout
from config.kernel.labels.sheet import Label, label_sheet

__all__ = ["LAYOUTS", "Label", "Layout", "label_sheet"]
