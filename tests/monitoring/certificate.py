"""A server's certificate for shop.example, signed by itself, good for a hundred years; of use to nobody but tests."""

import contextlib
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBnTCCAUSgAwIBAgIUZqyRiVdkdJr4mH6Iabervv1yXlAwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMCAXDTI2MTEyMzE1MjkwM1oYDzIxMjYx
MDMwMTUyOTAzWjAXMRUwEwYDVQQDDAxzaG9wLmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAASeC8dj73Vky5Wy7FERt7X+0ZAcOknU53+i6/HG0CSwY7aw
yg7gYYWxs1LHb/Be2hjejJEpY9j5cRuyivctRxHUo2wwajAdBgNVHQ4EFgQU5tVT
mUedLR6EBS0ZcG9wCnCrd9QwHwYDVR0jBBgwFoAU5tVTmUedLR6EBS0ZcG9wCnCr
d9QwDwYDVR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggxzaG9wLmV4YW1wbGUwCgYI
KoZIzj0EAwIDRwAwRAIgIsSFS1ltQxoxYekFc4L1eMrkIA9vv9QueNkyiCjdWcEC
IEayy1/ss/Tw6E8TZ4SpCBZkP8kMgqSUaKOvJ9vdhd6C
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEILCcL5BPLplv4SouzlwmcpPIzV1Bb8iX3PbbRbt3FFt/oAoGCCqGSM49
AwEHoUQDQgAEngvHY+91ZMuVsuxREbe1/tGQHDpJ1Od/ouvxxtAksGO2sMoO4GGF
sbNSx2/wXtoY3oyRKWPY+XEbsor3LUcR1A==
-----END EC PRIVATE KEY-----
"""


@contextlib.contextmanager
def server_context() -> Iterator[ssl.SSLContext]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"
        file.write_text(CERTIFICATE + KEY)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        yield context


def trusting_context() -> ssl.SSLContext:
    """A client's that trusts this certificate and no other; names are checked as ever."""
    return ssl.create_default_context(cadata=CERTIFICATE)
