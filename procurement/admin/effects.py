"""What changed policies brought, and what measuring taught the safety stock."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.kernel.admin import ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from procurement.admin.replays import changes_in_words
from procurement.models import PolicyChange, ServiceCorrection
from procurement.services.effects import FIGURES

NAMES = {"stock_value": _("Stock value"), "fill_rate": _("Fill rate"), "cost": _("Cost a day")}
MORE_IS_BETTER = {"stock_value": False, "fill_rate": True, "cost": False}
REASONS = {
    "policy_deleted": _("Not measured: the policy was deleted."),
    "taken_back": _("Not measured: the policy is again as it was."),
    "no_items": _("Not measured: the policy holds for no SKU that is bought."),
    "changed_again": _("Not measured: the policy was changed again too soon."),
    "no_history": _("Not measured: its SKUs were not sold long enough before."),
}
# By figure, and by whether it is surely less, surely more, or neither.
_SENTENCES = {
    ("stock_value", -1): gettext_noop("Stock value fell by %(value)s, between %(least)s and %(most)s."),
    ("stock_value", 1): gettext_noop("Stock value rose by %(value)s, between %(least)s and %(most)s."),
    ("stock_value", 0): gettext_noop("Stock value: no sure change (%(low)s to %(high)s)."),
    ("fill_rate", -1): gettext_noop("The fill rate fell by %(value)s, between %(least)s and %(most)s."),
    ("fill_rate", 1): gettext_noop("The fill rate rose by %(value)s, between %(least)s and %(most)s."),
    ("fill_rate", 0): gettext_noop("The fill rate: no sure change (%(low)s to %(high)s)."),
    ("cost", -1): gettext_noop("Cost fell by %(value)s a day, between %(least)s and %(most)s."),
    ("cost", 1): gettext_noop("Cost rose by %(value)s a day, between %(least)s and %(most)s."),
    ("cost", 0): gettext_noop("Cost: no sure change (%(low)s to %(high)s a day)."),
}


def effect_in_words(effect: Mapping[str, Any] | None) -> list[str]:
    """A sentence for each figure; or why there is none."""
    if not effect:
        return [gettext("Not measured yet.")]
    if reason := effect.get("reason"):
        return [str(REASONS.get(reason, reason))]
    found = effect["figures"]
    return [_sentence(name, found[name], effect["currency"]) for name in FIGURES if name in found]


def _sentence(name: str, found: Mapping[str, float], currency: str) -> str:
    side = 1 if found["low"] > 0 else -1 if found["high"] < 0 else 0
    least, most = sorted((abs(found["low"]), abs(found["high"])))
    words = {"value": abs(found["value"]), "least": least, "most": most}
    told = {part: _told(name, value, currency) for part, value in words.items()}
    told |= {part: _told(name, found[part], currency, signed=True) for part in ("low", "high")}
    return gettext(_SENTENCES[name, side]) % told


def _told(name: str, value: float, currency: str, *, signed: bool = False) -> str:
    sign = "+" if signed and value > 0 else ""
    if name == "fill_rate":
        return gettext("%s points") % f"{sign}{number_format(100 * value, 2)}"
    return f"{sign}{number_format(value, 2, force_grouping=True)} {currency}"


@admin.register(PolicyChange)
class PolicyChangeAdmin(ReadOnlyAdmin):
    list_display = ("policy_name", "shown_changes", "item_count", "changed_at", "shown_effect")
    list_select_related = ("policy",)
    list_filter = ("policy", "changed_at", "evaluated_at")
    search_fields = ("policy_name",)
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _("Every change of a policy is kept here, and measured some weeks later.")
    export_fields = (
        "policy_name",
        "before",
        "after",
        "item_count",
        "changed_at",
        "evaluated_at",
        "days",
        "effect",
    )

    @display(description=_("changes"))
    def shown_changes(self, change: PolicyChange) -> str:
        return "; ".join(f"{name}: {value}" for name, value in changes_in_words(change.after)) or "–"

    @display(description=_("effect"))
    def shown_effect(self, change: PolicyChange) -> str:
        return " ".join(effect_in_words(change.effect))


@panel("procurement.policychange", order=10)
def change_panel(request: HttpRequest, change: PolicyChange) -> SafeString:
    before = dict(changes_in_words(change.before))
    effect = change.effect or {}
    context = {
        "change": change,
        "changes": [(name, before.get(name, "–"), after) for name, after in changes_in_words(change.after)],
        "words": effect_in_words(change.effect),
        "effect": effect,
        "rows": [_row(name, effect["figures"][name], effect["currency"]) for name in FIGURES if name in _found(effect)],
    }
    return render_panel("admin/house/policy_change.html", request, context)


def _found(effect: Mapping[str, Any]) -> Mapping[str, Any]:
    return effect.get("figures", {})  # type: ignore[no-any-return]


def _row(name: str, found: Mapping[str, float], currency: str) -> dict[str, Any]:
    is_sure = found["low"] > 0 or found["high"] < 0
    is_good = (found["value"] > 0) == MORE_IS_BETTER[name]

    def whole(value: float) -> str:
        return f"{number_format(100 * value, 2)} %" if name == "fill_rate" else _told(name, value, currency)

    return {
        "name": NAMES[name],
        "real": whole(found["real"]),
        "counterfactual": whole(found["counterfactual"]),
        "difference": {part: _told(name, found[part], currency, signed=True) for part in ("value", "low", "high")},
        "verdict": ("good" if is_good else "bad") if is_sure else "",
    }


@admin.register(ServiceCorrection)
class ServiceCorrectionAdmin(ReadOnlyAdmin):
    list_display = ("warehouse", "segment", "shown_factor", "shown_asked", "shown_realised", "item_count", "learned_at")
    list_select_related = ("warehouse",)
    list_filter = ("warehouse",)
    search_fields = ("segment", "warehouse__code")
    empty_hint = _("Learned every week from segments of ten SKUs and more.")
    export_fields = (
        "warehouse__code",
        "segment",
        "factor",
        "asked",
        "realised",
        "item_count",
        "days",
        "learned_at",
    )

    @display(description=_("safety stock times"), ordering="factor")
    def shown_factor(self, row: ServiceCorrection) -> str:
        return f"× {row.factor:.2f}"

    @display(description=_("asked for"), ordering="asked")
    def shown_asked(self, row: ServiceCorrection) -> str:
        return f"{100 * row.asked:.1f} %"

    @display(description=_("realised"), ordering="realised")
    def shown_realised(self, row: ServiceCorrection) -> str:
        return f"{100 * row.realised:.1f} %"
