"""One override for many forecasts at once: chosen in the workbench, tried, shown in units and money, then set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.admin.actions import show_error
from config.kernel.admin.reading import typed_day, typed_quantity
from config.kernel.errors import Conflict, DomainError, ValidationFailed
from forecasting.models import Forecast, ForecastOverride, ForecastRun
from forecasting.selectors import latest_run
from forecasting.selectors.adjusted import adjusted_days
from forecasting.selectors.overrides import Effect, override_effects
from forecasting.services.overrides import MAX_AT_ONCE, OverrideEntry, set_overrides

ADD = "forecasting.add_forecastoverride"
_SHOWN_ROWS = 200
_ASKED = ("kind", "value", "starts_on", "ends_on", "expires_on", "reason")


@dataclass(frozen=True, slots=True)
class Tried:
    """One forecast in the span: units as the model has them, as they stand now, and as they would be."""

    forecast: Forecast
    model: float
    before: float
    after: float
    unit_cost: float

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def money(self) -> float:
        return self.change * self.unit_cost


def override_view(request: HttpRequest) -> HttpResponse:
    """POST only: `rows` names forecasts by id; `step` is preview or save, anything else shows the empty form."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    numbers = [int(part) for part in request.POST.get("rows", "").split(",") if part.isdecimal() and len(part) < 19]
    return override_page(request, numbers[: MAX_AT_ONCE + 1], step=request.POST.get("step", ""))


def override_page(request: HttpRequest, numbers: Sequence[int], *, step: str = "") -> HttpResponse:
    run, rows = latest_run(), _rows(request, numbers)
    asked = {name: request.POST.get(name, "").strip() for name in _ASKED} if step else blank_question()
    context: dict[str, Any] = {"asked": asked, "rows": rows, "run": run, "tried": None, "confirm": False}
    if run is None or not rows or len(rows) > MAX_AT_ONCE:
        messages.error(request, _("Choose 1 to %d forecasts of the latest run.") % MAX_AT_ONCE)
        return HttpResponseRedirect(reverse("admin:forecasting_forecast_changelist"))
    try:
        if step:
            entries = [_entry(row, asked) for row in rows]
            if step == "save":
                return _save(request, rows, entries)
            context["tried"] = preview(run, rows, entries, author=request.user)
    except Conflict as error:
        show_error(request, error)
        context |= {"confirm": error.code == "confirmation_needed"}
        context["tried"] = preview(run, rows, [_entry(row, asked) for row in rows], author=request.user)
    except DomainError as error:
        _say(request, error, len(rows))
    return _page(request, context)


def _rows(request: HttpRequest, numbers: Sequence[int]) -> list[Forecast]:
    """The chosen rows the actor may see, of the run in force: an older row stands for its SKU and warehouse."""
    seen = Forecast.objects.for_actor(request.user).filter(pk__in=numbers)
    pairs = set(seen.values_list("sku_id", "warehouse_id"))
    newest = Forecast.objects.filter(run=latest_run(), sku_id__in={sku for sku, _place in pairs})
    fields = newest.select_related("sku", "warehouse").defer("quantiles", "protection_quantiles", "scores", "reason")
    return [row for row in fields.order_by("sku__code", "warehouse__code") if (row.sku_id, row.warehouse_id) in pairs]


def blank_question() -> dict[str, str]:
    """The form before anything was typed: the week that begins today."""
    today = timezone.localdate()
    span = {"starts_on": today.isoformat(), "ends_on": (today + timedelta(days=6)).isoformat()}
    return {"kind": ForecastOverride.Kind.FACTOR, "value": "", "expires_on": "", "reason": "", **span}


def _entry(row: Forecast, asked: dict[str, str]) -> OverrideEntry:
    value, first, last = typed_quantity(asked["value"]), typed_day(asked["starts_on"]), typed_day(asked["ends_on"])
    if value is None or first is None or last is None:
        raise ValidationFailed(_("Say how much, and from which day to which."))
    return OverrideEntry(
        kind=asked["kind"],
        value=value,
        starts_on=first,
        ends_on=last,
        reason=asked["reason"],
        sku_code=row.sku.code,
        warehouse_code=row.warehouse.code,
        expires_on=typed_day(asked["expires_on"]),
    )


def preview(
    run: ForecastRun, rows: Sequence[Forecast], entries: Sequence[OverrideEntry], *, author: Any
) -> list[Tried]:
    """What the entries would do: they are set, read back with all that rules beside them, and undone."""
    now, skus = timezone.now(), {row.sku_id for row in rows}
    today = timezone.localdate(now)
    before = override_effects(run, on=today, sku_ids=skus)
    with transaction.atomic():
        set_overrides(entries, author=author, now=now, is_confirmed=True)
        after = override_effects(run, on=today, sku_ids=skus)
        transaction.set_rollback(True)
    first, last = entries[0].starts_on, entries[0].ends_on
    return [_tried(run, row, before, after, first, last) for row in rows]


def _tried(
    run: ForecastRun, row: Forecast, before: dict[Any, Effect], after: dict[Any, Effect], first: date, last: date
) -> Tried:
    start, pair = run.as_of + timedelta(days=1), (row.sku_id, row.warehouse_id)
    span = slice(max((first - start).days, 0), max((last - start).days + 1, 0))
    units = [sum(adjusted_days(row.mean, effect)[span]) for effect in ((), before.get(pair, ()), after.get(pair, ()))]
    cost = row.value_at_stake / row.protection_mean if row.protection_mean > 0 else 0.0
    return Tried(row, units[0], units[1], units[2], cost)


def _save(request: HttpRequest, rows: Sequence[Forecast], entries: Sequence[OverrideEntry]) -> HttpResponse:
    confirmed = bool(request.POST.get("is_confirmed"))
    count = len(set_overrides(entries, author=request.user, now=timezone.now(), is_confirmed=confirmed))
    messages.success(request, ngettext("%d override was set.", "%d overrides were set.", count) % count)
    if len(rows) == 1:
        return HttpResponseRedirect(reverse("admin:forecasting_forecast_change", args=[rows[0].pk]))
    return HttpResponseRedirect(reverse("admin:forecasting_forecast_changelist") + "?overridden=yes")


def _say(request: HttpRequest, error: DomainError, count: int) -> None:
    """A fault of what was typed is the same in every line: said once, without a line."""
    said = list(dict.fromkeys(str(item["message"]) for item in error.items if item.get("message")))
    for words in said or [str(error)]:
        messages.error(request, words)


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    tried = context["tried"]
    rows = context["rows"]
    context |= {
        **admin.site.each_context(request),
        "title": ngettext("Override %d forecast", "Override %d forecasts", len(rows)) % len(rows),
        "row_ids": ",".join(str(row.pk) for row in rows),
        "kinds": ForecastOverride.Kind.choices,
        "currency": settings.COMPANY_CURRENCY,
        "back_url": reverse("admin:forecasting_forecast_changelist"),
        "shown": sorted(tried, key=lambda one: -abs(one.money))[:_SHOWN_ROWS] if tried else [],
        "sums": {
            name: sum(getattr(one, name) for one in tried) for name in ("model", "before", "after", "change", "money")
        }
        if tried
        else None,
    }
    return TemplateResponse(request, "admin/house/override_forecasts.html", context)
