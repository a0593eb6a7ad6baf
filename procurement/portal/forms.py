"""One answer form for each line that can be answered."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.kernel.fields import plain
from procurement.models import LineResponse, PurchaseOrder, PurchaseOrderLine
from procurement.services.confirmations import NOTE_LENGTH, LineAnswer

Kind = LineResponse.Kind


class LineAnswerForm(forms.Form):
    kind = forms.ChoiceField(required=False, widget=forms.RadioSelect, label=_("Your answer"))
    quantity = forms.DecimalField(required=False, max_digits=14, decimal_places=3, label=_("Quantity"))
    promised_on = forms.DateField(
        required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), label=_("Delivery date")
    )
    note = forms.CharField(required=False, max_length=NOTE_LENGTH, label=_("Note to the buyer"))

    def __init__(self, line: PurchaseOrderLine, data: Mapping[str, Any] | None = None) -> None:
        initial = {"kind": "", "quantity": plain(line.quantity), "promised_on": line.expected_on}
        super().__init__(data, prefix=f"line-{line.pk}", initial=initial)
        self.line = line
        self.is_late_notice = line.status == PurchaseOrderLine.Status.ACCEPTED
        self.fields["kind"].choices = self._choices()  # type: ignore[attr-defined]

    def _choices(self) -> list[tuple[str, Any]]:
        if self.is_late_notice:
            return [("", _("Nothing has changed")), (Kind.CHANGE, _("Report a change"))]
        choices = [("", _("Answer later")), (Kind.ACCEPT, _("Accept")), (Kind.CHANGE, _("Propose a change"))]
        return choices if self.line.received_quantity else [*choices, (Kind.REJECT, _("Reject"))]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == Kind.REJECT and not cleaned.get("note"):
            self.add_error("note", _("Say why you cannot deliver this line."))
        return cleaned

    def answer(self) -> LineAnswer | None:
        """What the supplier said to this line, None when nothing yet."""
        kind = self.cleaned_data["kind"]
        if not kind:
            return None
        return LineAnswer(
            line_id=self.line.pk,
            kind=kind,
            quantity=self.cleaned_data["quantity"] if kind == Kind.CHANGE else None,
            promised_on=self.cleaned_data["promised_on"] if kind != Kind.REJECT else None,
            note=self.cleaned_data["note"],
        )


def can_answer(order: PurchaseOrder, line: PurchaseOrderLine) -> bool:
    """Whether the supplier has something to say about the line now; the service has the last word."""
    asks = (PurchaseOrderLine.Status.OPEN, PurchaseOrderLine.Status.ACCEPTED)
    return order.status in PurchaseOrder.RECEIVABLE and line.status in asks and line.outstanding_quantity > 0


def answer_forms(
    order: PurchaseOrder, lines: Sequence[PurchaseOrderLine], data: Mapping[str, Any] | None = None
) -> dict[int, LineAnswerForm]:
    """Line id → its form, for the lines that can be answered."""
    return {line.pk: LineAnswerForm(line, data) for line in lines if can_answer(order, line)}
