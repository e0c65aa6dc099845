"""Dates in headers, as moments of a model's clock.

Neither the day of a run nor the time zone of its machine has a say. Every form of an HTTP-date
(RFC 9110, 5.6.7) is a cookie-date too, so that one parser does for both.
"""

import re
from datetime import UTC, datetime
from typing import Final

START_OF_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The date at second 0 of every clock."""

_FIRST_YEAR: Final = 1601
_MONTHS: Final = (
    *(b"jan", b"feb", b"mar", b"apr", b"may", b"jun"),
    *(b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"),
)
# RFC 6265, 5.1.1.
_TOKEN: Final = re.compile(rb"[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME: Final = re.compile(rb"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY_OF_MONTH: Final = re.compile(rb"([0-9]{1,2})(?![0-9])")
_MONTH: Final = re.compile(b"(" + b"|".join(_MONTHS) + b")", re.IGNORECASE)
_YEAR: Final = re.compile(rb"([0-9]{2,4})(?![0-9])")


def parse_date(text: bytes) -> float | None:
    """Parse a date to seconds of the clock, negative before its start. RFC 6265, 5.1.1

    `None` stands for failure. What looks like a time zone is skipped.
    """
    # 1-2. Each token is the first thing that it can be and that is not yet found.
    found: dict[re.Pattern[bytes], tuple[bytes, ...]] = {}
    for token in _TOKEN.findall(text):
        for production in (_TIME, _DAY_OF_MONTH, _MONTH, _YEAR):
            match = None if production in found else production.match(token)
            if match is not None:
                found[production] = match.groups()
                break
    # 5. Nothing may be missing.
    if len(found) < len((_TIME, _DAY_OF_MONTH, _MONTH, _YEAR)):
        return None
    # 3-4. Two digits are a year of 1970 to 2069.
    year = int(found[_YEAR][0])
    if year < 100:  # noqa: PLR2004 - two digits
        year += 1900 if year >= 70 else 2000  # noqa: PLR2004 - as above
    month = 1 + _MONTHS.index(found[_MONTH][0].lower())
    hour, minute, second = (int(digits) for digits in found[_TIME])
    # 5-6. Nor may there be no such date.
    if year < _FIRST_YEAR:
        return None
    try:
        day = int(found[_DAY_OF_MONTH][0])
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return (moment - START_OF_TIME).total_seconds()
