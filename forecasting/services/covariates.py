"""What else a run knows of its pairs: the calendar's promotions, holidays and closures, and what shops tell of
interest."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from catalog.models import CalendarEvent, Category, Sku
from forecasting.models import ForecastRules
from forecasting.selectors.prices import paid_prices
from forecasting.selectors.series import Pair
from forecasting.selectors.signals import useful_signals
from warehouses.models import Warehouse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from forecasting.engine.types import Covariates

    Matrix = NDArray[np.float64]

PAID_PRICE = "paid_price"


def covariates_of(
    pairs: Sequence[Pair], *, first: date, until: date, ahead: int, with_prices: bool = False
) -> "Covariates":
    """Covariates of the days `first` to `until` and `ahead` more, one row a pair.

    known   promotion (1 on its days), discount (share off the price), price (list price less the discount), holiday,
            closed, payday: the calendar's events and the country's public holidays, moving ones included.
    past    page_views, cart_adds, wishes, impressions of all channels, log(1 + n), where any were sent, the rules allow
            them and the latest backtest found that they help; NaN before the SKU's first. With prices: paid_price, what
            order lines say was paid. It stands among the past, as what is paid on a day is known by its sales only (a
            wholesale price tells how much was bought): no fold may read it ahead.
    static  age_days at the last day (unknown launch: −1). categories: category.
    An event counts for the SKUs it names, its category's with all below, or for all. A closure of one channel leaves
    the others open and is not counted as closed.
    """
    import numpy as np

    from forecasting.engine.types import Covariates

    rules = ForecastRules.objects.first()
    skus = Sku.objects.select_related("product").in_bulk({sku for sku, _warehouse in pairs})
    past = {name: np.log1p(v) for name, v in useful_signals(pairs, first=first, until=until).items()}
    if with_prices:
        past[PAID_PRICE] = paid_prices(pairs, first=first, until=until)
    return Covariates(
        known=_known(pairs, skus, rules, first, (until - first).days + 1 + ahead),
        past=past,
        static={"age_days": _ages(pairs, skus, until)},
        categories={"category": _category_codes(pairs, skus)},
        ahead=ahead,
    )


def _known(
    pairs: Sequence[Pair], skus: Mapping[int, Sku], rules: ForecastRules | None, first: date, width: int
) -> "dict[str, Matrix]":
    import numpy as np

    known = {name: np.zeros((len(pairs), width)) for name in ("promotion", "discount", "closed", "holiday")}
    _mark_events(known, pairs, _families(skus.values()), first, width)
    known["holiday"] = np.maximum(known["holiday"], public_holidays(pairs, rules, first, width))
    price = np.array([float(skus[sku].unit_price) for sku, _warehouse in pairs])
    known["price"] = price[:, None] * (1.0 - known["discount"])
    if rules is not None and rules.pay_day:
        known["payday"] = np.tile(_pay_days(rules.pay_day, first, width), (len(pairs), 1))
    return known


def _ages(pairs: Sequence[Pair], skus: Mapping[int, Sku], until: date) -> "Matrix":
    import numpy as np

    launched = [skus[sku].launched_on for sku, _warehouse in pairs]
    return np.array([-1 if day is None else (until - day).days for day in launched], dtype=float)


def _category_codes(pairs: Sequence[Pair], skus: Mapping[int, Sku]) -> "NDArray[np.int64]":
    """The keys of the categories themselves: the same in every chunk of a run, whichever SKUs stand in it."""
    import numpy as np

    return np.array([skus[sku].product.category_id or -1 for sku, _warehouse in pairs], dtype=np.int64)


def _families(skus: Iterable[Sku]) -> dict[int, set[int]]:
    """SKU → its category and all above it."""
    parents = dict(Category.objects.values_list("pk", "parent_id"))
    out: dict[int, set[int]] = {}
    for sku in skus:
        chain: set[int] = set()
        at = sku.product.category_id
        while at is not None and at not in chain:
            chain.add(at)
            at = parents.get(at)
        out[sku.pk] = chain
    return out


def _mark_events(
    known: "dict[str, Matrix]", pairs: Sequence[Pair], families: dict[int, set[int]], first: date, width: int
) -> None:
    last = first + timedelta(width - 1)
    for event in CalendarEvent.objects.filter(starts_on__lte=last, ends_on__gte=first).order_by("pk"):
        rows = [
            row
            for row, (sku, _warehouse) in enumerate(pairs)
            if (event.sku_id is None or event.sku_id == sku)
            and (event.category_id is None or event.category_id in families[sku])
        ]
        span = slice(max((event.starts_on - first).days, 0), (event.ends_on - first).days + 1)
        if event.kind == CalendarEvent.Kind.HOLIDAY:
            known["holiday"][rows, span] = 1.0
        elif event.kind == CalendarEvent.Kind.CLOSURE and event.channel_id is None:
            known["closed"][rows, span] = 1.0
        elif event.kind == CalendarEvent.Kind.PROMOTION:
            known["promotion"][rows, span] = 1.0
            part = known["discount"][rows, span]
            part[part < float(event.discount)] = float(event.discount)
            known["discount"][rows, span] = part


def public_holidays(pairs: Sequence[Pair], rules: ForecastRules | None, first: date, width: int) -> "Matrix":
    """(n, width) 1 on the public holidays of the company's country (rules), else of each warehouse's; an unknown
    country has none."""
    import numpy as np

    own = rules.holiday_country if rules is not None else ""
    countries = {} if own else dict(Warehouse.objects.values_list("pk", "country"))
    years = range(first.year, (first + timedelta(width - 1)).year + 1)
    flags: dict[str, Matrix] = {}
    out = np.zeros((len(pairs), width))
    for row, (_sku, warehouse) in enumerate(pairs):
        place = own or countries.get(warehouse, "")
        if place not in flags:
            flags[place] = np.zeros(width)
            for day in _holidays_in(place, years):
                if 0 <= (day - first).days < width:
                    flags[place][(day - first).days] = 1.0
        out[row] = flags[place]
    return out


def _holidays_in(place: str, years: Collection[int]) -> list[date]:
    """GB, or US-CA with its region; nothing for a country that the library does not know."""
    if not place:
        return []
    import holidays

    country, _dash, region = place.partition("-")
    try:
        return sorted(holidays.country_holidays(country, subdiv=region or None, years=years))
    except NotImplementedError:
        return []


def _pay_days(day_of_month: int, first: date, width: int) -> "Matrix":
    """(width,) 1 on the pay-day; on the last day of a shorter month, and on the Friday before a weekend."""
    import numpy as np

    flags = np.zeros(width)
    for step in range(-3, width + 3):
        day = first + timedelta(step)
        ends_early = (day + timedelta(1)).day == 1 and day.day < day_of_month
        if day.day == day_of_month or ends_early:
            paid = day - timedelta(max(day.weekday() - 4, 0))
            if 0 <= (paid - first).days < width:
                flags[(paid - first).days] = 1.0
    return flags
