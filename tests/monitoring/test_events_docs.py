"""The snippet that integrators copy from the docs does what it says."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitoring.services.webhooks.signing import new_secret, signed_headers

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/events.md"


def snippet() -> Any:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 (our own page)
    return names["is_genuine"]


def test_the_snippet_of_the_docs_tells_a_genuine_message_from_others() -> None:
    is_genuine, secret, body = snippet(), new_secret(), '{"type":"ü"}'
    signed = signed_headers(message_id="msg_1", body=body, secrets_=[new_secret(), secret], now=datetime.now(UTC))

    assert is_genuine(secret, signed, body.encode())
    assert not is_genuine(secret, signed, body.encode() + b" ")
    assert not is_genuine(new_secret(), signed, body.encode())
    old = signed_headers(
        message_id="msg_1", body=body, secrets_=[secret], now=datetime.fromtimestamp(time.time() - 400, UTC)
    )
    assert not is_genuine(secret, old, body.encode())
