from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProcurementConfig(AppConfig):
    name = "procurement"
    verbose_name = _("Procurement")

    def ready(self) -> None:
        # Models are loaded only now.
        from procurement.services.experiments.starting import register as register_experiments
        from procurement.services.promising import held_back, open_orders
        from warehouses.selectors.inbound import register_inbound, register_safety_stock

        register_inbound(open_orders)
        register_safety_stock(held_back)
        register_experiments()
