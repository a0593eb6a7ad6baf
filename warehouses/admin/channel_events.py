"""What channels told about their orders, and the report of what could not be matched."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.models import Channel
from config.kernel.admin import BigTableAdmin, PageAction, panel, render_panel
from warehouses.models import ChannelEvent
from warehouses.services.channel_events import apply_events

_State = ChannelEvent.State


def _try_again(request: HttpRequest, event: ChannelEvent) -> Any:
    apply_events(event.channel_id, event.order_external_id, now=timezone.now(), actor=request.user)
    event.refresh_from_db()
    return _("Tried again: %(state)s.") % {"state": event.get_state_display()}


@admin.register(ChannelEvent)
class ChannelEventAdmin(BigTableAdmin):
    list_display = (
        "event_id",
        "channel",
        "kind",
        "order_external_id",
        "occurred_at",
        "recorded_at",
        "verdict",
        "problem",
    )
    list_filter = ("state", "channel", "kind")
    list_select_related = ("channel",)
    search_fields = ("order_external_id", "event_id")
    search_help_text = _("The whole order number or event id")
    readonly_fields = ("order",)
    empty_hint = _("Channels send their events through the API; what could not be matched stands here with its reason.")
    page_actions = (
        PageAction(
            "again",
            _("Try again"),
            "warehouses.cancel_salesorder",
            _try_again,
            is_offered=lambda event: event.state != _State.APPLIED,
        ),
    )

    def find(self, term: str) -> Any:
        channels = list(Channel.objects.values_list("pk", flat=True))
        return Q(channel_id__in=channels) & (Q(order_external_id=term) | Q(event_id=term))

    @display(
        description=_("state"),
        label={_State.APPLIED: "success", _State.WAITING: "warning", _State.UNMATCHED: "danger"},
    )
    def verdict(self, event: ChannelEvent) -> Any:
        return event.state, event.get_state_display()


@panel("catalog.channel", order=40, permission="warehouses.view_channelevent")
def event_report(request: HttpRequest, channel: Channel) -> SafeString | None:
    """How many events of the channel are applied, waiting and unmatched, each with the way to them."""
    counts = dict(ChannelEvent.objects.filter(channel=channel).order_by().values_list("state").annotate(n=Count("pk")))
    if not counts:
        return None
    page = reverse("admin:warehouses_channelevent_changelist")
    rows = [
        {
            "label": label,
            "count": counts.get(state, 0),
            "url": f"{page}?state__exact={state}&channel__id__exact={channel.pk}",
        }
        for state, label in _State.choices
    ]
    latest = ChannelEvent.objects.filter(channel=channel).exclude(state=_State.APPLIED).order_by("-pk")[:8]
    return render_panel("admin/house/channel_events.html", request, {"rows": rows, "latest": latest})
