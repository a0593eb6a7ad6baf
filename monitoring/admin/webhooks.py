"""Webhooks: who is told what, whether it arrives, and the secret, which is shown once."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from config.kernel.admin import HouseAdmin, PageAction, panel, render_panel
from config.kernel.errors import DomainError
from config.kernel.models import OutboxEvent
from monitoring.admin.events import STATE_TAGS, State
from monitoring.models import WebhookEndpoint
from monitoring.services.webhooks import endpoints
from monitoring.services.webhooks.targets import read_url

CHANGE = "monitoring.change_webhookendpoint"
SHOWN_DELIVERIES = 20


class WebhookForm(forms.ModelForm):
    kinds = forms.MultipleChoiceField(
        label=_("Kinds"),
        choices=lambda: [(k, name) for k, name in OutboxEvent.KIND_NAMES.items() if k != endpoints.TEST_KIND],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=WebhookEndpoint._meta.get_field("kinds").help_text,
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("name", "url", "channel", "kinds")

    def clean_url(self) -> str:
        url = self.cleaned_data["url"]
        try:
            read_url(url, allow_private=settings.WEBHOOK_ALLOW_PRIVATE)
        except DomainError as error:
            raise ValidationError(str(error)) from error
        return url


@sensitive_variables("secret")
def _show_secret(request: HttpRequest, endpoint: WebhookEndpoint, secret: str, *, is_new: bool) -> HttpResponse:
    """The one page that shows a secret; no browser or proxy keeps it."""
    context = {
        **admin.site.each_context(request),
        "title": endpoint.name,
        "endpoint": endpoint,
        "secret": secret,
        "is_new": is_new,
    }
    answer = render(request, "admin/house/webhook_secret.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def _rotate(request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    return _show_secret(request, endpoint, endpoints.rotate_secret(endpoint.pk, now=timezone.now()), is_new=False)


def _pause(request: HttpRequest, endpoint: WebhookEndpoint) -> str:
    endpoints.pause_endpoint(endpoint.pk)
    return gettext("Nothing is sent until you resume it.")


def _resume(request: HttpRequest, endpoint: WebhookEndpoint) -> str:
    endpoints.resume_endpoint(endpoint.pk, now=timezone.now())
    return gettext("It goes on where it stopped.")


def _test(request: HttpRequest, endpoint: WebhookEndpoint) -> str:
    endpoints.send_test_event(endpoint.pk, now=timezone.now())
    return gettext("A test event is on its way; reload the page in a few seconds.")


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(HouseAdmin):
    form = WebhookForm
    list_display = ("name", "url", "channel", "shown_kinds", "shown_state", "consecutive_failures")
    list_select_related = ("channel",)
    list_filter = ("is_active", "disabled_reason", "channel")
    search_fields = ("name", "url")
    ordering = ("name",)
    empty_hint = _("Add the address of a shop or a program that is to be told when something changes here.")
    export_fields = ("name", "url", "channel__code", "kinds", "is_active", "disabled_at", "consecutive_failures")
    page_actions = (
        PageAction(
            "test",
            _("Send a test event"),
            CHANGE,
            _test,
            style="primary",
            is_offered=lambda endpoint: endpoint.is_listening,
        ),
        PageAction("pause", _("Pause"), CHANGE, _pause, is_offered=lambda endpoint: endpoint.is_listening),
        PageAction(
            "resume",
            pgettext_lazy("button", "Resume"),
            CHANGE,
            _resume,
            style="primary",
            is_offered=lambda endpoint: not endpoint.is_listening,
        ),
        PageAction(
            "rotate",
            _("New secret"),
            CHANGE,
            _rotate,
            style="danger",
            confirm=_("Make a new secret? It is shown once; the old one signs for 24 more hours."),
        ),
    )

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        """Only what the form holds is written: the worker keeps the rest of the row meanwhile."""
        if change:
            obj.save(update_fields=["name", "url", "channel", "kinds"])
            return
        made = endpoints.create_endpoint(
            name=obj.name,
            url=obj.url,
            channel=obj.channel,
            kinds=obj.kinds,
            actor=request.user,
            allow_private=settings.WEBHOOK_ALLOW_PRIVATE,
        )
        obj.__dict__.update(made.__dict__)

    def response_add(self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: Any = None) -> HttpResponse:
        return _show_secret(request, obj, obj.secret, is_new=True)

    @display(description=_("kinds"))
    def shown_kinds(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(str(OutboxEvent.KIND_NAMES.get(kind, kind)) for kind in endpoint.kinds) or gettext("all")

    @display(
        description=_("state"), label={"active": "success", "paused": "info", "failing": "warning", "off": "danger"}
    )
    def shown_state(self, endpoint: WebhookEndpoint) -> tuple[str, str]:
        return state_of(endpoint)


def state_of(endpoint: WebhookEndpoint) -> tuple[str, str]:
    if endpoint.disabled_at:
        return "off", gettext("Disabled")
    if not endpoint.is_active:
        return "paused", gettext("Paused")
    if endpoint.consecutive_failures:
        return "failing", gettext("Failing")
    return "active", pgettext("webhook", "Active")


@panel("monitoring.webhookendpoint", order=10)
def webhook_panel(request: HttpRequest, endpoint: WebhookEndpoint) -> SafeString:
    tags = {"active": "active", "paused": "open", "failing": "warning", "off": "failed"}
    state, words = state_of(endpoint)
    context = {
        "endpoint": endpoint,
        "state": words,
        "state_code": tags[state],
        "is_rotating": len(endpoint.signing_secrets(now=timezone.now())) > 1,
        "waiting": endpoint.deliveries.filter(state="waiting").count(),
        "deliveries": [
            {
                "row": row,
                "kind": OutboxEvent.KIND_NAMES.get(row.kind, row.kind),
                "state_code": STATE_TAGS[State(row.state)],
            }
            for row in endpoint.deliveries.order_by("-pk")[:SHOWN_DELIVERIES]
        ],
    }
    return render_panel("admin/house/webhook.html", request, context)
