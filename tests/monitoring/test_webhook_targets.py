"""S7: a webhook never reaches an address that is not public, however the address is written or looked up."""

# ruff: noqa: S104 (addresses to refuse, not to bind)
import ipaddress
import socket

import pytest

from monitoring.services.webhooks import transport
from monitoring.services.webhooks.targets import BadUrl, is_permitted, permitted_addresses, read_url

NOT_PUBLIC = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "fd00::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "2001::1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "64:ff9b:1::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "100::1", "5f00::1", "3fff::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1", "172.32.0.1"]


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(text: str) -> None:
    assert not is_permitted(ipaddress.ip_address(text), allow_private=False)


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_permitted(text: str) -> None:
    assert is_permitted(ipaddress.ip_address(text), allow_private=False)


@pytest.mark.parametrize("text", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fd00::5", "::ffff:127.0.0.1"])
def test_a_demo_may_allow_its_own_network(text: str) -> None:
    assert is_permitted(ipaddress.ip_address(text), allow_private=True)


@pytest.mark.parametrize("text", ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "::", "::ffff:169.254.169.254"])
def test_even_a_demo_reaches_no_cloud_metadata(text: str) -> None:
    assert not is_permitted(ipaddress.ip_address(text), allow_private=True)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0X7F.1", "0177.0.0.1", "017700000001", "127.0.0.1.", "[::1]",
     "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "[fd00::1]", "169.254.169.254", "0xa9fea9fe", "0",
     "１２７.0.0.1", "①②⑦.0.0.1"],
)  # fmt: skip
def test_no_way_of_writing_a_number_gets_past(host: str) -> None:
    with pytest.raises(BadUrl):
        read_url(f"http://{host}/", allow_private=False)


@pytest.mark.parametrize(
    "url",
    ["ftp://shop.example/", "file:///etc/passwd", "gopher://shop.example/", "//shop.example/", "shop.example", "",
     "http://", "https://user:secret@shop.example/", "https://shop.example@127.0.0.1/", "http://shop.example:22/",
     "http://shop.example:6379/", "http://shop.example:0/", "http://shop.example:99999/", "http://shop example/",
     "http://shop.example:80:80/", "http://[::1", "http://-/", "http://a..b/", "http://shop.example\\@127.0.0.1/"],
)  # fmt: skip
def test_only_a_plain_web_address_may_be_used(url: str) -> None:
    with pytest.raises(BadUrl):
        read_url(url, allow_private=False)


def test_an_address_is_taken_apart() -> None:
    target = read_url("https://Bücher.example:8443/hooks/ä b?x=1&y=é#part", allow_private=False)

    assert (target.scheme, target.host, target.port) == ("https", "xn--bcher-kva.example", 8443)
    assert target.path == "/hooks/%C3%A4%20b?x=1&y=%C3%A9"
    assert target.host_header == "xn--bcher-kva.example:8443"
    assert read_url("https://shop.example", allow_private=False).host_header == "shop.example"


def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    assert permitted_addresses(["1.1.1.1", "10.0.0.1"], allow_private=False) == []
    assert permitted_addresses(["1.1.1.1", "1.1.1.1", "2606:4700::1111"], allow_private=False) == [
        ipaddress.ip_address("1.1.1.1"),
        ipaddress.ip_address("2606:4700::1111"),
    ]


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every connection that is tried; none is made."""
    tried: list[tuple[str, int]] = []

    def refuse(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(transport.socket, "create_connection", refuse)
    return tried


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["169.254.169.254"], ["fd00::8"], ["fe80::1%eth0"],
     ["1.1.1.1", "127.0.0.1"], ["no address"]],
)  # fmt: skip
def test_a_name_that_leads_inside_is_never_connected_to(dialled: list[tuple[str, int]], found: list[str]) -> None:
    outcome = transport.post(
        "https://shop.example/", body=b"{}", headers={}, allow_private=False, resolver=lambda host, port: found
    )

    assert (outcome.fault, outcome.status) == ("forbidden", None)
    assert dialled == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST"])
def test_this_machine_s_own_name_leads_nowhere(dialled: list[tuple[str, int]], host: str) -> None:
    """Looked up by the real resolver."""
    outcome = transport.post(f"http://{host}:8000/", body=b"{}", headers={}, allow_private=False)

    assert outcome.fault == "forbidden"
    assert dialled == []


def test_a_name_that_changes_its_answer_gains_nothing(dialled: list[tuple[str, int]]) -> None:
    """Rebinding: the name is looked up once, and the very number that was checked is dialled."""
    answers = [["93.184.215.14"], ["127.0.0.1"], ["127.0.0.1"]]

    transport.post(
        "https://shop.example/", body=b"{}", headers={}, allow_private=False,
        resolver=lambda host, port: answers.pop(0),
    )  # fmt: skip

    assert dialled == [("93.184.215.14", 443)]
    assert len(answers) == 2
