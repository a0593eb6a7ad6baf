"""Experiments: listed, previewed, started, watched look by look, stopped, and adopted when the challenger has won."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Avg, Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from config.kernel.admin import PageAction, ReadOnlyAdmin, panel, render_panel
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.charts import Figure, Seen, effect_chart
from procurement.admin.experiment_form import ADD, new_experiment_view
from procurement.admin.experiment_words import event_in_words, fill_in_words, look_in_words, mean_told, told
from procurement.admin.replays import changes_in_words
from procurement.models import Experiment, ExperimentItem, ExperimentLook
from procurement.services.experiments import (
    adopt_challenger,
    preview_experiment,
    start_experiment,
    stop_experiment,
)
from procurement.services.experiments.previewing import count_candidates

RUN = "procurement.run_experiment"
STATUS_LABELS = {"draft": "default", "running": "info", "stopped": "warning", "completed": "success"}
VERDICT_LABELS = {"challenger": "success", "champion": "info", "harm": "danger", "none": "default"}
VERDICT_TAGS = {"challenger": "done", "champion": "open", "harm": "failed"}
# A preview of more SKUs takes its time: only when asked for.
PREVIEWED_AT_ONCE = 1000
ARMS = ExperimentItem.Arm


def _start(request: HttpRequest, experiment: Experiment) -> str:
    start_experiment(experiment.pk, actor=request.user, now=timezone.now())
    return gettext("Started: the next plan goes by the arms.")


def _stop(request: HttpRequest, experiment: Experiment) -> str:
    note = request.POST.get("note", "")[:300]
    stop_experiment(experiment.pk, actor=request.user, now=timezone.now(), note=note)
    return gettext("Stopped: all SKUs are planned by the champion again.")


def _adopt(request: HttpRequest, experiment: Experiment) -> str:
    policy = adopt_challenger(experiment.pk, actor=request.user, now=timezone.now())
    return gettext("Adopted: the policy “%(name)s” is as the challenger was.") % {"name": policy.name}


def _is_adoptable(experiment: Experiment) -> bool:
    won = experiment.verdict == Experiment.Verdict.CHALLENGER
    return won and not experiment.events.filter(kind="adopted").exists()


@admin.register(Experiment)
class ExperimentAdmin(ReadOnlyAdmin):
    list_display = ("name", "shown_status", "metric", "shown_effect", "shown_verdict", "shown_day", "scope")
    list_select_related = ("category", "warehouse")
    list_filter = ("status", "verdict", "metric", "warehouse")
    search_fields = ("name", "hypothesis")
    change_form_template = DOCUMENT_TEMPLATE
    list_before_template = "admin/house/experiment_bar.html"
    empty_hint = _("Try a policy on some SKUs before it holds for all.")
    export_fields = ("name", "status", "verdict", "metric", "changes", "share", "starts_on", "ends_on", "planned_days")
    page_actions = (
        PageAction(
            "start",
            _("Start"),
            RUN,
            _start,
            style="primary",
            confirm=_("Draw the arms and start? The next plan goes by them."),
            is_offered=lambda experiment: experiment.status == Experiment.Status.DRAFT,
        ),
        PageAction("stop", _("Stop"), RUN, _stop, in_bar=False),
        PageAction(
            "adopt",
            _("Adopt the challenger"),
            RUN,
            _adopt,
            style="primary",
            confirm=_("Make the challenger the policy of all SKUs of the experiment's scope?"),
            is_offered=_is_adoptable,
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        form = self.admin_site.admin_view(new_experiment_view)
        return [path("new/", form, name="procurement_experiment_new"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"may_add": request.user.has_perm(ADD), **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        looks = ExperimentLook.objects.filter(experiment=OuterRef("pk")).order_by("-day")
        parts = JSONObject(effect="effect", low="low", high="high", day="day")
        rows = super().get_queryset(request).select_related("category", "warehouse")
        return rows.annotate(newest=Subquery(looks.values(found=parts)[:1]))

    @display(description=_("status"), ordering="status", label=STATUS_LABELS)
    def shown_status(self, experiment: Experiment) -> tuple[str, str]:
        return experiment.status, experiment.get_status_display()

    @display(description=_("verdict"), ordering="verdict", label=VERDICT_LABELS)
    def shown_verdict(self, experiment: Experiment) -> tuple[str, str]:
        return experiment.verdict, experiment.get_verdict_display()

    @display(description=_("effect"))
    def shown_effect(self, experiment: Any) -> str:
        if not experiment.newest:
            return "–"
        effect, low, high = (
            told(experiment.metric, experiment.newest[name], signed=True) for name in ("effect", "low", "high")
        )
        return f"{effect} ({low} … {high})"

    @display(description=_("day"))
    def shown_day(self, experiment: Any) -> str:
        return progress(experiment, (experiment.newest or {}).get("day"))

    @display(description=_("of"))
    def scope(self, experiment: Experiment) -> str:
        parts = [str(part) for part in (experiment.category, experiment.warehouse) if part]
        return " · ".join(parts) or gettext("everything")


def progress(experiment: Experiment, day: Any) -> str:
    """12 of 56; before the first look a dash."""
    if not day or experiment.starts_on is None:
        return gettext("– of %(planned)d") % {"planned": experiment.planned_days}
    seen = date.fromisoformat(str(day)[:10])
    counted = (seen - experiment.starts_on).days - experiment.burn_in_days + 1
    return gettext("%(day)d of %(planned)d") % {"day": counted, "planned": experiment.planned_days}


@panel("procurement.experiment", order=10)
def experiment_panel(request: HttpRequest, experiment: Experiment) -> SafeString:
    looks = list(experiment.looks.order_by("day"))
    last = looks[-1] if looks else None
    is_running = experiment.status == Experiment.Status.RUNNING
    stop = reverse("admin:procurement_experiment_do", args=[experiment.pk, "stop"])
    segments = _segments(experiment)
    context = {
        "experiment": experiment,
        "verdict_tag": VERDICT_TAGS.get(experiment.verdict, ""),
        "changes": changes_in_words(experiment.changes),
        "progress": progress(experiment, last.day if last else None),
        "look": last,
        "words": look_in_words(experiment, last) if last else "",
        "fill_words": fill_in_words(experiment, last) if last else "",
        "unit": _unit(experiment),
        "effect_figure": _effect_figure(experiment, looks) if looks else None,
        "fill_figure": _fill_figure(experiment, looks) if looks else None,
        "segments": segments,
        "has_items": bool(segments),
        "items_url": _items_url(experiment),
        "looks_url": f"{reverse('admin:procurement_experimentlook_changelist')}?experiment__id__exact={experiment.pk}",
        "stop_url": stop if is_running and request.user.has_perm(RUN) else "",
    }
    return render_panel("admin/house/experiment.html", request, context)


@panel("procurement.experiment", order=20)
def experiment_preview_panel(request: HttpRequest, experiment: Experiment) -> SafeString | None:
    """Of drafts: who would take part, and what could be seen in how many days."""
    if experiment.status != Experiment.Status.DRAFT:
        return None
    count = count_candidates(experiment)
    is_shown = count <= PREVIEWED_AT_ONCE or "preview" in request.GET
    preview = preview_experiment(experiment) if is_shown else None
    context = {
        "count": count,
        "preview": preview,
        "days": [(told(experiment.metric, effect), days) for effect, days in preview.days] if preview else [],
        "planned": experiment.planned_days,
        "burn_in": experiment.burn_in_days,
    }
    return render_panel("admin/house/experiment_preview.html", request, context)


@panel("procurement.experiment", order=30)
def experiment_log_panel(request: HttpRequest, experiment: Experiment) -> SafeString:
    events = experiment.events.select_related("actor").order_by("-pk")
    return render_panel(
        "admin/house/diary.html", request, {"events": [event_in_words(experiment, event) for event in events]}
    )


def _unit(experiment: Experiment) -> str:
    units = {
        Experiment.Metric.COST: gettext("Challenger − champion, cost a day and SKU"),
        Experiment.Metric.STOCK_VALUE: gettext("Challenger − champion, stock value a SKU"),
        Experiment.Metric.FILL_RATE: gettext("Challenger − champion, in points"),
    }
    return units[Experiment.Metric(experiment.metric)]


def _effect_figure(experiment: Experiment, looks: list[ExperimentLook]) -> Figure:
    times = 100.0 if experiment.metric == Experiment.Metric.FILL_RATE else 1.0
    seen = [Seen(look.day, times * look.effect, times * look.low, times * look.high) for look in looks]
    return effect_chart(seen, title=gettext("Effect, look by look"), say=_two)


def _fill_figure(experiment: Experiment, looks: list[ExperimentLook]) -> Figure:
    seen = [Seen(look.day, 100 * look.fill_effect, 100 * look.fill_low, 100 * look.fill_high) for look in looks]
    limit = -100.0 * float(experiment.harm_limit)
    name = gettext("Harm limit")
    return effect_chart(seen, title=gettext("Guard rail: the fill rate"), limit=limit, limit_name=name, say=_two)


def _two(value: float) -> str:
    return str(number_format(value, 2, force_grouping=True))


def _segments(experiment: Experiment) -> list[dict[str, Any]]:
    """Counts and means before by segment; the last row is of all. One query."""
    cells: dict[str, dict[str, tuple[int, float]]] = {}
    rows = experiment.items.order_by().values_list("stratum", "arm").annotate(count=Count("pk"), mean=Avg("covariate"))
    for stratum, arm, count, mean in rows:
        cells.setdefault(stratum, {})[arm] = (count, mean)
    if not cells:
        return []
    whole = {}
    for arm in ARMS.values:
        parts = [cell[arm] for cell in cells.values() if arm in cell]
        count = sum(size for size, _mean in parts)
        whole[arm] = (count, sum(size * mean for size, mean in parts) / count if count else 0.0)
    table = [_segment(experiment, name, cells[name]) for name in sorted(cells)]
    return [*table, _segment(experiment, "", whole) | {"name": gettext("All"), "is_total": True}]


def _segment(experiment: Experiment, name: str, cell: dict[str, tuple[int, float]]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name}
    for arm in ARMS.values:
        count, mean = cell.get(arm, (0, 0.0))
        row[f"{arm}s"] = count
        row[f"{arm}_mean"] = mean_told(experiment.metric, mean) if count else "–"
        row[f"{arm}_url"] = _items_url(experiment, arm=arm, stratum=name)
    return row


def _items_url(experiment: Experiment, *, arm: str = "", stratum: str = "") -> str:
    asked: dict[str, Any] = {"experiment__id__exact": experiment.pk, "arm__exact": arm, "stratum": stratum}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{reverse('admin:procurement_experimentitem_changelist')}?{query}"
