"""The box for a note beside the actions of a table."""

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.forms import ActionForm


class NoteForm(ActionForm):
    note = forms.CharField(
        label="",
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"class": "h-input wide", "placeholder": _("Note")}),
    )
