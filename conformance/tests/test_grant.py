from dataclasses import replace

import pytest

from cors_conformance.application import ApplicationResponse
from cors_conformance.dialect import Dialect
from cors_conformance.grant import Verdict, readable_grant, visit_grant
from cors_conformance.policy import Policy
from cors_conformance.scenario import Visit

LISTS = Policy(
    allow_origins=("https://a.example",),
    allow_methods=("GET", "PATCH"),
    allow_headers=("X-A",),
    expose_headers=("X-B",),
    allow_credentials=True,
)
STARS = Policy(
    allow_origins=("*",), allow_methods=("*",), allow_headers=("*",), expose_headers=("*",)
)
STARS_BUT_ORIGINS = Policy(
    allow_origins=("https://a.example",),
    allow_methods=("*",),
    allow_headers=("*",),
    allow_credentials=True,
    expose_headers=("*",),
)
GRANTED, DENIED, FREE = Verdict.GRANTED, Verdict.DENIED, Verdict.FREE


def visit(
    origin: str = "https://a.example",
    method: bytes = b"GET",
    *names: bytes,
    include: bool = False,
    body: bytes | None = None,
) -> Visit:
    return Visit(
        origin=origin,
        method=method,
        headers=tuple((name, b"1") for name in names),
        credentials="include" if include else "omit",
        body=body,
    )


@pytest.mark.parametrize(
    ("policy", "what", "verdict"),
    [
        (LISTS, visit(), GRANTED),
        (LISTS, visit(include=True), GRANTED),
        (LISTS, visit("https://b.example"), DENIED),
        (LISTS, visit("null"), DENIED),
        (LISTS, visit("https://a.example", b"PATCH"), GRANTED),
        (LISTS, visit("https://a.example", b"patch"), DENIED),
        (LISTS, visit("https://a.example", b"get"), GRANTED),
        (LISTS, visit("https://a.example", b"PUT"), DENIED),
        (LISTS, visit("https://a.example", b"POST"), FREE),
        (LISTS, visit("https://a.example", b"GET", b"x-a"), GRANTED),
        (LISTS, visit("https://a.example", b"GET", b"x-c"), DENIED),
        (LISTS, visit("https://a.example", b"POST", b"x-c"), DENIED),
        (LISTS, visit("https://a.example", b"GET", b"accept"), GRANTED),
        (LISTS, visit("https://a.example", b"GET", b"cookie"), GRANTED),
        (LISTS, replace(visit("https://a.example"), headers=((b"Accept", b"a" * 129),)), FREE),
        (LISTS, visit("https://api.example", b"PUT"), FREE),
        (STARS, visit("https://b.example", b"PUT", b"x-c"), GRANTED),
        (STARS, visit(include=True), DENIED),
        (STARS, visit("null"), FREE),
        (STARS, visit("https://a.example", b"GET", b"authorization"), FREE),
        (STARS_BUT_ORIGINS, visit("https://a.example", b"PUT"), GRANTED),
        (STARS_BUT_ORIGINS, visit("https://a.example", b"PUT", include=True), FREE),
        (STARS_BUT_ORIGINS, visit("https://a.example", b"GET", b"x-c", include=True), FREE),
    ],
)
def test_a_policy_without_a_dialect_grants(policy: Policy, what: Visit, verdict: Verdict) -> None:
    assert visit_grant(policy, Dialect(), what).verdict is verdict


def with_credentials(policy: Policy) -> Policy:
    return Policy(allow_origins=policy.allow_origins, allow_credentials=True)


@pytest.mark.parametrize(
    ("dialect", "policy", "what", "verdict"),
    [
        (Dialect(wildcard_covers_null=True), STARS, visit("null"), GRANTED),
        (Dialect(wildcard_covers_null=False), STARS, visit("null"), DENIED),
        (
            Dialect(wildcard_covers_authorization=True),
            STARS,
            visit("https://a.example", b"GET", b"authorization"),
            GRANTED,
        ),
        (
            Dialect(wildcard_covers_authorization=False),
            STARS,
            visit("https://a.example", b"GET", b"Authorization"),
            DENIED,
        ),
        (
            Dialect(wildcard_lists_with_credentials=True),
            STARS_BUT_ORIGINS,
            visit("https://a.example", b"PUT", include=True),
            GRANTED,
        ),
        (
            Dialect(wildcard_lists_with_credentials=False),
            STARS_BUT_ORIGINS,
            visit("https://a.example", b"PUT", include=True),
            DENIED,
        ),
        (
            Dialect(always_allowed_headers=frozenset()),
            LISTS,
            replace(visit("https://a.example"), headers=((b"Accept", b"a" * 129),)),
            DENIED,
        ),
        (
            Dialect(always_allowed_headers=frozenset({"content-type"})),
            LISTS,
            visit("https://a.example", b"GET", b"Content-Type"),
            GRANTED,
        ),
        (
            Dialect(wildcard_methods=frozenset({"GET"})),
            STARS,
            visit("https://a.example", b"CHICKEN"),
            FREE,
        ),
        (
            Dialect(wildcard_with_credentials="any origin"),
            with_credentials(STARS),
            visit(include=True),
            GRANTED,
        ),
        (
            Dialect(wildcard_with_credentials="never credentialed"),
            with_credentials(STARS),
            visit(include=True),
            DENIED,
        ),
        # A method or a header that is called `*` is one of all.
        (
            Dialect(wildcard_methods=frozenset({"GET"})),
            STARS,
            visit("https://a.example", b"*"),
            FREE,
        ),
        (
            Dialect(wildcard_lists_with_credentials=False),
            STARS_BUT_ORIGINS,
            visit("https://a.example", b"GET", b"*", include=True),
            DENIED,
        ),
        (Dialect(), with_credentials(STARS), visit(include=True), DENIED),
        (Dialect(), with_credentials(STARS), visit(), GRANTED),
    ],
)
def test_a_dialect_decides_what_the_standard_leaves_free(
    dialect: Dialect, policy: Policy, what: Visit, verdict: Verdict
) -> None:
    assert visit_grant(policy, dialect, what).verdict is verdict


@pytest.mark.parametrize(
    ("application", "verdict"),
    [
        (ApplicationResponse(status=500), GRANTED),
        (ApplicationResponse(status=302), GRANTED),
        (ApplicationResponse(status=302, headers=((b"location", b"/x"),)), FREE),
        (ApplicationResponse(raises="before start"), FREE),
        (ApplicationResponse(headers=((b"Access-Control-Allow-Origin", b"*"),)), FREE),
    ],
)
def test_the_application_may_leave_nothing_to_grant(
    application: ApplicationResponse, verdict: Verdict
) -> None:
    what = Visit(origin="https://a.example", method=b"GET", application=application)

    assert visit_grant(LISTS, Dialect(), what).verdict is verdict


def test_no_cors_is_no_matter_of_cors() -> None:
    what = Visit(origin="https://a.example", method=b"GET", mode="no-cors")

    assert visit_grant(LISTS, Dialect(), what).free


@pytest.mark.parametrize(
    ("policy", "name", "credentials", "verdict"),
    [
        (LISTS, b"X-B", "omit", GRANTED),
        (LISTS, b"x-c", "omit", DENIED),
        (LISTS, b"Content-Type", "include", GRANTED),
        (LISTS, b"Set-Cookie", "omit", DENIED),
        (STARS, b"x-c", "omit", GRANTED),
        (STARS, b"x-c", "include", FREE),
    ],
)
def test_readable_headers_are_safelisted_or_exposed(
    policy: Policy, name: bytes, credentials: str, verdict: Verdict
) -> None:
    assert readable_grant(policy, Dialect(), name, credentials).verdict is verdict


def test_a_grant_gives_its_reason() -> None:
    grant = visit_grant(LISTS, Dialect(), visit("https://b.example"))

    assert str(grant) == "denied: the origin https://b.example is not in allow_origins"
