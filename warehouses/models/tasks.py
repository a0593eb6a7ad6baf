"""Work on the floor, for people, scanners, a WMS or robots: claimed for a while, done once."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Sku
from config.kernel.fields import QuantityField
from config.kernel.policy import ScopedManager
from warehouses.models.places import Location, Lot, Warehouse
from warehouses.models.stock import StockStatus


class Task(models.Model):
    class Kind(models.TextChoices):
        PICK = "pick", _("Pick")
        PUTAWAY = "putaway", _("Put away")
        COUNT = "count", _("Count")
        MOVE = "move", _("Move")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLAIMED = "claimed", _("Claimed")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    WAITING = (State.OPEN, State.CLAIMED)

    number = models.CharField(_("number"), max_length=20, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    priority = models.PositiveSmallIntegerField(_("priority"), default=100, help_text=_("Lower is done first."))
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, verbose_name=_("warehouse"), related_name="tasks")
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="tasks")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, verbose_name=_("lot"))
    status = models.CharField(
        _("stock status"), max_length=10, choices=StockStatus.choices, default=StockStatus.AVAILABLE
    )
    from_location = models.ForeignKey(
        Location, models.PROTECT, null=True, blank=True, verbose_name=pgettext_lazy("place", "from"), related_name="+"
    )
    to_location = models.ForeignKey(
        Location, models.PROTECT, null=True, blank=True, verbose_name=pgettext_lazy("place", "to"), related_name="+"
    )
    quantity = QuantityField(_("quantity"), null=True, blank=True, help_text=_("Empty for a count."))
    done_quantity = QuantityField(_("done"), null=True, blank=True)
    reference = models.CharField(_("document"), max_length=80, blank=True, db_index=True)
    subject_id = models.BigIntegerField(
        _("subject"), null=True, blank=True, help_text=_("Of a pick: the reservation. Of a count: the count line.")
    )
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("claimed by"), related_name="+"
    )
    worker = models.CharField(_("worker"), max_length=64, blank=True, help_text=_("The scanner or robot, as it says."))
    lease_token = models.UUIDField(_("lease"), null=True, blank=True)
    lease_expires_at = models.DateTimeField(_("lease expires at"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("claimed so often"), default=0)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("task"), _("tasks")
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state="claimed", lease_token__isnull=False, lease_expires_at__isnull=False)
                | ~Q(state="claimed"),
                name="task_claimed_has_lease",
            ),
            models.CheckConstraint(condition=Q(quantity=None) | Q(quantity__gt=0), name="task_quantity_positive"),
            models.CheckConstraint(
                condition=Q(from_location=None) | Q(to_location=None) | ~Q(from_location=F("to_location")),
                name="task_goes_somewhere",
            ),
            models.UniqueConstraint(
                fields=["kind", "subject_id"],
                condition=Q(subject_id__isnull=False, state__in=["open", "claimed"]),
                name="task_open_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["warehouse", "priority", "id"],
                name="task_to_do",
                condition=Q(state__in=["open", "claimed"]),
            )
        ]
        permissions = [("work_task", "Can claim and complete tasks")]

    def __str__(self) -> str:
        return self.number
