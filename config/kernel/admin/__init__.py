"""What every admin page of the house is built from, and the pages of the kernel's own rows (jobs, people)."""

from config.kernel.admin.actions import PageAction
from config.kernel.admin.base import HouseAdmin, ReadOnlyAdmin, ReadOnlyInline
from config.kernel.admin.big import BigTableAdmin
from config.kernel.admin.export import CsvExportMixin, escaped
from config.kernel.admin.jobs import JobAdmin
from config.kernel.admin.panels import panel, render_panel
from config.kernel.admin.people import PersonAdmin

__all__ = [
    "BigTableAdmin",
    "CsvExportMixin",
    "HouseAdmin",
    "JobAdmin",
    "PageAction",
    "PersonAdmin",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "escaped",
    "panel",
    "render_panel",
]
