"""Where a message may go: the address as it is typed, and the addresses its name stands for at the moment of sending.

The name is looked up when a message is sent, every answer is checked, and the connection is made to the checked number
itself. A name that changes its answer between check and use (DNS rebinding) therefore gains nothing.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# (host, port) → the numeric addresses of the host; raises OSError when it has none.
Resolver = Callable[[str, int], Sequence[str]]

_PORTS = {"http": 80, "https": 443}
# The web's own ports; a message must not knock on a database or a mail server.
_OPEN_PORTS = frozenset({80, 443, *range(8000, 9000)})
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?\.?")
# What counts as a number to the resolver, beside dotted decimals: 2130706433, 0x7f000001, 0177.1, 127.1.
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}\.?")

# By RFC 6890 and the registries of IANA. Written out, because what Python calls global has changed with its versions.
_NOT_PUBLIC_V4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
_NOT_PUBLIC_V6 = ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")
_NOT_PUBLIC = tuple(ipaddress.ip_network(text) for text in _NOT_PUBLIC_V4 + _NOT_PUBLIC_V6)
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
# What WEBHOOK_ALLOW_PRIVATE opens: this machine and the company's own network. Never link-local (cloud metadata).
_OWN = tuple(
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)


class BadUrl(ValidationFailed):
    """The address as typed may not be used."""


@dataclass(frozen=True, slots=True)
class Target:
    """`host` is a name or a number as the resolver takes it; `path` holds the query too."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(url: str, *, allow_private: bool) -> Target:
    """The parts of a usable address. Raises BadUrl; looks no name up, but refuses numbers that are not public."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii_host(parts.hostname or "")
    except ValueError as exc:
        raise BadUrl(_("This is no address of a web server.")) from exc
    if parts.scheme not in _PORTS:
        raise BadUrl(_("The address begins with https:// (or http://)."))
    if parts.username is not None or parts.password is not None:
        raise BadUrl(_("The address holds no user and no password: messages are signed."))
    if not (":" in host or _HOST.fullmatch(host)):
        raise BadUrl(_("This is no address of a web server."))
    port = _PORTS[parts.scheme] if port is None else port
    if not (1 <= port <= 65535) or not (allow_private or port in _OPEN_PORTS):
        raise BadUrl(_("The port is 80, 443 or one from 8000 to 8999."))
    number = _as_number(host)
    if number is not None and not is_permitted(number, allow_private=allow_private):
        raise BadUrl(_("The address is not public."))
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=-._~?")
    return Target(parts.scheme, host, port, f"{path}?{query}" if query else path)


def is_permitted(address: Address, *, allow_private: bool) -> bool:
    """Whether a message may be sent to this number. An IPv4 address inside an IPv6 one is judged as what it is."""
    inner = _inner_v4(address)
    if inner is not None:
        return is_permitted(inner, allow_private=allow_private)
    if allow_private and any(address in network for network in _OWN if network.version == address.version):
        return True
    if address.version == 6 and address not in _PUBLIC_V6:
        return False
    return not any(address in network for network in _NOT_PUBLIC if network.version == address.version)


def permitted_addresses(found: Sequence[str], *, allow_private: bool) -> list[Address]:
    """The addresses of a name, all of them permitted; an empty list when a single one is not.

    A name that stands for a public and a private address at once is a trap, not a server with two cards.
    """
    try:
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
    except ValueError:
        return []
    is_fine = all(is_permitted(address, allow_private=allow_private) for address in addresses)
    return list(dict.fromkeys(addresses)) if is_fine else []


def system_resolver(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(entry[4][0]) for entry in found]


def _ascii_host(host: str) -> str:
    """Raises ValueError for what is no host."""
    return str(ipaddress.IPv6Address(host)) if ":" in host else host.encode("idna").decode().lower()


def _as_number(host: str) -> Address | None:
    """The number a host is, in any of the forms the resolver reads; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    if not _NUMERIC.fullmatch(host):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError as exc:
        raise BadUrl(_("This is no address of a web server.")) from exc


def _inner_v4(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to: mapped, translated (NAT64) or tunnelled (6to4)."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return address.sixtofour
    return None
