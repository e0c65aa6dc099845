"""Range header values. https://fetch.spec.whatwg.org/#simple-range-header-value"""

import re
from typing import Final

_SINGLE_RANGE: Final = re.compile(rb"bytes=([0-9]*)-([0-9]*)")

SingleRange = tuple[int | None, int | None]


def parse_a_single_range_header_value(value: bytes) -> SingleRange | None:
    """Parse without white space, as the safelist does; `None` stands for failure."""
    # 1-16. `bytes=`, digits, a dash, digits, and nothing else.
    match = _SINGLE_RANGE.fullmatch(value)
    if match is None:
        return None
    # 17. One of the two is there. (The safelist gives at most 128 digits, which `int` takes.)
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is None and last is None:
        return None
    # 18. A range does not end before it starts.
    if first is not None and last is not None and first > last:
        return None
    return (first, last)
