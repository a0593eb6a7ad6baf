from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WarehousesConfig(AppConfig):
    name = "warehouses"
    verbose_name = _("Warehouses")

    def ready(self) -> None:
        """What registers itself: the kinds of tasks."""
        for name in ("picks", "carrying", "count_tasks"):
            import_module(f"warehouses.services.{name}")
