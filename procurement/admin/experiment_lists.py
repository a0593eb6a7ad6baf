"""The SKUs and the looks of experiments, to list, filter and take away as a file."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from config.kernel.admin import ReadOnlyAdmin
from procurement.admin.experiment_words import mean_told, told
from procurement.models import Experiment, ExperimentItem, ExperimentLook


@admin.register(ExperimentItem)
class ExperimentItemAdmin(ReadOnlyAdmin):
    list_display = ("sku_code", "experiment", "arm", "stratum", "before", "is_active")
    list_select_related = ("sku", "experiment")
    list_display_links = None
    list_filter = ("experiment", "arm", "stratum", "is_active", ("sku", AutocompleteSelectFilter))
    search_fields = ("sku__code", "sku__name")
    ordering = ("experiment", "sku__code")
    show_facets = admin.ShowFacets.NEVER
    empty_hint = _("SKUs are drawn when an experiment starts.")
    export_fields = ("experiment__name", "sku__code", "arm", "stratum", "covariate", "is_active")

    @display(description=_("SKU"), ordering="sku__code", header=True)
    def sku_code(self, item: ExperimentItem) -> list[str]:
        return [item.sku.code, item.sku.name]

    @display(description=_("before"), ordering="covariate")
    def before(self, item: ExperimentItem) -> str:
        return mean_told(item.experiment.metric, item.covariate)


@admin.register(ExperimentLook)
class ExperimentLookAdmin(ReadOnlyAdmin):
    list_display = ("experiment", "day", "shown_effect", "shown_low", "shown_high", "shown_p", "shown_fill")
    list_select_related = ("experiment",)
    list_filter = ("experiment",)
    ordering = ("-day", "experiment")
    empty_hint = _("Running experiments are looked at every night.")
    export_fields = (
        "experiment__name", "day", "champion_items", "challenger_items", "champion_mean", "challenger_mean", "effect",
        "low", "high", "p_value", "variance_reduction", "fill_effect", "fill_low", "fill_high",
    )  # fmt: skip

    @display(description=_("effect"), ordering="effect")
    def shown_effect(self, look: ExperimentLook) -> str:
        return told(look.experiment.metric, look.effect, signed=True)

    @display(description=_("at least"), ordering="low")
    def shown_low(self, look: ExperimentLook) -> str:
        return told(look.experiment.metric, look.low, signed=True)

    @display(description=_("at most"), ordering="high")
    def shown_high(self, look: ExperimentLook) -> str:
        return told(look.experiment.metric, look.high, signed=True)

    @display(description=_("always-valid p"), ordering="p_value")
    def shown_p(self, look: ExperimentLook) -> str:
        return f"{look.p_value:.3f}"

    @display(description=_("effect on the fill rate"), ordering="fill_effect")
    def shown_fill(self, look: ExperimentLook) -> str:
        return told(Experiment.Metric.FILL_RATE, look.fill_effect, signed=True)
