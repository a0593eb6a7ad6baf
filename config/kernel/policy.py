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

_CATALOG = ("category", "product", "sku", "packunit", "kitpart", "channel", "listing", "calendarevent")
_WAREHOUSES = (
    "warehouse",
    "location",
    "lot",
    "stocklevel",
    "stockmovement",
    "reservation",
    "channelroute",
    "shippingrate",
    "stockdrift",
    "task",
)
_COUNTS = ("countsheet", "countline")
_MOVING = ("transfer", "transferline")
_PROMISING = ("cart", "cartline", "channelquota", "publishedavailability")
_SALES = ("salesorder", "salesorderline", "shipment", "salesreturn", "salesreturnline", "salesimport", "channelevent")
_FORECASTING = (
    "demandhistory",
    "historycorrection",
    "forecastrun",
    "forecastchunk",
    "forecast",
    "channelforecast",
    "aggregateforecast",
    "forecastoverride",
    "forecastaccuracy",
    "forecastdrift",
    "forecastrules",
    "itemrelation",
    "demandsignal",
    "signalbatch",
)
_BUYING = ("supplier", "supplieritem", "pricebreak", "policy", "proposal", "purchaseorder", "purchaseorderline")
_ADVICE = ("actionmessage", "transferproposal", "clearanceproposal")
_OPTIMISING = (
    *_ADVICE,
    "supplierclosure",
    "buyingbudget",
    "jointorder",
    "leadtimeprofile",
    "policyreplay",
    "scenario",
    "scenarioline",
    "experiment",
    "experimentitem",
    "experimentlook",
    "experimentevent",
    "policychange",
    "servicecorrection",
)
_BUYING_EVENTS = ("lineresponse", "purchaseorderevent", "receipt", "receiptline")
_WATCHING = ("alert", "kpisnapshot")
_VALUE = ("stockvalue", "balancesheet", "stockrules", "landedcost", "landedcostline")


def _perms(app: str, names: Iterable[str], *verbs: str) -> set[str]:
    return {f"{app}.{verb}_{name}" for name in names for verb in verbs}


_VIEW_STOCK = _perms("catalog", _CATALOG, "view") | _perms(
    "warehouses", _WAREHOUSES + _PROMISING + _MOVING + _COUNTS + _SALES, "view"
)
_VIEW_BUYING = _perms("procurement", _BUYING + _BUYING_EVENTS + _OPTIMISING, "view")
_VIEW_ALL = (
    _VIEW_STOCK
    | _VIEW_BUYING
    | _perms("warehouses", _VALUE, "view")
    | _perms("forecasting", _FORECASTING, "view")
    | _perms("monitoring", _WATCHING, "view")
    | {"kernel.view_job", "kernel.view_outboxevent", "monitoring.view_auditevent"}
)

ROLES: dict[str, frozenset[str]] = {
    VIEWER: frozenset(_VIEW_ALL),
    PLANNER: frozenset(
        _VIEW_ALL
        | _perms("catalog", _CATALOG, "add", "change")
        | _perms("catalog", ("calendarevent", "packunit", "kitpart"), "delete")
        | _perms("warehouses", ("warehouse", "location", "channelroute", "shippingrate"), "add", "change")
        | _perms("warehouses", ("shippingrate",), "delete")
        | _perms("warehouses", ("task",), "add", "change")
        | _perms("procurement", ("supplier", "supplieritem", "pricebreak", "policy"), "add", "change")
        | _perms("procurement", ("pricebreak", "policy", "supplierclosure", "buyingbudget", "scenario"), "delete")
        | _perms("procurement", ("supplierclosure", "buyingbudget", "scenario", "policyreplay", "experiment"), "add")
        | _perms("procurement", ("supplierclosure", "buyingbudget", "scenario", "experiment"), "change")
        | {f"procurement.decide_{name}" for name in _ADVICE}
        | {"procurement.run_experiment", "procurement.delete_policyreplay", "procurement.change_servicecorrection"}
        | _perms("procurement", ("purchaseorder", "purchaseorderline"), "add", "change")
        | _perms("forecasting", ("itemrelation",), "add", "change", "delete")
        | _perms("monitoring", ("alert",), "change")
        | _perms("monitoring", ("webhookendpoint", "webhookdelivery"), "view", "change")
        | {
            "monitoring.add_webhookendpoint",
            "procurement.change_proposal",
            "procurement.decide_proposal",
            "procurement.approve_purchaseorder",
            "procurement.send_purchaseorder",
            "procurement.cancel_purchaseorder",
            "procurement.decide_lineresponse",
            "procurement.run_plan",
            "warehouses.release_salesorder",
            "warehouses.add_salesimport",
            "warehouses.add_transfer",
            "warehouses.cancel_transfer",
            "warehouses.add_channelquota",
            "warehouses.change_channelquota",
            "warehouses.repair_stockdrift",
            "warehouses.add_landedcost",
            "warehouses.change_stockrules",
            "warehouses.switch_valuation",
            "warehouses.add_countsheet",
            "warehouses.approve_countsheet",
            "kernel.cancel_job",
            "kernel.resume_job",
            "forecasting.use_engine",
            "forecasting.add_forecastoverride",
            "forecasting.withdraw_forecastoverride",
            "forecasting.add_historycorrection",
            "forecasting.decide_historycorrection",
            "forecasting.change_forecastrules",
            "forecasting.change_forecastdrift",
            "forecasting.refit_forecast",
        }
    ),
    CLERK: frozenset(
        _VIEW_STOCK
        | _perms("procurement", ("supplier", "purchaseorder", "purchaseorderline", "receipt", "receiptline"), "view")
        | _perms("procurement", ("receipt",), "add")
        | _perms("warehouses", ("shipment", "salesreturn"), "add")
        | _perms("warehouses", ("task",), "add", "change")
        | {
            "warehouses.adjust_stock",
            "warehouses.add_countsheet",
            "warehouses.count_countsheet",
            "warehouses.change_cart",
            "warehouses.move_stock",
            "warehouses.assemble_kit",
            "warehouses.add_transfer",
            "warehouses.ship_transfer",
            "warehouses.receive_transfer",
            "warehouses.work_task",
            "warehouses.release_salesorder",
            "warehouses.cancel_salesorder",
            "warehouses.deliver_salesorder",
            "monitoring.view_alert",
            "monitoring.change_alert",
        }
    ),
    INTEGRATION: frozenset(
        _VIEW_STOCK
        | _VIEW_BUYING
        | _perms("warehouses", _VALUE, "view")
        | _perms("forecasting", _FORECASTING, "view")
        | _perms("monitoring", _WATCHING, "view")
        | _perms("catalog", ("category", "product", "sku", "listing"), "add", "change")
        | _perms("warehouses", ("salesorder", "shipment", "salesreturn"), "add")
        | {"warehouses.cancel_salesorder", "warehouses.deliver_salesorder"}
        | {"warehouses.add_salesimport", "forecasting.use_engine", "kernel.view_job"}
        | {"forecasting.add_demandsignal"}
        | {"warehouses.add_countsheet", "warehouses.count_countsheet"}
        | {"kernel.view_outboxevent", "warehouses.work_task", "warehouses.release_salesorder"}
        | {"warehouses.add_cart", "warehouses.change_cart"}
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
        cached = remember_roles(actor, actor.groups.filter(name__in=ROLES).values_list("name", flat=True))
    return cached


def remember_roles(actor: Any, roles: Iterable[str]) -> frozenset[str]:
    """Note the roles just read with a user who is made anew for each request."""
    actor._entrepot_roles = frozenset(roles)
    return actor._entrepot_roles  # type: ignore[no-any-return]


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
