"""One look ahead: what it covered, from which data, and the chunks in which workers share it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Job
from config.kernel.policy import ScopedManager
from forecasting.models.rules import ForecastRules


class ForecastRun(models.Model):
    """One night's look ahead: what it covered, from which data, and how it went."""

    job = models.OneToOneField(Job, models.PROTECT, verbose_name=_("job"), related_name="forecast_run")
    as_of = models.DateField(_("as of"), help_text=_("The last day of demand it read."))
    mode = models.CharField(
        _("mode"), max_length=12, choices=ForecastRules.Mode.choices, default=ForecastRules.Mode.EVERYDAY
    )
    learnt_in = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("brought up to date from"),
        related_name="updates",
        help_text=_("The run whose learning this one used; empty: it learnt anew."),
    )
    horizon_days = models.PositiveSmallIntegerField(_("horizon (days)"))
    quantile_levels = ArrayField(models.FloatField(), verbose_name=_("quantile levels"))
    backtest = models.JSONField(
        _("backtest"), default=dict, blank=True, help_text=_("Origins, windows and step of the held-out periods.")
    )
    input_fingerprint = models.CharField(_("input fingerprint"), max_length=64, db_index=True)
    is_complete = models.BooleanField(_("complete"), default=False)
    series_count = models.PositiveIntegerField(_("series"), default=0)
    summary = models.JSONField(_("summary"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("forecast run"), _("forecast runs")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.pk} · {self.as_of}"


class RunLearning(models.Model):
    """What a run learnt from the whole panel, packed: read by its chunks and by the next days' updates."""

    run = models.OneToOneField(ForecastRun, models.CASCADE, related_name="learning", primary_key=True)
    edition = models.CharField(max_length=20, help_text="Engine edition that can read it.")
    packed = models.BinaryField()
    made_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("learning of a run"), _("learnings of runs")

    def __str__(self) -> str:
        return f"{self.run_id}"


class ForecastChunk(models.Model):
    """The series of a run that one worker forecasts at a time: those whose SKU hash falls into this number.

    Claimed by compare-and-set; a chunk whose worker gave no sign of life is claimed once more, and its rows replace
    whatever the first try had saved.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    run = models.ForeignKey(ForecastRun, models.CASCADE, verbose_name=_("run"), related_name="chunks", db_index=False)
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    series = models.PositiveIntegerField(_("series"), default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    worker = models.CharField(_("worker"), max_length=120, blank=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    seconds = models.FloatField(_("seconds"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)
    pairs = models.BinaryField(
        null=True, editable=False, help_text="The SKUs and warehouses of the chunk, as they were when the run began."
    )
    history = models.BinaryField(
        null=True, editable=False, help_text="The packed demand it read, so that the next day appends one column."
    )
    sums = models.BinaryField(
        null=True, editable=False, help_text="What it adds to the levels above, until the run is complete."
    )

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("chunk of a run"), _("chunks of runs")
        ordering = ("run", "number")
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="forecast_chunk_once")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number}"
