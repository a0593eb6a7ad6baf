"""`manage.py welcome`: where Entrepot answers, who can sign in, and what the latest plan found."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from config.kernel.fields import money
from config.kernel.models import Job
from monitoring.selectors.orders import Amounts, open_proposals, orders_worth
from procurement.models import PurchaseOrder
from procurement.services.planning import PLAN

CREDENTIALS = "demo_credentials.json"


class Command(BaseCommand):
    help = "Print the address, the demo's logins and what the latest plan found."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--address", default="http://127.0.0.1:8000", metavar="URL")

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["address"].rstrip("/")
        lines = [
            "",
            f"Entrepot is at {address}/",
            *(logins(Path(settings.DATA_DIR) / CREDENTIALS, address) or first_steps()),
            findings(),
            "",
        ]
        self.stdout.write("\n".join(lines))


def logins(path: Path, address: str) -> list[str]:
    """One line for each login the demo wrote down; nothing when there is no demo."""
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    pages = {"supplier": "portal/"}
    lines = [
        f"  {role:<9} {entry['username']} / {entry['password']}   {address}/{pages.get(role, 'admin/')}"
        for role, entry in known.items()
        if isinstance(entry, dict) and {"username", "password"} <= entry.keys()
    ]
    if isinstance(known.get("token"), str):
        lines.append(f"  {'API':<9} Authorization: Token {known['token']}   {address}/api/docs/")
    return lines


def first_steps() -> list[str]:
    """How the first person gets in, where nobody can yet."""
    if get_user_model().objects.exists():
        return []
    return [
        "  Nobody can sign in yet. Make the first administrator, who then gives the others their roles:",
        "    .venv/bin/python manage.py createsuperuser",
    ]


def findings() -> str:
    """One true sentence about the latest plan."""
    job = Job.objects.filter(kind=PLAN).order_by("-created_at").first()
    if job is None:
        return "No plan has run yet: manage.py plan forecasts every SKU and proposes what to buy."
    if job.state != Job.State.DONE:
        return f"The latest plan is {job.get_state_display().lower()}."
    proposals, drafts = open_proposals(), orders_worth(PurchaseOrder.Status.DRAFT)
    series, below = job.result.get("series", 0), job.result.get("below_reorder_point", 0)
    return (
        f"The latest plan forecast {series:,} series and found {below:,} below their reorder point: "
        f"{_worth(proposals, 'open proposal')}, {_worth(drafts, 'draft purchase order')}."
    )


def _worth(amounts: Amounts, noun: str) -> str:
    words = f"{amounts.count:,} {noun}{'' if amounts.count == 1 else 's'}"
    values = " + ".join(f"{currency} {money(value):,}" for currency, value in amounts.values.items())
    return f"{words} worth {values}" if amounts.count else words
