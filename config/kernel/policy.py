"""Who may do what, and which rows they see: the one policy layer of pages, API, exports, files and streams.

A role is a Django group whose rights stand in ROLES, in code, so that a change applies at once and no database row
has to be kept in step. Nothing is granted that is not listed. Rows are scoped by `Model.objects.for_actor(user)`.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from rest_framework.permissions import BasePermission

PLANNER, CLERK, VIEWER, INTEGRATION, SUPPLIER = "Planner", "Warehouse clerk", "Viewer", "Integration", "Supplier"
INTERNAL = frozenset({PLANNER, CLERK, VIEWER, INTEGRATION})

_CATALOG = ("category", "product", "sku", "channel", "listing", "calendarevent")
_WAREHOUSES = ("warehouse", "location", "lot", "stocklevel", "stockmovement", "reservation", "channelroute")
_SALES = ("salesorder", "salesorderline", "shipment", "salesreturn", "salesreturnline", "salesimport")
_FORECASTING = ("demandhistory", "forecastrun", "forecast")
_BUYING = ("supplier", "supplieritem", "pricebreak", "policy", "proposal", "purchaseorder", "purchaseorderline")
_BUYING_EVENTS = ("lineresponse", "purchaseorderevent", "receipt", "receiptline")
_WATCHING = ("alert", "kpisnapshot")


def _perms(app: str, names: Iterable[str], *verbs: str) -> set[str]:
    return {f"{app}.{verb}_{name}" for name in names for verb in verbs}


_VIEW_STOCK = _perms("catalog", _CATALOG, "view") | _perms("warehouses", _WAREHOUSES + _SALES, "view")
_VIEW_BUYING = _perms("procurement", _BUYING + _BUYING_EVENTS, "view")
_VIEW_ALL = (
    _VIEW_STOCK
    | _VIEW_BUYING
    | _perms("forecasting", _FORECASTING, "view")
    | _perms("monitoring", _WATCHING, "view")
    | {"kernel.view_job"}
)

ROLES: dict[str, frozenset[str]] = {
    VIEWER: frozenset(_VIEW_ALL),
    PLANNER: frozenset(
        _VIEW_ALL
        | _perms("catalog", _CATALOG, "add", "change")
        | _perms("catalog", ("calendarevent",), "delete")
        | _perms("warehouses", ("warehouse", "location", "channelroute"), "add", "change")
        | _perms("procurement", ("supplier", "supplieritem", "pricebreak", "policy"), "add", "change")
        | _perms("procurement", ("pricebreak", "policy"), "delete")
        | _perms("procurement", ("purchaseorder", "purchaseorderline"), "add", "change")
        | _perms("monitoring", ("alert",), "change")
        | {
            "procurement.change_proposal",
            "procurement.decide_proposal",
            "procurement.approve_purchaseorder",
            "procurement.send_purchaseorder",
            "procurement.cancel_purchaseorder",
            "procurement.decide_lineresponse",
            "procurement.run_plan",
            "warehouses.add_salesimport",
            "kernel.cancel_job",
            "kernel.resume_job",
            "forecasting.use_engine",
        }
    ),
    CLERK: frozenset(
        _VIEW_STOCK
        | _perms("procurement", ("supplier", "purchaseorder", "purchaseorderline", "receipt", "receiptline"), "view")
        | _perms("procurement", ("receipt",), "add")
        | _perms("warehouses", ("shipment", "salesreturn"), "add")
        | {
            "warehouses.adjust_stock",
            "warehouses.cancel_salesorder",
            "monitoring.view_alert",
            "monitoring.change_alert",
        }
    ),
    INTEGRATION: frozenset(
        _VIEW_STOCK
        | _VIEW_BUYING
        | _perms("forecasting", _FORECASTING, "view")
        | _perms("monitoring", _WATCHING, "view")
        | _perms("catalog", ("category", "product", "sku", "listing"), "add", "change")
        | _perms("warehouses", ("salesorder", "shipment", "salesreturn"), "add")
        | {"warehouses.cancel_salesorder", "warehouses.add_salesimport", "forecasting.use_engine", "kernel.view_job"}
    ),
    SUPPLIER: frozenset(
        {
            "procurement.view_purchaseorder",
            "procurement.view_purchaseorderline",
            "procurement.view_lineresponse",
            "procurement.view_receipt",
            "procurement.view_receiptline",
            "procurement.respond_purchaseorder",
        }
    ),
}

Actor = AbstractBaseUser | AnonymousUser


def roles_of(actor: Any) -> frozenset[str]:
    """The roles the actor holds, read once a request (cached on the user object)."""
    if not getattr(actor, "is_active", False) or actor.pk is None:
        return frozenset()
    cached = getattr(actor, "_entrepot_roles", None)
    if cached is None:
        cached = frozenset(actor.groups.filter(name__in=ROLES).values_list("name", flat=True))
        actor._entrepot_roles = cached
    return cached


def is_internal(actor: Any) -> bool:
    """Whether the actor works for the company. A supplier's user never is, whatever else they hold."""
    if not getattr(actor, "is_active", False):
        return False
    if actor.is_superuser:
        return True
    roles = roles_of(actor)
    return bool(roles & INTERNAL) and SUPPLIER not in roles


class RoleBackend(ModelBackend):
    """Passwords as Django keeps them; rights from ROLES alone (no per-user or per-group permission rows)."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        roles = roles_of(user_obj)
        if SUPPLIER in roles:  # never mixed with an internal role: the narrower one wins
            roles = frozenset({SUPPLIER})
        return {perm for role in roles for perm in ROLES[role]}

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return self.get_group_permissions(user_obj, obj)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return bool(user_obj.is_active) and perm in self.get_all_permissions(user_obj, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(perm.startswith(f"{app_label}.") for perm in self.get_all_permissions(user_obj))


class ScopedQuerySet(models.QuerySet):
    """A queryset that knows which of its rows an actor may see.

    People of the company see every row of a model they may view; a supplier's user sees the rows its model names in
    the classmethod `supplier_rows(user) -> Q`, and nothing of a model that names none.
    """

    def for_actor(self, actor: Any) -> "ScopedQuerySet":
        if is_internal(actor):
            return self.all()
        rows = getattr(self.model, "supplier_rows", None)
        if rows is not None and SUPPLIER in roles_of(actor):
            return self.filter(rows(actor))
        return self.none()


ScopedManager = models.Manager.from_queryset(ScopedQuerySet)


class RolePermission(BasePermission):
    """The API's gate. A view names `permission_map = {action: permission}`; an action not named is refused."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        if request.method == "OPTIONS":
            return True
        needed = getattr(view, "permission_map", {}).get(getattr(view, "action", None) or request.method.lower())
        return needed is not None and request.user.has_perm(needed)
