"""Overrides: what planners add to the forecasts; set here one at a time, withdrawn, never changed or deleted."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.widgets import UnfoldBooleanWidget

from config.kernel.admin import HouseAdmin, PageAction
from config.kernel.errors import DomainError
from forecasting.models import ForecastOverride
from forecasting.selectors.overrides import overrides_in_force
from forecasting.services.overrides import OverrideEntry, set_override, withdraw_override

WITHDRAW = "forecasting.withdraw_forecastoverride"
_CODES = ("sku", "category", "warehouse", "channel")
_PLAIN = ("kind", "value", "starts_on", "ends_on", "reason")
STATES = {
    "in_force": pgettext_lazy("override", "In force"),
    "expired": _("Expired"),
    "withdrawn": _("Withdrawn"),
}


class OverrideForm(forms.ModelForm):
    """The service judges what was entered: it is tried and undone, then done when the form is saved."""

    author: Any = None
    is_confirmed = forms.BooleanField(
        label=_("I mean it"),
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=_("Needed where it comes to more than ten times the forecast."),
    )

    class Meta:
        model = ForecastOverride
        fields = (*_CODES, *_PLAIN, "expires_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "expires_on" in self.fields:
            self.fields["expires_on"].required = False
            self.fields["expires_on"].help_text = _("The first day no plan uses it any more. Empty: after its end.")

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or {}
        if self.errors:
            return entered
        try:
            with transaction.atomic():
                self.set_override(entered)
                transaction.set_rollback(True)
        except DomainError as error:
            raise ValidationError([str(item.get("message", error)) for item in error.items] or str(error)) from error
        return entered

    def set_override(self, entered: dict[str, Any]) -> ForecastOverride:
        codes: dict[str, Any] = {f"{name}_code": row.code if (row := entered.get(name)) else "" for name in _CODES}
        plain: dict[str, Any] = {name: entered[name] for name in _PLAIN}
        entry = OverrideEntry(**plain, **codes, expires_on=entered.get("expires_on") or None)
        return set_override(
            entry, author=self.author, now=timezone.now(), is_confirmed=entered.get("is_confirmed", False)
        )

    def _get_validation_exclusions(self) -> set[str]:
        """The service fills in an expiry that was left empty, and judges the constraints."""
        return {*super()._get_validation_exclusions(), "expires_on"}  # type: ignore[misc]

    def validate_constraints(self) -> None:
        """Said by the service, in words."""


class InForceFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        today = timezone.localdate()
        if self.value() == "in_force":
            return queryset.filter(pk__in=overrides_in_force(on=today).values("pk"))
        if self.value() == "expired":
            return queryset.filter(withdrawn_at=None, expires_on__lte=today)
        return queryset.exclude(withdrawn_at=None) if self.value() == "withdrawn" else queryset


class AuthorFilter(admin.SimpleListFilter):
    title = _("author")
    parameter_name = "author"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        rows = ForecastOverride.objects.order_by("author__username").values_list("author_id", "author__username")
        return list(rows.distinct())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value() or ""
        return queryset.filter(author_id=int(value)) if value.isdecimal() else queryset


def _withdraw(request: HttpRequest, override: ForecastOverride) -> str:
    withdraw_override(override.pk, actor=request.user, now=timezone.now())
    return gettext("Withdrawn. No plan uses it from now on.")


@admin.register(ForecastOverride)
class ForecastOverrideAdmin(HouseAdmin):
    form = OverrideForm
    list_display = ("shown_scope", "shown_value", "shown_state", "starts_on", "ends_on", "author", "reason")
    list_select_related = ("sku", "category", "warehouse", "channel", "author")
    autocomplete_fields = ("sku", "category", "warehouse", "channel")
    list_filter = (InForceFilter, AuthorFilter, ("sku", AutocompleteSelectFilter), "category", "kind", "warehouse")
    search_fields = ("sku__code", "sku__name", "category__code", "reason")
    search_help_text = _("SKU, category or reason")
    ordering = ("-pk",)
    export_fields = (
        "pk",
        "sku__code",
        "category__code",
        "warehouse__code",
        "channel__code",
        "kind",
        "value",
        "starts_on",
        "ends_on",
        "expires_on",
        "reason",
        "author__username",
        "created_at",
        "withdrawn_by__username",
        "withdrawn_at",
    )
    empty_hint = _("Add an override where you know what the demand so far cannot tell: a promotion, a lost customer.")
    actions = ("withdraw_selected",)
    page_actions = (
        PageAction(
            "withdraw",
            _("Withdraw"),
            WITHDRAW,
            _withdraw,
            style="danger",
            confirm=_("Leave these days to the forecast again?"),
            is_offered=lambda override: override.withdrawn_at is None,
        ),
    )

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(WITHDRAW)

    @admin.action(description=_("Withdraw selected"), permissions=["withdraw"])
    def withdraw_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        """All or none: one that was withdrawn before is left out, not a fault."""
        with transaction.atomic():
            numbers = list(queryset.filter(withdrawn_at=None).order_by("pk").values_list("pk", flat=True))
            for number in numbers:
                withdraw_override(number, actor=request.user, now=timezone.now())
        count = len(numbers)
        messages.success(request, ngettext("%d override was withdrawn.", "%d overrides were withdrawn.", count) % count)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return (*_CODES, *_PLAIN, "expires_on", "is_confirmed")
        return (*_CODES, *_PLAIN, "expires_on", "author", "created_at", "withdrawn_by", "withdrawn_at")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.author = request.user
        return form

    def save_model(self, request: HttpRequest, obj: ForecastOverride, form: Any, change: bool) -> None:
        obj.__dict__.update(form.set_override(form.cleaned_data).__dict__)

    @display(description=_("SKU or category"), header=True)
    def shown_scope(self, override: ForecastOverride) -> list[str]:
        what = override.sku or override.category
        where = [str(row) for row in (override.warehouse, override.channel) if row]
        return [what.code if what else "–", " · ".join(where) or gettext("everywhere")]

    @display(description=_("value"))
    def shown_value(self, override: ForecastOverride) -> str:
        words = {"factor": "× %s", "change": gettext("%s a day"), "set": gettext("%s in all")}
        sign = "+" if override.kind == "change" and override.value > 0 else ""
        return words[override.kind] % f"{sign}{override.value.normalize():f}"

    @display(description=_("state"), label={"in_force": "success", "expired": "info", "withdrawn": "danger"})
    def shown_state(self, override: ForecastOverride) -> tuple[str, Any]:
        state = "in_force" if override.expires_on > timezone.localdate() else "expired"
        state = "withdrawn" if override.withdrawn_at else state
        return state, STATES[state]
