"""The form that makes a scenario, and up to four of them beside the plan."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, FloatField
from django.db.models.functions import Abs, Cast
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from catalog.models import Category
from config.kernel.admin.actions import show_error
from config.kernel.admin.reading import typed_id
from config.kernel.charts import Figure, bar_chart
from config.kernel.errors import DomainError, ValidationFailed
from procurement.models import Policy, Scenario, ScenarioLine, Supplier
from procurement.services.assumptions import ASSUMPTIONS
from procurement.services.scenarios import MOST_COMPARED, compared, queue_scenario
from warehouses.models import Warehouse

ADD, VIEW = "procurement.add_scenario", "procurement.view_scenario"
SCOPE: dict[str, Any] = {"category": Category, "supplier": Supplier, "warehouse": Warehouse}
_SHOWN = 60


def assumptions_in_words(assumptions: Mapping[str, Any]) -> list[tuple[str, str]]:
    targets = dict(Policy.Target.choices)
    told = []
    for name, value in assumptions.items():
        words = targets.get(value, value) if name == "target" else f"{value:g}"
        told.append((str(ASSUMPTIONS[name].label) if name in ASSUMPTIONS else name, str(words)))
    return told


def new_scenario_view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    if request.method == "POST":
        try:
            scenario = _queue(request)
        except DomainError as error:
            show_error(request, error)
        else:
            messages.success(request, _("The scenario was queued."))
            return HttpResponseRedirect(reverse("admin:procurement_scenario_change", args=[scenario.pk]))
    targets = dict(Policy.Target.choices)
    context = {
        **admin.site.each_context(request),
        "title": _("New scenario"),
        "name": request.POST.get("name", ""),
        "note": request.POST.get("note", ""),
        "fields": [
            {
                "name": name,
                "one": one,
                "value": request.POST.get(name, ""),
                "choices": [(code, targets[code]) for code in one.choices],
            }
            for name, one in ASSUMPTIONS.items()
        ],
        "scopes": [
            (name, model._meta.verbose_name, model.objects.for_actor(request.user), request.POST.get(name, ""))
            for name, model in SCOPE.items()
        ],
    }
    return TemplateResponse(request, "admin/house/new_scenario.html", context)


def _queue(request: HttpRequest) -> Scenario:
    told = request.POST
    name = told.get("name", "").strip()
    if not name:
        raise ValidationFailed(_("Give the scenario a name."))
    scope = {}
    for field, model in SCOPE.items():
        if told.get(field):
            found = model.objects.for_actor(request.user).filter(pk=typed_id(told[field])).first()
            if found is None:
                raise ValidationFailed(_("The form was incomplete; load the page again."))
            scope[field] = found
    return queue_scenario(
        name=name,
        note=told.get("note", "").strip(),
        assumptions={field: told.get(field, "").strip() for field in ASSUMPTIONS},
        actor=request.user,
        scope=scope,
    )


def compare_url(ids: Sequence[int]) -> str:
    return f"{reverse('admin:procurement_scenario_compare')}?{urlencode({'ids': ','.join(map(str, ids))})}"


def compare_view(request: HttpRequest) -> HttpResponse:
    """`?ids=` names up to four; without it the newest that are worked out."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    asked = [int(part) for part in request.GET.get("ids", "").split(",") if part.isdecimal() and len(part) < 19]
    mine = Scenario.objects.for_actor(request.user).exclude(result=None)
    if not asked:
        asked = list(mine.values_list("pk", flat=True)[:2])
    scenarios = compared(asked, actor=request.user)
    context = {
        **admin.site.each_context(request),
        "title": _("Scenarios side by side"),
        "scenarios": scenarios,
        "table": sums_table(scenarios) if scenarios else None,
        "figures": _figures(scenarios) if scenarios else [],
        "lines": _lines(scenarios),
        "choices": _choices(mine, [scenario.pk for scenario in scenarios]),
        "most": MOST_COMPARED,
        "lines_url": f"{reverse('admin:procurement_scenarioline_changelist')}?differs=yes",
    }
    return TemplateResponse(request, "admin/house/scenario_compare.html", context)


def _choices(mine: Any, chosen: list[int]) -> list[dict[str, Any]]:
    """The newest scenarios as switches: chosen ones lead to the page without them."""
    options = []
    for pk, name in mine.values_list("pk", "name")[:12]:
        others = [one for one in chosen if one != pk]
        wanted = others if pk in chosen else [*others, pk][-MOST_COMPARED:]
        options.append({"name": name, "url": compare_url(wanted) if wanted else "?", "is_chosen": pk in chosen})
    return options


_FIGURES = ("order_value", "orders", "units", "expected_stock_value", "expected_fill_rate")


def _names(currency: str) -> dict[str, str]:
    return {
        "order_value": _("Order value (%s)") % currency,
        "orders": _("Lines to order"),
        "units": _("Units to order"),
        "expected_stock_value": _("Expected stock value (%s)") % currency,
        "expected_fill_rate": _("Expected fill rate"),
    }


def sums_table(scenarios: Sequence[Scenario]) -> dict[str, Any]:
    """A row a figure; of each scenario its own, and how far it is from the plan for the same scope.

    The plan's column stands for all where they are of the same scope and run, else each has its own."""
    first = scenarios[0].result or {}
    is_shared = all((one.result or {}).get("plan") == first.get("plan") for one in scenarios)
    rows = []
    for figure, name in _names(first.get("currency", "")).items():
        cells = []
        for scenario in scenarios:
            result = scenario.result or {}
            plan, own = result["plan"][figure], result["scenario"][figure]
            cells.append({"plan": _told(figure, plan), "own": _told(figure, own), "apart": _apart(figure, plan, own)})
        rows.append({"name": name, "plan": _told(figure, first["plan"][figure]), "cells": cells})
    return {"rows": rows, "is_shared": is_shared, "scenarios": scenarios}


def _told(figure: str, value: float | None) -> str:
    if value is None:
        return "–"
    if figure == "expected_fill_rate":
        return f"{number_format(100 * value, 2)} %"
    return number_format(value, 0, force_grouping=True)


def _apart(figure: str, plan: float | None, own: float | None) -> str:
    if plan is None or own is None:
        return ""
    if figure == "expected_fill_rate":
        return _("%s points") % f"{100 * (own - plan):+.2f}"
    return f"{100 * (own / plan - 1):+.1f} %" if plan else ""


def _figures(scenarios: Sequence[Scenario]) -> list[Figure]:
    """Order and stock value side by side; the plan is the first scenario's."""
    names = _names((scenarios[0].result or {}).get("currency", ""))
    labels = [_("Plan"), *(scenario.name[:24] for scenario in scenarios)]
    figures = []
    for figure in ("order_value", "expected_stock_value"):
        values = [(scenarios[0].result or {})["plan"][figure]]
        values += [(scenario.result or {})["scenario"][figure] for scenario in scenarios]
        figures.append(bar_chart(labels, values, title=names[figure], value_name=names[figure]))
    return figures


def _lines(scenarios: Sequence[Scenario]) -> list[dict[str, Any]]:
    """The SKUs and warehouses that differ most from the plan in any of them, each scenario's quantity beside it."""
    rows = ScenarioLine.objects.filter(scenario__in=scenarios).exclude(quantity=F("plan_quantity"))
    apart = Abs(Cast(F("quantity") - F("plan_quantity"), FloatField())) * (F("order_value") + 1.0)
    worst = rows.annotate(size=apart).order_by("-size", "pk").values_list("sku_id", "warehouse_id")[: _SHOWN * 2]
    pairs = list(dict.fromkeys(worst))[:_SHOWN]
    found = ScenarioLine.objects.filter(scenario__in=scenarios, sku_id__in={sku for sku, _place in pairs})
    by_pair: dict[tuple[int, int], dict[int, ScenarioLine]] = {}
    for line in found.select_related("sku", "warehouse"):
        by_pair.setdefault((line.sku_id, line.warehouse_id), {})[line.scenario_id] = line
    told = []
    for pair in pairs:
        lines = by_pair[pair]
        first = next(iter(lines.values()))
        told.append(
            {
                "sku": first.sku,
                "warehouse": first.warehouse,
                "plan": first.plan_quantity,
                "cells": [lines.get(scenario.pk) for scenario in scenarios],
            }
        )
    return told
