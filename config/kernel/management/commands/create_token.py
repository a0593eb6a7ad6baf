"""`manage.py create_token USERNAME`: a token for a program that uses the API in the name of a user."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from knox.models import AuthToken

from config.kernel.policy import roles_of


class Command(BaseCommand):
    help = "Print a new API token of a user. It is shown this once and stored only as a hash."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--days", type=int, help="how long it is valid (default: until it is revoked)")
        parser.add_argument("--revoke", action="store_true", help="revoke all tokens of the user first")

    def handle(self, *_: Any, **options: Any) -> None:
        user = get_user_model().objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['username']!r}.")
        if not roles_of(user) and not user.is_superuser:
            raise CommandError(f"{options['username']} has no role and could do nothing; give the user one first.")
        days = options["days"]
        if days is not None and days < 1:
            raise CommandError("--days must be at least 1.")
        if options["revoke"]:
            AuthToken.objects.filter(user=user).delete()
        _row, secret = AuthToken.objects.create(user, expiry=timedelta(days=days) if days else None)
        self.stdout.write(secret)
