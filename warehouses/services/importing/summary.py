"""What an import did: how every line of the file was counted, what was written, what the user should know."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

LABELS = {
    "taken": gettext_lazy("order lines taken"),
    "returned.cancellation": gettext_lazy("cancelled within 24 hours of the order"),
    "returned.return": gettext_lazy("returned later"),
    "returned.unmatched": gettext_lazy("returned, but no sale found for it"),
    "already_there": gettext_lazy("already there from an earlier import"),
    "repeated": gettext_lazy("repeated in another part of this file"),
    "skipped.not_goods": gettext_lazy("skipped: not goods (postage, fees, vouchers …)"),
    "skipped.bad_debt": gettext_lazy("skipped: bad-debt adjustment"),
    "skipped.write_off": gettext_lazy("skipped: stock write-off (negative, not a cancellation)"),
    "skipped.give_away": gettext_lazy("skipped: price 0 (give-away or adjustment)"),
    "skipped.zero_quantity": gettext_lazy("skipped: quantity 0"),
    "skipped.cancelled_order": gettext_lazy("skipped: the shop says the order was cancelled"),
    "rejected.fields": gettext_lazy("rejected: not as many fields as the header"),
    "rejected.quote": gettext_lazy("rejected: a quotation mark that is not closed"),
    "rejected.nul": gettext_lazy("rejected: a NUL character in the text"),
    "rejected.order_id": gettext_lazy("rejected: no order number, or longer than 64 characters"),
    "rejected.sku": gettext_lazy("rejected: no SKU, or longer than 64 characters"),
    "rejected.quantity": gettext_lazy("rejected: the quantity is not a number"),
    "rejected.huge_quantity": gettext_lazy("rejected: the quantity is not finite or beyond 1 000 000 000"),
    "rejected.price": gettext_lazy("rejected: the price is not a number"),
    "rejected.huge_price": gettext_lazy("rejected: the price is not finite or beyond 1 000 000 000"),
    "rejected.negative_price": gettext_lazy("rejected: negative price"),
    "rejected.date": gettext_lazy("rejected: the date is not understood (year-month-day, or say --date-order)"),
    "rejected.future": gettext_lazy("rejected: the date is in the future"),
    "rejected.too_old": gettext_lazy("rejected: the date is before 1980"),
    "rejected.unknown_sku": gettext_lazy("rejected: unknown SKU"),
    "rejected.live_order": gettext_lazy("rejected: this order was recorded live, an import does not change it"),
}
"""Every count there is, in the order of printing."""


@dataclass
class ImportSummary:
    """`counts` holds every line of the file exactly once; `written` the rows made or changed, by kind."""

    file_name: str
    file_sha256: str
    channel_code: str
    warehouse_code: str
    counts: Mapping[str, int]
    lines: int
    written: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rejects_file: str = ""
    """Where the rejected lines are; after a dry run, where they would have gone."""
    first_rejects: list[tuple[int, str]] = field(default_factory=list)
    """(line, reason), by a dry run only: it writes no file."""
    is_dry_run: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def rows_written(self) -> int:
        return sum(self.written.values())

    @property
    def rejected(self) -> int:
        return sum(n for key, n in self.counts.items() if key.startswith("rejected."))

    def text(self) -> list[str]:
        """The lines to print."""
        said = [_("%(file)s → channel %(channel)s, warehouse %(warehouse)s") % self._names(), *self.notes]
        said += [f"{self.counts[key]:>12,}  {LABELS[key]}" for key in LABELS if self.counts.get(key)]
        all_lines = _("lines in the file")
        said.append(f"{self.lines:>12,}  {all_lines}")
        made = ", ".join(f"{n:,} {kind}" for kind, n in self.written.items() if n)
        said.append(_("Written: %(made)s.") % {"made": made} if made else _("Nothing new: not a row was written."))
        if self.is_dry_run:
            said.append(_("A dry run: everything was taken back."))
            said += [_("line %(line)d: %(reason)s") % {"line": n, "reason": why} for n, why in self.first_rejects]
            if self.rejects_file:
                said.append(_("The rejected lines would go to %(file)s") % {"file": self.rejects_file})
        elif self.rejects_file:
            said.append(_("The rejected lines, with reasons: %(file)s") % {"file": self.rejects_file})
        return said

    def _names(self) -> dict[str, str]:
        return {"file": self.file_name, "channel": self.channel_code, "warehouse": self.warehouse_code}
