"""How the admin looks and how it is laid out: name, colours, and the navigation by job."""

from collections.abc import Callable
from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _may(permission: str) -> Callable[[Any], bool]:
    return lambda request: request.user.has_perm(permission)


def _table(title: Any, icon: str, model: str) -> dict[str, Any]:
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _may(f"{app}.view_{name}"),
    }


def _page(title: Any, icon: str, name: str, permission: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{name}"), "permission": _may(permission)}


# By job: what a clerk, a planner and whoever keeps the house reach for daily stands above; tables that are set up once,
# or read when something is doubted, stand in the folded groups at the end.
NAVIGATION = [
    {
        "title": _("Overview"),
        "items": [
            {"title": _("Dashboard"), "icon": "space_dashboard", "link": reverse_lazy("admin:index")},
            _table(_("Alerts"), "notifications", "monitoring.alert"),
        ],
    },
    {
        "title": _("Sales"),
        "items": [
            _table(_("Sales orders"), "receipt_long", "warehouses.salesorder"),
            _table(_("Shipments"), "local_shipping", "warehouses.shipment"),
            _table(_("Returns"), "assignment_return", "warehouses.salesreturn"),
            _table(_("Availability by channel"), "storefront", "warehouses.publishedavailability"),
            _table(_("Channel quotas"), "fence", "warehouses.channelquota"),
            _table(_("Carts"), "shopping_cart", "warehouses.cart"),
        ],
    },
    {
        "title": _("Stock"),
        "items": [
            _table(_("SKUs"), "inventory_2", "catalog.sku"),
            _table(_("Stock levels"), "shelves", "warehouses.stocklevel"),
            _table(_("Stock by location"), "warehouse", "warehouses.warehouse"),
            _table(_("Lots"), "qr_code_2", "warehouses.lot"),
            _table(_("Stock movements"), "swap_vert", "warehouses.stockmovement"),
        ],
    },
    {
        "title": _("Warehouse floor"),
        "items": [
            _page(_("My work"), "barcode_scanner", "warehouses_task_my_work", "warehouses.work_task"),
            _table(_("Tasks"), "checklist", "warehouses.task"),
            _table(_("Transfers"), "move_up", "warehouses.transfer"),
            _table(_("Count sheets"), "fact_check", "warehouses.countsheet"),
        ],
    },
    {
        "title": _("Buying"),
        "items": [
            _table(_("Reorder proposals"), "add_shopping_cart", "procurement.proposal"),
            _table(_("Joint orders"), "join_inner", "procurement.jointorder"),
            _table(_("Action messages"), "move_up", "procurement.actionmessage"),
            _table(_("Transfer proposals"), "swap_horiz", "procurement.transferproposal"),
            _table(_("Clearance proposals"), "percent", "procurement.clearanceproposal"),
            _table(_("Scenarios"), "alt_route", "procurement.scenario"),
            _table(_("Policy replays"), "replay", "procurement.policyreplay"),
            _table(_("Experiments"), "science", "procurement.experiment"),
            _table(_("Policy changes"), "published_with_changes", "procurement.policychange"),
            _table(_("Purchase orders"), "shopping_bag", "procurement.purchaseorder"),
            _table(_("Suppliers' answers"), "forum", "procurement.lineresponse"),
            _table(_("Receipts"), "move_to_inbox", "procurement.receipt"),
            _table(_("Suppliers"), "handshake", "procurement.supplier"),
            _table(_("Lead times"), "schedule", "procurement.leadtimeprofile"),
            _table(_("Buying budgets"), "savings", "procurement.buyingbudget"),
        ],
    },
    {
        "title": _("Forecasting"),
        "items": [
            _table(_("Forecast workbench"), "query_stats", "forecasting.forecast"),
            _page(_("Forecast accuracy"), "target", "forecasting_accuracy", "forecasting.view_forecastaccuracy"),
            _table(_("Overrides"), "edit_note", "forecasting.forecastoverride"),
            _table(_("Corrections"), "healing", "forecasting.historycorrection"),
            _table(_("Daily demand"), "bar_chart", "forecasting.demandhistory"),
            _table(_("Calendar"), "event", "catalog.calendarevent"),
        ],
    },
    {
        "title": _("Value"),
        "items": [
            _table(_("Stock value"), "account_balance", "warehouses.stockvalue"),
            _table(_("Landed costs"), "directions_boat", "warehouses.landedcost"),
        ],
    },
    {
        "title": _("Records and checks"),
        "collapsible": True,
        "items": [
            _table(_("Order lines"), "list_alt", "warehouses.salesorderline"),
            _table(_("Reservations"), "bookmark", "warehouses.reservation"),
            _table(_("Stock drifts"), "difference", "warehouses.stockdrift"),
            _table(_("Balance sheets"), "balance", "warehouses.balancesheet"),
            _table(_("Forecast runs"), "history", "forecasting.forecastrun"),
            _table(_("Forecasts of groups"), "stacked_line_chart", "forecasting.aggregateforecast"),
            _table(_("Drifts of forecasts"), "trending_down", "forecasting.forecastdrift"),
            _table(_("SKUs of experiments"), "casino", "procurement.experimentitem"),
            _table(_("Looks at experiments"), "visibility", "procurement.experimentlook"),
            _table(_("Service corrections"), "tune", "procurement.servicecorrection"),
            _table(_("Jobs"), "hourglass_top", "kernel.job"),
            _table(_("Audit trail"), "policy", "monitoring.auditevent"),
        ],
    },
    {
        "title": _("Connections"),
        "collapsible": True,
        "items": [
            _table(_("Sales imports"), "upload_file", "warehouses.salesimport"),
            _table(_("Channel events"), "sync_problem", "warehouses.channelevent"),
            _table(_("Webhooks"), "webhook", "monitoring.webhookendpoint"),
            _table(_("Webhook deliveries"), "outbox", "monitoring.webhookdelivery"),
            _table(_("Events"), "rss_feed", "kernel.outboxevent"),
            _table(_("Shop signals"), "touch_app", "forecasting.demandsignal"),
            _table(_("Batches of signals"), "inventory", "forecasting.signalbatch"),
        ],
    },
    {
        "title": _("Settings"),
        "collapsible": True,
        "items": [
            _table(_("Policies"), "tune", "procurement.policy"),
            _table(_("Supplier items"), "sell", "procurement.supplieritem"),
            _table(_("Products"), "category", "catalog.product"),
            _table(_("Categories"), "account_tree", "catalog.category"),
            _table(_("Channels"), "hub", "catalog.channel"),
            _table(_("Listings"), "label", "catalog.listing"),
            _table(_("Channel routes"), "alt_route", "warehouses.channelroute"),
            _table(_("Locations"), "location_on", "warehouses.location"),
            _table(_("Shipping rates"), "local_post_office", "warehouses.shippingrate"),
            _table(_("Stock rules"), "rule_settings", "warehouses.stockrules"),
            _table(_("Forecast rules"), "rule", "forecasting.forecastrules"),
            _table(_("Relations of SKUs"), "swap_calls", "forecasting.itemrelation"),
            _table(_("People"), "group", "auth.user"),
            _table(_("Portal users"), "badge", "procurement.suppliermembership"),
        ],
    },
]

UNFOLD = {
    "SITE_TITLE": "Entrepot",
    "SITE_HEADER": "Entrepot",
    "SITE_SUBHEADER": _("Inventory and supply planning"),
    "SITE_SYMBOL": "package_2",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("house/favicon.svg")},
    ],
    "SHOW_HISTORY": True,
    "SHOW_LANGUAGES": True,
    "BORDER_RADIUS": "8px",
    "DASHBOARD_CALLBACK": "monitoring.dashboard.dashboard",
    "STYLES": [lambda request: static("house/house.css")],
    "SCRIPTS": [lambda request: static("house/house.js"), lambda request: static("house/scan.js")],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": NAVIGATION},
    "COLORS": {
        "primary": {
            "50": "oklch(97.6% .012 215)",
            "100": "oklch(94.6% .026 215)",
            "200": "oklch(89.5% .05 215)",
            "300": "oklch(81.5% .085 217)",
            "400": "oklch(72% .105 220)",
            "500": "oklch(65% .11 223)",
            "600": "oklch(50% .1 227)",
            "700": "oklch(44% .088 229)",
            "800": "oklch(38% .073 230)",
            "900": "oklch(33% .06 231)",
            "950": "oklch(24% .045 232)",
        },
    },
}
