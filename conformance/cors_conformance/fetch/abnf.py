"""Grammars of RFC 9110 that the standard's header parsing refers to.

token         = 1*tchar                                          ; RFC 9110, 5.6.2
tchar         = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." /
                "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
field-name    = token                                            ; RFC 9110, 5.1
method        = token                                            ; RFC 9110, 9.1
#element      = [ element ] *( OWS "," OWS [ element ] )         ; as a recipient, 5.6.1.2
delta-seconds = 1*DIGIT                                          ; RFC 9111, 1.2.2
"""

import re
from typing import Final

_TCHAR: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
TOKEN: Final = re.compile(_TCHAR + rb"+")
DELTA_SECONDS: Final = re.compile(rb"[0-9]+")

TAB_OR_SPACE: Final = b"\t "
"""HTTP tab or space bytes. https://fetch.spec.whatwg.org/#http-tab-or-space-byte"""

WHITESPACE: Final = b"\t\n\r "
"""HTTP whitespace bytes. https://fetch.spec.whatwg.org/#http-whitespace-byte"""

DELTA_SECONDS_LIMIT: Final = 2**31
"""What a `delta-seconds` too large to represent becomes. RFC 9111, 1.2.2"""


def is_token(value: bytes) -> bool:
    """Whether `value` is a `token`. RFC 9110, 5.6.2"""
    return TOKEN.fullmatch(value) is not None


def parse_token_list(value: bytes) -> tuple[bytes, ...] | None:
    """Parse `#token` as a recipient must: empty elements are skipped, a non-token fails it all.

    RFC 9110, 5.6.1.2. `None` stands for failure.
    """
    elements = [element.strip(TAB_OR_SPACE) for element in value.split(b",")]
    tokens = tuple(element for element in elements if element)
    return tokens if all(map(is_token, tokens)) else None


def parse_delta_seconds(value: bytes) -> int | None:
    """Parse `delta-seconds`; `None` stands for failure. RFC 9111, 1.2.2"""
    if DELTA_SECONDS.fullmatch(value) is None:
        return None
    # Digits without end are legal, and `int` would refuse thousands of them.
    digits = value.lstrip(b"0")
    return (
        int(digits or b"0") if len(digits) < len(str(DELTA_SECONDS_LIMIT)) else DELTA_SECONDS_LIMIT
    )
