"""A request as a `curl` command, so that a finding can be shown without this suite."""

import shlex
from typing import Final
from urllib.parse import urlsplit

from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.report.escape import is_plain

_LONGEST: Final = 2000
"""Characters of a command; a longer one is no help."""

_GLOBBING: Final = frozenset("[]{}")


def curl(request: HTTPRequest) -> str | None:
    """Return the command, for the server at `$URL`; `None` where a shell line cannot say it."""
    target = request.url.removeprefix(_origin(request.url)) or "/"
    body = request.body or b""
    values = (request.method, body, *(part for line in request.headers for part in line))
    if not (target.isascii() and target.isprintable() and all(map(is_plain, values))):
        return None
    words = ["curl", "-i"]
    if request.method == b"HEAD":
        # With `-X HEAD` curl would wait for a body.
        words.append("--head")
    elif request.method != b"GET" or body:
        words += ["-X", request.method.decode()]
    if _GLOBBING & set(target):
        words.append("--globoff")
    words.append(f'"$URL"{shlex.quote(target)}')
    for name, value in request.headers:
        # `Name:` would take the header away, `Name;` sends it empty.
        line = f"{name.decode()}: {value.decode()}" if value else f"{name.decode()};"
        words += ["-H", shlex.quote(line)]
    if body:
        if b"content-type" not in {name.lower() for name, _ in request.headers}:
            words += ["-H", "Content-Type:"]
        words += ["--data-raw", shlex.quote(body.decode())]
    command = " ".join(words)
    return command if len(command) <= _LONGEST else None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
