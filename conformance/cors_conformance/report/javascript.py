"""A visit as the JavaScript that a page would run."""

import json
from collections.abc import Iterator
from typing import Final

from cors_conformance.report.escape import LONGEST, is_plain, printable
from cors_conformance.scenario import API, Visit

_BYTES: Final = 32
"""Bytes of a body that is no text which are shown."""


def fetch_call(visit: Visit) -> Iterator[str]:
    """Yield the lines of a `fetch()`. https://fetch.spec.whatwg.org/#fetch-method

    Where it is not the default of the standard, or decides about CORS, an option is written out.
    """
    yield f"fetch({_string(API + visit.path)}, {{"
    if visit.method != b"GET":
        yield f"  method: {_string(visit.method.decode('latin-1'))},"
    if visit.headers:
        # A list of pairs keeps the order and letter case that an object would keep, too, and
        # shows that nothing is merged.
        yield "  headers: ["
        for name, value in visit.headers:
            pair = ", ".join(_string(part.decode("latin-1")) for part in (name, value))
            yield f"    [{pair}],"
        yield "  ],"
    if visit.mode != "cors":
        yield f"  mode: {_string(visit.mode)},"
    yield f"  credentials: {_string(visit.credentials)},"
    if visit.redirect != "follow":
        yield f"  redirect: {_string(visit.redirect)},"
    if visit.body is not None:
        yield f"  body: {_body(visit.body)},"
    if visit.use_cors_preflight:
        yield "  // as an upload with progress listeners, which is always preflighted"
    yield "})"


def _string(text: str) -> str:
    shown = printable(json.dumps(text[:LONGEST]), limit=7 * LONGEST)
    if len(text) <= LONGEST:
        return shown
    return f"{shown} /* cut: {len(text)} characters */"


def _body(body: bytes) -> str:
    if is_plain(body):
        return _string(body.decode("ascii"))
    shown = ", ".join(map(str, body[:_BYTES]))
    cut = "" if len(body) <= _BYTES else f" /* cut: {len(body)} bytes */"
    return f"new Uint8Array([{shown}{cut}])"
