"""S8: signatures as Standard Webhooks has them; a receiver that follows its library is told the truth."""

import hmac
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from monitoring.services.webhooks.signing import new_secret, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"test": 2432232314}'


def headers(*, now: datetime | None = None, secrets: Any = (SECRET,), body: str = BODY) -> dict[str, str]:
    return signed_headers(message_id="msg_1", body=body, secrets_=secrets, now=now or datetime.now(UTC))


def test_the_vector_of_the_standard_webhooks_repository() -> None:
    signed = signed_headers(
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        body=BODY,
        secrets_=[SECRET],
        now=datetime.fromtimestamp(1614265330, UTC),
    )

    assert signed == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_zone_of_the_clock_does_not_matter() -> None:
    now = datetime(2026, 3, 2, 9, 0, 0, 900_000, tzinfo=UTC)

    assert headers(now=now) == headers(now=now.astimezone(timezone(timedelta(hours=8))))


def test_the_library_of_the_receiver_accepts_it() -> None:
    assert Webhook(SECRET).verify(BODY, headers()) == {"test": 2432232314}


@pytest.mark.parametrize("seconds", [-301, 310])
def test_a_message_that_is_more_than_five_minutes_off_is_a_replay(seconds: int) -> None:
    signed = headers(now=datetime.now(UTC) + timedelta(seconds=seconds))

    with pytest.raises(WebhookVerificationError, match="timestamp"):
        Webhook(SECRET).verify(BODY, signed)


def test_a_message_of_four_minutes_ago_is_none() -> None:
    Webhook(SECRET).verify(BODY, headers(now=datetime.now(UTC) - timedelta(minutes=4)))


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature", "body"])
def test_whatever_is_altered_is_noticed(name: str) -> None:
    signed, body = headers(), BODY
    altered = {"webhook-id": "msg_2", "webhook-timestamp": str(int(signed["webhook-timestamp"]) - 1)}
    if name == "body":
        body = body.replace("2", "3")
    else:
        signed[name] = altered.get(name, signed[name].replace("v1,", "v1,AAAA"))

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, signed)


def test_during_a_rotation_both_secrets_prove_it_and_a_stranger_s_does_not() -> None:
    old, new, other = SECRET, new_secret(), new_secret()
    signed = headers(secrets=[new, old])

    assert Webhook(old).verify(BODY, signed) == Webhook(new).verify(BODY, signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, signed)


def test_secrets_are_long_random_and_never_the_same() -> None:
    made = {new_secret() for _n in range(50)}

    assert len(made) == 50
    assert all(secret.startswith("whsec_") and len(secret) == 50 for secret in made)


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(len(a)) or real(a, b))

    Webhook(SECRET).verify(BODY, headers())

    assert compared == [32]
