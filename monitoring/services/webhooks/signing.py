"""Standard Webhooks: the id, the time and the body signed with a secret that only the two sides know."""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(*, message_id: str, body: str, secrets_: Sequence[str], now: datetime) -> dict[str, str]:
    """The three headers of a message; one signature for each secret, so that a rotation misses nothing.

    `now` carries a zone. A receiver refuses what was signed more than five minutes ago, so each try is signed anew.
    """
    signatures = [Webhook(secret).sign(message_id, now.astimezone(UTC), body) for secret in secrets_]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
