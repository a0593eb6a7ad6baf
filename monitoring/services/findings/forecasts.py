"""What is wrong with the forecasts: they have drifted, or orders took them by surprise."""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Sku
from config.kernel.models import OutboxEvent
from forecasting.models import Forecast, ForecastDrift
from forecasting.selectors import complete_runs
from forecasting.services.surprises import SURPRISED
from monitoring.models import Alert
from monitoring.services.findings.finding import Finding

SURPRISES_FOR = timedelta(days=1)

_DRIFT_WORDS: dict[str, Any] = {
    ForecastDrift.Kind.BIAS: gettext_lazy("it errs to one side (%(measure).0f%% of its errors)"),
    ForecastDrift.Kind.ERROR: gettext_lazy("it errs %(measure).1f times as much as in its backtest"),
    ForecastDrift.Kind.COVERAGE: gettext_lazy("demand is above its upper quantile on %(measure).0f%% of the days"),
}


def forecast_findings() -> list[Finding]:
    """Forecasts that have drifted and were not learnt anew yet: one for each SKU and warehouse, whatever the kinds."""
    drifts = ForecastDrift.objects.filter(state=ForecastDrift.State.OPEN).order_by("sku_id", "warehouse_id", "kind")
    rows = drifts.select_related("sku", "warehouse").annotate(is_dear=_is_dear())
    return [
        forecast_finding(list(found))
        for _pair, found in groupby(rows, key=lambda drift: (drift.sku_id, drift.warehouse_id))
    ]


def forecast_finding(drifts: list[Any]) -> Finding:
    """Of a SKU that carries the demand's value (ABC class A in the latest forecast) it is critical."""
    first = drifts[0]
    named = {"sku": first.sku.code, "warehouse": first.warehouse.name}
    how = "; ".join(_drift_words(drift) for drift in drifts)
    return Finding(
        kind=Alert.Kind.FORECAST_DRIFT,
        severity=Alert.Severity.CRITICAL if first.is_dear else Alert.Severity.WARNING,
        subject=f"forecast:{first.sku_id}:{first.warehouse_id}",
        message=_("The forecast of %(sku)s in %(warehouse)s has drifted: %(how)s.") % {**named, "how": how},
        facts={
            **named,
            **{drift.kind: round(drift.measure, 3) for drift in drifts},
            "since": first.found_on.isoformat(),
            "refit": first.refit_id and str(first.refit_id),
        },
        link=reverse("admin:catalog_sku_change", args=[first.sku_id]),
    )


def _drift_words(drift: ForecastDrift) -> str:
    share = drift.kind != ForecastDrift.Kind.ERROR
    return str(_DRIFT_WORDS[drift.kind]) % {"measure": drift.measure * (100 if share else 1)}


def _is_dear() -> Exists:
    run = complete_runs().values("pk")[:1]
    same = Forecast.objects.filter(sku=OuterRef("sku"), warehouse=OuterRef("warehouse"), value_class="A")
    return Exists(same.filter(run_id__in=list(run.values_list("pk", flat=True))))


def surprise_findings(*, now: datetime) -> list[Finding]:
    """SKUs whose orders no forecast had in them, as told in the last day: the newest word of each direction."""
    told = OutboxEvent.objects.filter(kind=SURPRISED, created_at__gte=now - SURPRISES_FOR).order_by("pk")
    newest = {(facts["sku"], facts["warehouse"], facts["direction"]): facts for facts in (one.payload for one in told)}
    skus = dict(Sku.objects.filter(code__in={sku for sku, _place, _way in newest}).values_list("code", "pk"))
    return [
        Finding(
            kind=Alert.Kind.FORECAST_SURPRISED,
            severity=Alert.Severity.WARNING,
            subject=f"surprise:{skus[sku]}:{facts['warehouse']}:{way}",
            message=_("%(sku)s in %(warehouse)s: %(observed)s ordered where %(expected)s were expected.")
            % {**facts, "observed": f"{facts['observed']:g}", "expected": f"{facts['expected']:.1f}"},
            facts=facts,
            link=reverse("admin:catalog_sku_change", args=[skus[sku]]),
        )
        for (sku, _place, way), facts in newest.items()
        if sku in skus
    ]
