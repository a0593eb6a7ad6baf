"""The links in suppliers' mails lead to where this Entrepot listens, unless the operator names another address."""

from pathlib import Path

import pytest

from config.supervisor.signals import StopSignals
from config.supervisor.supervise import Options, Supervisor


def public_url(folder: Path, host: str, port: int) -> str:
    options = Options(host=host, port=port, data_dir=folder, empty=True)
    return Supervisor(options, StopSignals.__new__(StopSignals))._environment["PUBLIC_URL"]


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("127.0.0.1", 8123, "http://127.0.0.1:8123"),
        ("0.0.0.0", 9000, "http://127.0.0.1:9000"),  # noqa: S104 - not bound
        ("shop.example", 8000, "http://shop.example:8000"),
        ("::1", 8000, "http://[::1]:8000"),
    ],
)
def test_it_is_the_address_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, port: int, url: str
) -> None:
    monkeypatch.delenv("PUBLIC_URL", raising=False)

    assert public_url(tmp_path, host, port) == url


def test_the_operator_s_own_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://buy.example")

    assert public_url(tmp_path, "127.0.0.1", 8000) == "https://buy.example"
