"""Hand-picked policies that always run."""

from typing import Final

from cors_conformance.named_policies import NAMED_POLICIES
from cors_conformance.policy import WILDCARD, Parameter, Policy
from cors_conformance.strategies.methods import COMMON as COMMON_METHODS
from cors_conformance.strategies.policies import ALL_PARAMETERS

_ALL: Final = (WILDCARD,)
_DEFAULT: Final = Policy()

CORNERS: Final = (
    # What FastrAPI documents: the defaults grant nobody anything.
    NAMED_POLICIES["fastrapi-defaults"],
    NAMED_POLICIES["fastrapi-first-usage"],
    NAMED_POLICIES["fastrapi-specific-origins"],
    NAMED_POLICIES["fastrapi-development"],
    # A static policy: its one origin may be sent to everybody, and may not with several.
    Policy(allow_origins=("https://a.example",)),
    # `*` in everything but the origins, with credentials: literally it would grant nothing.
    Policy(
        allow_origins=("https://a.example",),
        allow_methods=_ALL,
        allow_headers=_ALL,
        allow_credentials=True,
        expose_headers=_ALL,
    ),
    # What the standard makes impossible on purpose.
    Policy(allow_origins=_ALL, allow_credentials=True),
    Policy(
        allow_origins=_ALL,
        allow_methods=_ALL,
        allow_headers=_ALL,
        allow_credentials=True,
        expose_headers=_ALL,
    ),
    # `*` for headers, which a literal `*` does not grant to `Authorization`.
    Policy(allow_origins=("https://a.example",), allow_headers=_ALL),
    # No methods and no headers: what is safelisted is granted all the same.
    Policy(allow_origins=("https://a.example", "https://b.example"), allow_methods=()),
    # No origins, and everything else: nothing is granted, and nothing may leak.
    Policy(allow_methods=_ALL, allow_headers=_ALL, allow_credentials=True, expose_headers=("X-A",)),
    # One origin is a prefix of the other, in both orders, with credentials at stake.
    Policy(
        allow_origins=("https://a.example", "https://a.example.evil.example"),
        allow_credentials=True,
    ),
    Policy(
        allow_origins=("https://a.example:8443", "https://a.example"),
        allow_methods=("PATCH",),
        allow_headers=("X-AB", "X-A"),
        allow_credentials=True,
    ),
    # The method that browsers do not normalise.
    Policy(allow_origins=("https://a.example",), allow_methods=("PATCH",)),
    Policy(allow_origins=("https://a.example",), allow_methods=("patch", "CHICKEN")),
    # OPTIONS as a method that pages use, which is preflighted with itself.
    Policy(allow_origins=("https://a.example",), allow_methods=("OPTIONS",)),
    # Names in odd case, where browsers send lower case, and all of a token's characters.
    Policy(
        allow_origins=("https://a.example",),
        allow_headers=("x-lower", "X-UPPER", "x-mIxEd", "x!#$%&'*+-.^_`|~"),
        expose_headers=("etag", "X-TOTAL"),
    ),
    # No caching of preflights: zero is a value.
    Policy(allow_origins=("https://a.example",), allow_headers=("X-A",), max_age=0),
    # More seconds than 31 bits hold.
    Policy(allow_origins=("https://a.example",), max_age=2**31),
    # Origins that parsers of URLs or of `name:port` stumble over.
    Policy(
        allow_origins=(
            "http://[::1]:8080",
            "https://[2001:db8::1]",
            "https://xn--mnchen-3ya.example",
            "https://under_score.example",
            "capacitor://localhost",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "http://a.example:443",
        ),
        allow_credentials=True,
        expose_headers=("X-Total",),
    ),
    # One that is longer than buffers, and has more labels than it seems an origin should have.
    Policy(allow_origins=(f"https://{'.'.join(['a' * 40] * 5)}.example",)),
    # The developer's own machine, with and without a port, and all headers to be read.
    Policy(
        allow_origins=("http://localhost", "http://localhost:3000"),
        allow_methods=("PUT",),
        expose_headers=_ALL,
    ),
    # One of each scheme: parts of different origins make no origin.
    Policy(
        allow_origins=("https://a.example", "http://b.example:8080"),
        allow_headers=("X-A-B", "X_C"),
        expose_headers=("X-Total", "ETag"),
    ),
    # The server's own host under another scheme, and at another port: no less another origin.
    Policy(allow_origins=("http://api.example", "https://api.example:8443")),
    # So many values that linear search, regular expressions and header limits are felt.
    Policy(
        allow_origins=tuple(f"https://tenant-{number}.example" for number in range(100)),
        allow_methods=("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"),
        allow_headers=tuple(f"X-Tenant-Header-{number}" for number in range(40)),
        allow_credentials=True,
    ),
)


def corner_policies(
    *,
    parameters: frozenset[Parameter] = ALL_PARAMETERS,
    wildcard_with_credentials: bool = True,
    any_method: bool = True,
) -> tuple[Policy, ...]:
    """Return the policies that always run, in a fixed order, the options being as for `policies`.

    A policy that needs an excluded parameter at another value than its default is left out.
    """
    return tuple(
        policy
        for policy in CORNERS
        if all(
            getattr(policy, parameter) == getattr(_DEFAULT, parameter)
            for parameter in ALL_PARAMETERS - parameters
        )
        and (
            wildcard_with_credentials
            or not policy.allow_credentials
            or policy.allow_origins != _ALL
        )
        and (any_method or {*policy.allow_methods} <= {*COMMON_METHODS, WILDCARD})
    )
