"""The form that writes an experiment down: what is tried, on which SKUs, for how long, and when it stops."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Category
from config.kernel.admin.actions import show_error
from config.kernel.errors import DomainError
from procurement.admin.policies import ChallengerForm
from procurement.models import Experiment
from procurement.services.experiments import create_experiment
from procurement.services.policies import CHANGEABLE
from warehouses.models import Warehouse

ADD = "procurement.add_experiment"
WHAT = ("name", "hypothesis", "metric", "category", "warehouse")
HOW = ("share", "planned_days", "burn_in_days", "pre_days", "harm_limit", "alpha", "seed")


class ExperimentForm(forms.ModelForm):
    class Meta:
        model = Experiment
        fields = (*WHAT, *HOW)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = Category.objects.for_actor(user)  # type: ignore[attr-defined]
        self.fields["warehouse"].queryset = Warehouse.objects.for_actor(user)  # type: ignore[attr-defined]
        for name in ("category", "warehouse"):
            self.fields[name].empty_label = _("all")  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            field.widget.attrs = {"class": "h-input n" if name in HOW else "h-input", "autocomplete": "off"}
            if name in HOW:
                field.localize = False
                field.widget = forms.TextInput(attrs={**field.widget.attrs, "inputmode": "decimal"})
        self.fields["hypothesis"].widget = forms.Textarea(attrs={"class": "h-input", "rows": 2})


class ChangesForm(ChallengerForm):
    """The same fields of a policy, all empty: what is left empty is as the champion has it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {}
        for field in self.fields.values():
            field.required, field.initial = False, None
            if isinstance(field, forms.ChoiceField):
                choices: list[Any] = list(field.choices)  # type: ignore[arg-type]
                field.choices = [("", _("as the champion")), *(one for one in choices if one[0])]


def new_experiment_view(request: HttpRequest) -> HttpResponse:
    """GET shows the form; POST writes the draft down and leads to its page."""
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    asked = request.POST if request.method == "POST" else None
    form = ExperimentForm(asked, user=request.user)
    if asked is not None and form.is_valid():
        try:
            experiment = _create(request, form)
        except DomainError as error:
            show_error(request, error)
        else:
            messages.success(request, _("The experiment is a draft: look at who would take part, then start it."))
            return HttpResponseRedirect(reverse("admin:procurement_experiment_change", args=[experiment.pk]))
    context = {
        **admin.site.each_context(request),
        "title": _("New experiment"),
        "what": [form[name] for name in WHAT],
        "how": [form[name] for name in HOW],
        "faults": form.non_field_errors() if asked is not None else (),
        "changes": ChangesForm(asked),
    }
    return TemplateResponse(request, "admin/house/new_experiment.html", context)


def _create(request: HttpRequest, form: ExperimentForm) -> Experiment:
    told = request.POST
    changes = {name: told[name].strip() for name in CHANGEABLE if told.get(name, "").strip()}
    fields = {name: form.cleaned_data[name] for name in (*WHAT, *HOW)}
    return create_experiment(actor=request.user, now=timezone.now(), changes=changes, **fields)
