import gc

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KernelConfig(AppConfig):
    name = "config.kernel"
    label = "kernel"
    verbose_name = _("System")

    def ready(self) -> None:
        """What the imports made stays as long as the process: the collector need not look at it again and again.

        Without this a posting of some thousand movements spends a third of its CPU on collections.
        """
        gc.collect()
        gc.freeze()
