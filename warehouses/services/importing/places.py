"""The channel and the warehouse of an import: found, or made with sensible defaults, and said aloud when made."""

from dataclasses import dataclass, field
from zoneinfo import available_timezones

from django.utils.translation import gettext as _

from catalog.models import Channel
from config.kernel.errors import NotFound, ValidationFailed
from warehouses.models import ChannelRoute, Location, Warehouse

NO_GOODS = (
    *("POST", "POSTAGE", "SHIPPING", "SHIPPING-*", "DOT", "C2", "C3", "M", "D", "S", "B", "DISCOUNT", "TIP"),
    *("BANK CHARGES", "AMAZONFEE", "CRUK", "PADS", "ADJUST*", "GIFT", "GIFT_*", "TEST*"),
)
"""Codes that stand in shops' exports and are no goods; a new channel starts with them."""

DEFAULT_WAREHOUSE = "MAIN"
LOCATIONS = (
    ("STOCK", Location.Kind.STORAGE),
    ("RECEIVING", Location.Kind.RECEIVING),
    ("RETURNS", Location.Kind.RETURNS),
)


@dataclass
class Place:
    channel: Channel
    warehouse: Warehouse
    notes: list[str] = field(default_factory=list)
    rows_made: int = 0


def place_of_import(*, channel_code: str, warehouse_code: str | None, time_zone: str | None) -> Place:
    """The channel of this code and the warehouse its sales are counted for; both made where missing.

    Raises NotFound for a warehouse that was named but is not there, ValidationFailed for a channel that has another
    time zone than the one named: both are typing mistakes that would be costly to undo.
    """
    channel, is_new = _channel(channel_code, time_zone)
    route = ChannelRoute.objects.filter(channel=channel).select_related("warehouse").order_by("rank", "pk").first()
    place = Place(channel=channel, warehouse=route.warehouse if route else Warehouse())
    if is_new:
        place.rows_made += 1
        place.notes.append(
            _("New channel %(code)s (time zone %(zone)s): if that is a typing mistake, delete it again.")
            % {"code": channel.code, "zone": channel.time_zone}
        )
    if warehouse_code:
        place.warehouse = _named_warehouse(warehouse_code)
    elif not route:
        place.warehouse = _default_warehouse(place)
    if not route:
        ChannelRoute.objects.create(channel=channel, warehouse=place.warehouse)
        place.rows_made += 1
        place.notes.append(
            _("New route: channel %(channel)s is served by warehouse %(warehouse)s.")
            % {"channel": channel.code, "warehouse": place.warehouse.code}
        )
    return place


def _channel(code: str, time_zone: str | None) -> tuple[Channel, bool]:
    if not code or len(code) > 32:
        raise ValidationFailed(_("The channel's code must have 1 to 32 characters."))
    if time_zone is not None and time_zone not in available_timezones():
        raise ValidationFailed(_("%(zone)s is no time zone; say for example Europe/London.") % {"zone": time_zone})
    channel, is_new = Channel.objects.get_or_create(
        code=code, defaults={"name": code, "time_zone": time_zone or "UTC", "ignored_codes": "\n".join(NO_GOODS)}
    )
    if time_zone is not None and channel.time_zone != time_zone:
        raise ValidationFailed(
            _("Channel %(code)s has the time zone %(zone)s, not %(other)s.")
            % {"code": code, "zone": channel.time_zone, "other": time_zone}
        )
    return channel, is_new


def _named_warehouse(code: str) -> Warehouse:
    try:
        return Warehouse.objects.get(code=code)
    except Warehouse.DoesNotExist:
        raise NotFound(_("There is no warehouse %(code)s.") % {"code": code}) from None


def _default_warehouse(place: Place) -> Warehouse:
    warehouse, is_new = Warehouse.objects.get_or_create(
        code=DEFAULT_WAREHOUSE, defaults={"name": _("Main warehouse"), "time_zone": place.channel.time_zone}
    )
    if is_new:
        place.notes.append(_("New warehouse %(code)s with its locations.") % {"code": warehouse.code})
        place.rows_made += 1
    if not warehouse.locations.exists():
        Location.objects.bulk_create([Location(warehouse=warehouse, code=c, kind=k) for c, k in LOCATIONS])
        place.rows_made += len(LOCATIONS)
    return warehouse
