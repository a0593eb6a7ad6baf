"""Quotas: units that only one channel may take; planners set, change and release them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import HouseAdmin, PageAction
from config.kernel.errors import DomainError
from config.kernel.templatetags.house import units
from warehouses.models import ChannelQuota
from warehouses.services.quotas import release_quota, set_quota

CHANGE = "warehouses.change_channelquota"
STATES = {
    "open": pgettext_lazy("quota", "Open"),
    "used": _("Used up"),
    "expired": _("Expired"),
    "released": _("Released"),
}


class QuotaForm(forms.ModelForm):
    """The service judges what was entered: it is tried and undone, then done when the form is saved."""

    class Meta:
        model = ChannelQuota
        fields = ("channel", "sku", "quantity", "expires_at")

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or {}
        if self.errors:
            return entered
        try:
            with transaction.atomic():
                self.set_quota(entered)
                transaction.set_rollback(True)
        except DomainError as error:
            raise ValidationError([str(item.get("message", error)) for item in error.items] or str(error)) from error
        return entered

    def set_quota(self, entered: dict[str, Any]) -> ChannelQuota:
        quota, _is_new = set_quota(
            channel_code=(entered.get("channel") or self.instance.channel).code,
            sku_code=(entered.get("sku") or self.instance.sku).code,
            quantity=entered["quantity"],
            expires_at=entered["expires_at"],
            now=timezone.now(),
        )
        return quota


def _release(request: HttpRequest, quota: ChannelQuota) -> str:
    release_quota(quota.pk, now=timezone.now(), actor=request.user)
    return gettext("What was left of it is everybody's stock.")


@admin.register(ChannelQuota)
class ChannelQuotaAdmin(HouseAdmin):
    form = QuotaForm
    list_display = ("sku_code", "channel", "shown_state", "quantity", "used", "left", "expires_at", "released_at")
    list_select_related = ("sku", "channel")
    autocomplete_fields = ("sku", "channel")
    list_filter = ("channel", ("released_at", admin.EmptyFieldListFilter), ("sku", AutocompleteSelectFilter))
    search_fields = ("sku__code", "sku__name", "channel__code")
    export_fields = ("channel__code", "sku__code", "quantity", "used", "expires_at", "released_at")
    empty_hint = _("Add a quota to keep units of a SKU for one channel; without quotas all channels share the stock.")
    page_actions = (
        PageAction(
            "release",
            _("Release"),
            CHANGE,
            _release,
            style="danger",
            confirm=_("Give what is left of this quota to everybody?"),
            is_offered=lambda quota: quota.released_at is None,
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.released_at is None)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("channel", "sku") if obj else ()

    def save_model(self, request: HttpRequest, obj: ChannelQuota, form: Any, change: bool) -> None:
        obj.__dict__.update(form.set_quota(form.cleaned_data).__dict__)

    @display(description=_("SKU"), ordering="sku__code")
    def sku_code(self, quota: ChannelQuota) -> str:
        return quota.sku.code

    @display(
        description=_("state"),
        label={"open": "success", "used": "warning", "expired": "danger", "released": "info"},
    )
    def shown_state(self, quota: ChannelQuota) -> tuple[str, Any]:
        state = "open" if quota.used < quota.quantity else "used"
        if quota.released_at:
            state = "released"
        elif quota.expires_at and quota.expires_at <= timezone.now():
            state = "expired"
        return state, STATES[state]

    @display(description=_("left"))
    def left(self, quota: ChannelQuota) -> str:
        return units(quota.quantity - quota.used)
