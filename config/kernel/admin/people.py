"""People and their roles, kept by superusers; the tables of the libraries beside them are tidied away."""

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config.kernel.policy import CLERK, INTEGRATION, PLANNER, SUPPLIER, VIEWER

# The timetable stands in config/celery.py, tokens and locks are handled by their own commands: no second place to edit.
_HIDDEN_APPS = frozenset({"django_celery_beat", "knox"})


def _hide_library_tables() -> None:
    for model in list(admin.site._registry):
        if model._meta.app_label in _HIDDEN_APPS or model in (User, Group, AccessAttempt, AccessFailureLog, AccessLog):
            admin.site.unregister(model)


_hide_library_tables()


ROLE_NAMES: dict[str, Any] = {
    PLANNER: _("Planner"),
    CLERK: _("Warehouse clerk"),
    VIEWER: _("Viewer"),
    INTEGRATION: _("Integration"),
    SUPPLIER: _("Supplier"),
}


def role_name(group: Group) -> str:
    """The role in the reader's language; the group keeps the name that config.kernel.policy knows it by."""
    return str(ROLE_NAMES.get(group.name, group.name))


class RoleFilter(admin.RelatedFieldListFilter):
    def field_choices(self, field, request, model_admin):  # type: ignore[no-untyped-def]
        choices = super().field_choices(field, request, model_admin)
        return [(pk, ROLE_NAMES.get(str(name), name)) for pk, name in choices]


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):
    """Rights come from the roles in config.kernel.policy, so no permission is ticked one by one here."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "shown_roles", "is_staff", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", ("groups", RoleFilter))
    list_fullwidth = True
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Access"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request):  # type: ignore[no-untyped-def]
        return super().get_queryset(request).prefetch_related("groups")

    def formfield_for_manytomany(self, db_field, request, **kwargs):  # type: ignore[no-untyped-def]
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.label_from_instance = role_name  # type: ignore[method-assign,assignment]
        return field

    @display(description=_("roles"))
    def shown_roles(self, person: User) -> str:
        return ", ".join(role_name(group) for group in person.groups.all()) or "–"


@admin.register(AccessAttempt)
class LockedLoginAdmin(ModelAdmin):
    """Failed logins that count towards a lock; deleting one lets the person try again."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("username", "ip_address")

    def has_add_permission(self, request):  # type: ignore[no-untyped-def]
        return False

    def has_change_permission(self, request, obj=None):  # type: ignore[no-untyped-def]
        return False
