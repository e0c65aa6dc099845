"""What every interface asks of a response: a final status, header lines that HTTP can carry."""

import re
from collections.abc import Sequence
from typing import Final

from cors_conformance.fetch.http import HeaderLine, HeaderLines, HTTPResponse
from cors_conformance.servers.text import describe_value

# https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
# tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." /
#         "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
_is_token: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
# https://www.rfc-editor.org/rfc/rfc9110#section-5.5-5: CR, LF and NUL are invalid and dangerous.
_is_dangerous: Final = re.compile(rb"[\r\n\x00]").search

# https://www.rfc-editor.org/rfc/rfc9110#section-6.4.1: no content, whatever was sent.
_WITHOUT_CONTENT: Final = frozenset({204, 304})


class Malformed(Exception):
    """A response that no server could put on the wire; the message says why."""


def status_of(status: object) -> int:
    """Return a final status code.

    Raises:
        Malformed: no integer, an interim status, or none of three digits.

    """
    if not isinstance(status, int) or not 200 <= status <= 999:  # noqa: PLR2004 - RFC 9110, 15
        message = f"its status is {describe_value(status)}, which is no final status code"
        raise Malformed(message)
    return int(status)


def line_of(name: object, value: object) -> HeaderLine:
    """Return a header line as it reaches a client: the value without white space around it.

    Raises:
        Malformed: a part that is not bytes, a name that is no token, a value with CR, LF or NUL.

    """
    if not (isinstance(name, bytes) and isinstance(value, bytes)):
        message = f"its header {describe_value(name)}: {describe_value(value)} is not made of bytes"
        raise Malformed(message)
    if _is_token(name) is None:
        message = f"its header name {describe_value(name)} is no token"
        raise Malformed(message)
    if _is_dangerous(value) is not None:
        message = (
            f"its header {describe_value(name)} has CR, LF or NUL in its value"
            f" {describe_value(value)}"
        )
        raise Malformed(message)
    return name, value.strip(b" \t")


def framed(method: bytes, status: int, headers: HeaderLines, body: Sequence[bytes]) -> HTTPResponse:
    """Return the response as a client receives it after the message framing.

    Raises:
        Malformed: a `Content-Length` that is not the body's length; a server would fail on it,
            and so would a browser.

    """
    if method == b"HEAD" or status in _WITHOUT_CONTENT:
        return HTTPResponse(status=status, headers=headers, body=b"")
    content = b"".join(body)
    for name, value in headers:
        if (
            len(name) == 14  # noqa: PLR2004 - cheaper than lower() on every name
            and name.lower() == b"content-length"
            and value != b"%d" % len(content)
        ):
            message = f"its Content-Length is {describe_value(value)}, its body {len(content)} long"
            raise Malformed(message)
    return HTTPResponse(status=status, headers=headers, body=content)
