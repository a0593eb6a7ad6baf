"""One file of sales taken in: what it was, and how every line of it was counted."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import Channel
from config.kernel.policy import ScopedManager
from warehouses.models.places import Warehouse


class SalesImport(models.Model):
    file_name = models.CharField(_("file"), max_length=255)
    file_sha256 = models.CharField(_("SHA-256"), max_length=64, db_index=True)
    channel = models.ForeignKey(Channel, models.PROTECT, verbose_name=_("channel"))
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, verbose_name=_("warehouse"))
    column_map = models.JSONField(_("columns"), default=dict)
    counts = models.JSONField(
        _("counts"), default=dict, help_text=_("Every line of the file stands in exactly one of these.")
    )
    rejects_file = models.CharField(_("rejects file"), max_length=255, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("actor"))
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("sales import"), _("sales imports")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.file_name
