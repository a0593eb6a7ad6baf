"""“Replay before you change”: on a policy's page the way to its replays, and the form that starts one."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.kernel.admin import panel, render_panel
from config.kernel.admin.actions import show_error
from config.kernel.errors import DomainError, ValidationFailed
from procurement.models import Policy, PolicyChange, PolicyReplay
from procurement.services.policies import CHANGEABLE, values_of
from procurement.services.policy_book import DEFAULT_POLICY
from procurement.services.replays import DAYS, SCENARIOS, queue_policy_replay

ADD = "procurement.add_policyreplay"
_SHOWN = 5


class ChallengerForm(forms.ModelForm):
    """The fields of a policy that may be changed, as they are today; what the service refuses it says itself."""

    class Meta:
        model = Policy
        fields = CHANGEABLE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A box that is not ticked sends nothing, which would read as "as it is".
        self.fields["shares_target"] = forms.ChoiceField(
            choices=[("False", _("no")), ("True", _("yes"))],
            label=self.fields["shares_target"].label,
            help_text=self.fields["shares_target"].help_text,
        )
        for field in self.fields.values():
            is_number = isinstance(field, forms.DecimalField | forms.IntegerField)
            field.widget.attrs = {"class": "h-input n" if is_number else "h-input", "autocomplete": "off"}
            if is_number:
                field.localize = False
                field.widget = forms.TextInput(attrs={**field.widget.attrs, "inputmode": "decimal"})


@panel("procurement.policy", order=10, permission="procurement.view_policyreplay")
def replays_panel(request: HttpRequest, policy: Policy) -> SafeString:
    context = {
        "policy": policy,
        "replays": PolicyReplay.objects.filter(policy=policy).select_related("job")[:_SHOWN],
        "changes": PolicyChange.objects.filter(policy=policy)[:_SHOWN],
        "may_replay": request.user.has_perm(ADD),
        "new_url": f"{reverse('admin:procurement_policyreplay_new')}?policy={policy.pk}",
    }
    return render_panel("admin/house/policy_replays.html", request, context)


def new_replay_view(request: HttpRequest) -> HttpResponse:
    """GET shows the form, `?policy=` says of which; POST queues the replay and leads to its page."""
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    policy = _policy(request)
    asked = request.POST if request.method == "POST" else None
    if asked is not None:
        try:
            replay = _queue(request, policy)
        except DomainError as error:
            show_error(request, error)
        else:
            messages.success(request, _("The replay was queued."))
            return HttpResponseRedirect(reverse("admin:procurement_policyreplay_change", args=[replay.pk]))
    today = policy or Policy(**_defaults())
    context = {
        **admin.site.each_context(request),
        "title": _("Replay before you change"),
        "policy": policy,
        "form": ChallengerForm(asked, instance=today, initial=values_of(today)),
        "asked": asked or {"days": 180, "scenarios": 20, "name": policy.name if policy else _("Default policy")},
        "days": DAYS,
        "scenarios": SCENARIOS,
    }
    return TemplateResponse(request, "admin/house/new_replay.html", context)


def _defaults() -> dict[str, Any]:
    return {name: getattr(DEFAULT_POLICY, name) for name in CHANGEABLE}


def _policy(request: HttpRequest) -> Policy | None:
    number = request.GET.get("policy", "")
    if not number:
        return None
    policy = Policy.objects.for_actor(request.user).filter(pk=number).first() if _is_id(number) else None
    if policy is None:
        raise Http404
    return policy


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _queue(request: HttpRequest, policy: Policy | None) -> PolicyReplay:
    told = request.POST
    return queue_policy_replay(
        name=told.get("name", "").strip(),
        changes={name: told[name].strip() for name in CHANGEABLE if name in told},
        actor=request.user,
        policy=policy,
        days=_whole(told.get("days", ""), _("Days replayed")),
        scenarios=_whole(told.get("scenarios", ""), _("Worlds")),
        searches="searches" in told,
    )


def _whole(text: str, name: str) -> int:
    if not _is_id(text.strip()):
        raise ValidationFailed(_("%(name)s: a whole number.") % {"name": name})
    return int(text)
