"""Bends of what an engine makes of a response."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cors_conformance.browsers import observing
from cors_conformance.browsers.bending import Bent, Function, replaced, wrapped
from cors_conformance.browsers.places import PAGE
from cors_conformance.browsers.script import RawResponse
from cors_conformance.fetch import fetching, responses
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.abnf import is_token
from cors_conformance.fetch.http import HeaderLine, HeaderLines, HTTPResponse
from cors_conformance.fetch.origins import OpaqueOrigin, parse_serialized_origin, same_site
from cors_conformance.fetch.requests import Request
from cors_conformance.fetch.responses import Response


def header_lines_are_merged() -> Bent:
    """Skip empty lines where others have the name, and join some names in ways of their own."""

    def wrap(standard: Function) -> Function:
        def parsed(raw: RawResponse) -> HTTPResponse:
            response: HTTPResponse = standard(raw)
            return replace(response, headers=tuple(_merged(response.headers)))

        return parsed

    return wrapped(RawResponse, "parsed", wrap)


def _merged(headers: HeaderLines) -> Iterator[HeaderLine]:
    for name in dict.fromkeys(name.lower() for name, _ in headers):
        values = header_list.get_all(headers, name)
        values = [value for value in values if value] or values[:1]
        if name == b"content-type":
            values = [b",".join(values)]
        elif name == b"authorization":
            values = values[:1]
        elif name in {b"www-authenticate", b"proxy-authenticate"} and len(values) > 1:
            # They are joined by line feeds, and what has one is no header value.
            continue
        yield from ((name, value) for value in values)


def reset_content_has_a_body() -> Bent:
    """Let pages read the body of a 205."""
    return replaced(responses, "NULL_BODY_STATUSES", responses.NULL_BODY_STATUSES - {205})


def response_headers_are_utf8() -> Bent:
    """Show bytes that are no UTF-8 as U+FFFD."""

    def wrap(standard: Function) -> Function:
        def readable(response: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - as there
            return tuple(
                (
                    name,
                    value.encode("latin-1")
                    .decode("utf-8", "replace")
                    .encode("utf-8")
                    .decode("latin-1"),
                )
                for name, value in standard(response)
            )

        return readable

    return wrapped(observing, "_readable", wrap)


def wildcards_expose_before_errors() -> Bent:
    """Let a `*` expose everything though a later element is no token."""

    def wrap(standard: Function) -> Function:
        def names(request: Request, response: Response) -> frozenset[bytes]:
            lines = header_list.get_all(response.headers, b"access-control-expose-headers")
            for element in b",".join(lines).split(b","):
                token = element.strip(b" \t")
                if token and not is_token(token):
                    break
                if token == b"*" and request.credentials_mode != "include":
                    return frozenset(name.lower() for name, _ in response.headers)
            exposed: frozenset[bytes] = standard(request, response)
            return exposed

        return names

    return wrapped(responses, "cors_exposed_header_names", wrap)


def sandboxed_pages_have_a_site() -> Bent:
    """Let `Cross-Origin-Resource-Policy: same-site` pass where the sandbox is of that site."""

    def wrap(standard: Function) -> Function:
        def is_blocked(request: Request, response: Response) -> bool:
            policy = header_list.get(response.headers, b"cross-origin-resource-policy")
            if policy == b"same-site" and isinstance(request.origin, OpaqueOrigin):
                home = parse_serialized_origin(PAGE)
                return not same_site(home, response.url.origin)
            blocked: bool = standard(request, response)
            return blocked

        return is_blocked

    return wrapped(fetching, "_is_blocked_by_resource_policy", wrap)


def proxy_authentication_is_shown() -> Bent:
    """Show pages a 407 like any other status."""
    return replaced(fetching, "PROXY_AUTHENTICATION_REQUIRED", None)
