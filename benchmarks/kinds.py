"""Kinds of requests: what is asked, under one policy."""

from dataclasses import dataclass
from typing import Final

from cors_conformance.fetch.http import HeaderLines
from cors_conformance.policy import Policy

POLICY: Final = Policy(
    allow_origins=("https://example.com", "https://app.example.com"),
    allow_headers=("Content-Type", "Authorization"),
    allow_credentials=True,
)
"""The configuration with specific origins of FastrAPI's documentation."""

_ORIGIN: Final = (b"origin", b"https://app.example.com")
_OTHER: Final = (b"origin", b"https://evil.example")
_METHOD: Final = (b"access-control-request-method", b"PUT")
_HEADERS: Final = b"access-control-request-headers"
_PREFLIGHT: Final = (_METHOD, (_HEADERS, b"authorization,content-type"))
_NAMES: Final = tuple(b"x-%d" % number for number in range(10_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of request.

    Attributes:
        method: of the request.
        headers: that distinguish it from others.
        granted: whether its response names the origin as allowed; `None` where a right answer may
            do either.

    """

    method: str
    headers: HeaderLines
    granted: bool | None


KINDS: Final = {
    "no Origin": Kind(method="GET", headers=(), granted=False),
    "allowed": Kind(method="GET", headers=(_ORIGIN,), granted=True),
    "denied": Kind(method="GET", headers=(_OTHER,), granted=False),
    "granted preflight": Kind(method="OPTIONS", headers=(_ORIGIN, *_PREFLIGHT), granted=True),
    "denied preflight": Kind(method="OPTIONS", headers=(_OTHER, *_PREFLIGHT), granted=False),
}
"""What pages send."""

HOSTILE: Final = {
    name: Kind(method="OPTIONS", headers=(_ORIGIN, _METHOD, *lines), granted=None)
    for name, lines in {
        "1 MiB of commas": ((_HEADERS, b"," * 2**20),),
        "10,000 names": ((_HEADERS, b",".join(_NAMES)),),
        "10,000 lines": tuple((_HEADERS, name) for name in _NAMES),
    }.items()
}
"""Preflights that no browser sends, and anybody can."""

OVER_HTTP: Final = {**KINDS, "10,000 names": HOSTILE["10,000 names"]}
"""What servers are sent.

The other hostile ones do not get that far: FastrAPI's server answers 431 to 10,000 lines and to
1 MiB, and the command line of the generator has no room for a line of 1 MiB.
"""


def over_http(kind: str) -> str:
    """Return what a kind is called in results, where it was measured over HTTP."""
    return f"{kind}, HTTP"
