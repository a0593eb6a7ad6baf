"""The feed of events, and the messages that were made of them."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.models import Channel
from config.kernel.admin import BigTableAdmin, PageAction, panel, render_panel
from config.kernel.admin.base import DOCUMENT_TEMPLATE
from config.kernel.admin.named import named_values
from config.kernel.models import OutboxEvent
from monitoring.models import WebhookDelivery, WebhookEndpoint
from monitoring.services.webhooks.endpoints import retry_delivery
from monitoring.services.webhooks.sending import MAX_ATTEMPTS

State = WebhookDelivery.State
STATE_LABELS = {
    State.WAITING: "info",
    State.DELIVERED: "success",
    State.FAILED: "danger",
    State.SUPERSEDED: "warning",
}
STATE_TAGS = {State.WAITING: "open", State.DELIVERED: "done", State.FAILED: "failed", State.SUPERSEDED: "dismissed"}


@admin.register(OutboxEvent)
class EventAdmin(BigTableAdmin):
    list_display = ("created_at", "shown_kind", "key", "channel_id", "position")
    list_filter = (("kind", named_values(OutboxEvent.KIND_NAMES)), "created_at")
    search_fields = ("key", "kind")
    search_help_text = _("Key or kind, e.g. listing:12")
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _("What other programs can be told appears here as it happens; it is kept for 14 days.")
    export_fields = ("id", "position", "kind", "channel_id", "key", "payload", "created_at")

    def find(self, term: str) -> Q:
        return Q(key=term) | Q(kind=term)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The names of the channels, read once a page."""
        names = dict(Channel.objects.values_list("pk", "name"))

        @display(description=_("channel"))
        def shown_channel(event: OutboxEvent) -> str:
            return names.get(event.channel_id or 0, "–")

        return [shown_channel if name == "channel_id" else name for name in super().get_list_display(request)]

    @display(description=_("kind"))
    def shown_kind(self, event: OutboxEvent) -> str:
        return event.kind_name


@panel("kernel.outboxevent", order=10)
def event_panel(request: HttpRequest, event: OutboxEvent) -> SafeString:
    deliveries = WebhookDelivery.objects.none()
    if request.user.has_perm("monitoring.view_webhookdelivery"):
        deliveries = WebhookDelivery.objects.filter(event_id=event.pk).select_related("endpoint").order_by("pk")
    context = {
        "event": event,
        "channel": Channel.objects.filter(pk=event.channel_id or 0).first(),
        "payload": _pretty(event.payload),
        "deliveries": deliveries,
    }
    return render_panel("admin/house/event.html", request, context)


def _retry(request: HttpRequest, delivery: WebhookDelivery) -> str:
    retry_delivery(delivery.pk, now=timezone.now())
    return gettext("It is sent again in a few seconds.")


@admin.register(WebhookDelivery)
class DeliveryAdmin(BigTableAdmin):
    list_display = ("created_at", "endpoint", "shown_kind", "key", "shown_state", "attempts", "told", "next_attempt_at")
    list_select_related = ("endpoint",)
    list_filter = ("state", "endpoint", "last_fault", "created_at")
    search_fields = ("message_id", "key", "endpoint__name")
    search_help_text = _("Message id, key, or name of the webhook")
    change_form_template = DOCUMENT_TEMPLATE
    empty_hint = _("A message appears here when something happens that a webhook is to be told; kept for 14 days.")
    export_fields = (
        "message_id",
        "endpoint__name",
        "kind",
        "key",
        "state",
        "attempts",
        "last_status",
        "last_fault",
        "created_at",
        "finished_at",
    )
    page_actions = (
        PageAction(
            "retry",
            pgettext_lazy("button", "Send again"),
            "monitoring.change_webhookdelivery",
            _retry,
            style="primary",
            is_offered=lambda delivery: delivery.state in (State.WAITING, State.FAILED),
        ),
    )

    def find(self, term: str) -> Q:
        named = WebhookEndpoint.objects.filter(name__icontains=term).values_list("pk", flat=True)
        return Q(message_id=term) | Q(key=term) | Q(endpoint__in=list(named))

    @display(description=_("kind"))
    def shown_kind(self, delivery: WebhookDelivery) -> str:
        return str(OutboxEvent.KIND_NAMES.get(delivery.kind, delivery.kind))

    @display(description=_("state"), label=STATE_LABELS)
    def shown_state(self, delivery: WebhookDelivery) -> tuple[str, str]:
        return delivery.state, delivery.get_state_display()

    @display(description=_("last answer"))
    def told(self, delivery: WebhookDelivery) -> str:
        return _answer(delivery)


@panel("monitoring.webhookdelivery", order=10)
def delivery_panel(request: HttpRequest, delivery: WebhookDelivery) -> SafeString:
    context = {
        "delivery": delivery,
        "kind": OutboxEvent.KIND_NAMES.get(delivery.kind, delivery.kind),
        "state_code": STATE_TAGS[State(delivery.state)],
        "answer": _answer(delivery),
        "most": MAX_ATTEMPTS,
        "body": _pretty(delivery.body),
    }
    return render_panel("admin/house/webhook_delivery.html", request, context)


def _answer(delivery: WebhookDelivery) -> str:
    parts = [str(delivery.last_status or ""), delivery.get_last_fault_display()]
    return " · ".join(part for part in parts if part) or "–"


def _pretty(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
