"""People and their roles leave events like master data; of a password only that it changed, of a sign-in nothing."""

from typing import Any

import pghistory
import pgtrigger
from django.contrib.auth.models import User

from config.kernel.audit import audited

_Membership: Any = User.groups.through


class AuditedUser(User):
    """The library's table under our own migrations."""

    class Meta:
        proxy = True
        app_label = "kernel"
        default_permissions = ()


class AuditedUserRole(_Membership):
    class Meta:
        proxy = True
        app_label = "kernel"
        default_permissions = ()


UserAudit = audited(
    AuditedUser,
    name="User",
    app_label="kernel",
    exclude=["password", "last_login"],
    more=[pghistory.UpdateEvent("password", condition=pgtrigger.AnyChange("password"))],
)
UserRoleAudit = audited(AuditedUserRole, name="UserRole", app_label="kernel")
