import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors_conformance.fetch.dates import START_OF_TIME, parse_date

MOMENTS = st.datetimes(datetime(1601, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001 - the strategy adds the zone
    lambda moment: moment.replace(microsecond=0)
)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse(text: str) -> datetime | None:
    seconds = parse_date(text.encode("latin-1"))
    return None if seconds is None else datetime.fromtimestamp(_START + seconds, UTC)


_START = START_OF_TIME.timestamp()


@given(MOMENTS)
def test_imf_fixdates_are_read(moment: datetime) -> None:
    day, month = DAYS[moment.weekday()], MONTHS[moment.month - 1]
    date = f"{day}, {moment.day:02} {month} {moment.year} {moment.time()} GMT"

    assert parse(date) == moment


@given(MOMENTS)
def test_asctime_dates_are_read(moment: datetime) -> None:
    day, month = DAYS[moment.weekday()], MONTHS[moment.month - 1]

    assert parse(f"{day} {month} {moment.day:2} {moment.time()} {moment.year}") == moment


@given(st.permutations(["8:5:9", "7", "march", "98"]), st.sampled_from("\t -,./;?@[`{~"))
def test_parts_come_in_any_order_between_delimiters(parts: list[str], delimiter: str) -> None:
    # The day is the first number of two digits at most.
    in_order = parts if parts.index("7") < parts.index("98") else parts[::-1]

    assert parse(delimiter.join(in_order)) == datetime(1998, 3, 7, 8, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "year"),
    [("00", 2000), ("69", 2069), ("70", 1970), ("99", 1999), ("069", 2069), ("1601", 1601)],
)
def test_years_of_two_digits_are_those_from_1970_on(text: str, year: int) -> None:
    assert parse(f"1 Jan {text} 00:00:00") == datetime(year, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sunday, 06-Nov-94 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        # Only the first of a kind counts, and what follows a number is skipped.
        ("1 Jan 2026 0:0:0 2 Feb 2027 1:1:1", START_OF_TIME),
        ("1st January 2026AD 00:00:00.5", START_OF_TIME),
        ("1 Jan 2026 00:00:00 +0900", START_OF_TIME),
        ("1 Jan 2026 00:00:00 +99999999999999999999", START_OF_TIME),
    ],
)
def test_what_is_not_needed_is_skipped(text: str, moment: datetime) -> None:
    assert parse(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "Jan 2026 00:00:00",
        "1 2026 00:00:00",
        "1 Jan 00:00:00",
        "1 Jan 2026",
        "1 Jan 2026 00:00",
        "1 Jan 2026 00.00.00",
        "1 Jan 2026 24:00:00",
        "1 Jan 2026 00:60:00",
        "1 Jan 2026 00:00:60",
        "1 Jan 1600 00:00:00",
        "1 Jan 20260 00:00:00",
        "0 Jan 2026 00:00:00",
        "32 Jan 2026 00:00:00",
        "31 Feb 2026 00:00:00",
        "29 Feb 2025 00:00:00",
        "1 J\xe4n 2026 00:00:00",
    ],
)
def test_what_is_no_date_is_failure(text: str) -> None:
    assert parse(text) is None


@given(
    st.lists(
        st.one_of(st.binary(max_size=6), st.sampled_from([b"1", b"99", b" ", b":", b"jan"]))
    ).map(b"".join)
)
def test_no_bytes_are_too_odd(text: bytes) -> None:
    seconds = parse_date(text)

    assert seconds is None or isinstance(seconds, float)


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC-14")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_the_time_zone_of_the_machine_is_of_no_account() -> None:
    assert parse_date(b"Thu, 01 Jan 2026 00:01:00 GMT") == 60
    assert parse_date(b"Thu, 01 Jan 2026 00:01:00") == 60
