"""`manage.py plan`: the planning run in the foreground, with its progress."""

from argparse import ArgumentParser
from datetime import date
from threading import Event, Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from config.kernel.errors import DomainError
from config.kernel.models import Job
from forecasting.models import ForecastRules
from forecasting.selectors import latest_run
from procurement.services.planning import PlanOutcome, queue_plan, resumable_plan, run_plan


class Command(BaseCommand):
    help = "Forecast every active SKU × warehouse and propose what to order."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", type=date.fromisoformat, help="last day of demand to read (YYYY-MM-DD)")
        parser.add_argument("--force", action="store_true", help="forecast again though nothing changed")
        parser.add_argument("--resume", action="store_true", help="go on with the last plan, which broke off")
        parser.add_argument("--mode", choices=ForecastRules.Mode.values, help="instead of what the forecast rules say")
        parser.add_argument(
            "--update", action="store_true", help="bring the last plan up to the present day without learning anew"
        )
        parser.add_argument("--no-refresh", action="store_true", help="demand is up to date: do not read the orders")
        parser.add_argument("--if-never", action="store_true", help="do nothing when a plan was ever completed")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_never"] and latest_run():
            return
        job = self._job(options)
        with _Progress(job, self.stdout):
            try:
                outcome = run_plan(job.pk, clock=timezone.now, calls_workers=True)
            except DomainError as exc:
                raise CommandError(str(exc)) from exc
            except KeyboardInterrupt:
                raise CommandError("The plan was broken off; manage.py plan --resume goes on with it.") from None
        if outcome is None:
            raise CommandError("The plan was cancelled.")
        self.stdout.write(describe(outcome))

    def _job(self, options: dict[str, Any]) -> Job:
        broken = resumable_plan()
        if options["resume"]:
            if broken is None:
                raise CommandError("There is no plan to go on with; the last one ended.")
            return broken
        if options["if_never"] and broken:
            return broken
        try:
            return queue_plan(
                as_of=options["as_of"],
                force=options["force"],
                mode=options["mode"],
                is_update=options["update"],
                refreshes=not options["no_refresh"],
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc


def describe(outcome: PlanOutcome) -> str:
    """What the plan found, in a sentence or two."""
    if outcome.run_id is None:
        return "There is no whole day of sales yet: bring some with manage.py import_sales FILE --channel CODE."
    found = (
        f"Plan as of {outcome.as_of}: {outcome.series} series forecast, {outcome.below_reorder_point} below their "
        f"reorder point, {outcome.proposals_open} open proposals ({outcome.proposals_new} new, "
        f"{outcome.proposals_withdrawn} withdrawn)."
    )
    if outcome.without_supplier:
        found += f" {outcome.without_supplier} series have no supplier item, so nothing can be proposed for them."
    if outcome.is_look_back:
        found += " This was a look back: the proposals stay as they were."
    if outcome.unplannable:
        found += f" {len(outcome.unplannable)} could not be planned: " + "; ".join(outcome.unplannable[:5]) + "."
    return found + (" Nothing changed since the last plan; nothing new was written." if outcome.nothing_new else "")


class _Progress:
    """Prints the job's step and count as they change, from a thread with a connection of its own."""

    def __init__(self, job: Job, out: Any) -> None:
        self._job, self._out, self._stop = job, out, Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        said = ""
        while not self._stop.wait(1):
            step, done, total = Job.objects.values_list("step", "done", "total").get(pk=self._job.pk)
            line = f"  {step} {done}/{total}" if total else f"  {step}"
            if step and line != said:
                self._out.write(line)
                said = line
        connection.close()
