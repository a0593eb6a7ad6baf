"""How long suppliers really take, beside what they state."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import ReadOnlyAdmin, panel, render_panel
from procurement.models import LeadTimeProfile, Supplier


@admin.register(LeadTimeProfile)
class LeadTimeProfileAdmin(ReadOnlyAdmin):
    list_display = ("supplier", "sku", "deliveries", "stated", "mean", "deviation", "p95", "on_time", "late", "weight")
    list_select_related = ("supplier", "sku")
    list_filter = ("supplier", ("sku", AutocompleteSelectFilter))
    search_fields = ("supplier__code", "supplier__name", "sku__code", "sku__name")
    ordering = ("supplier__code", "sku__code")
    empty_hint = _("Lead times are learned from receipts, every night and with every plan.")
    export_fields = (
        "supplier__code",
        "sku__code",
        "deliveries",
        "open_orders",
        "mean_days",
        "sd_days",
        "p50_days",
        "p95_days",
        "late_days",
        "on_time_share",
        "own_weight",
        "learned_at",
    )

    @display(description=_("stated (days)"))
    def stated(self, profile: LeadTimeProfile) -> int:
        return profile.supplier.lead_time_days

    @display(description=_("mean (days)"), ordering="mean_days")
    def mean(self, profile: LeadTimeProfile) -> str:
        return f"{profile.mean_days:.1f}"

    @display(description=_("deviation (days)"), ordering="sd_days")
    def deviation(self, profile: LeadTimeProfile) -> str:
        return f"{profile.sd_days:.1f}"

    @display(description=_("95 of 100 within"), ordering="p95_days")
    def p95(self, profile: LeadTimeProfile) -> str:
        return f"{profile.p95_days:.0f}"

    @display(description=_("on time"), ordering="on_time_share")
    def on_time(self, profile: LeadTimeProfile) -> str:
        return "–" if profile.on_time_share is None else f"{profile.on_time_share:.0%}"

    @display(description=_("late by (days)"), ordering="late_days")
    def late(self, profile: LeadTimeProfile) -> str:
        return "–" if profile.late_days is None else f"{profile.late_days:+.1f}"

    @display(description=_("own weight"), ordering="own_weight")
    def weight(self, profile: LeadTimeProfile) -> str:
        return f"{profile.own_weight:.0%}"


@panel("procurement.supplier", order=20, permission="procurement.view_leadtimeprofile")
def lead_times_panel(request: HttpRequest, supplier: Supplier) -> SafeString | None:
    """Stated against learned; left out before the first delivery."""
    rows = LeadTimeProfile.objects.filter(supplier=supplier, deliveries__gt=0).select_related("sku")
    profiles = list(rows.order_by("sku__code")[:200])
    if not profiles:
        return None
    of_all = [profile for profile in profiles if profile.sku_id is None]
    of_items = [profile for profile in profiles if profile.sku_id is not None]
    context = {"supplier": supplier, "profiles": [*of_all, *of_items]}
    return render_panel("admin/house/lead_times.html", request, context)
