import pytest

from cors_reference import ConfigurationError, CORSMiddleware, WSGICORSMiddleware
from cors_reference.configuration import read_lists, spell_origin
from cors_reference.core import Policy

WRONG_ORIGINS = {
    "https://a.example/": "https://a.example",
    "https://a.example/path?query#fragment": "https://a.example",
    "https://A.example": "https://a.example",
    "HTTPS://a.example": "https://a.example",
    "https://a.example:443": "https://a.example",
    "http://a.example:80": "http://a.example",
    "https://a.example:": "https://a.example",
    "https://a.example:08443": "https://a.example:8443",
    "https://user:password@a.example": "https://a.example",
    "a.example": "https://a.example",
    "localhost:3000": "https://localhost:3000",
    "//a.example": "https://a.example",
    " https://a.example": "https://a.example",
    "https://b\u00fccher.example": "https://xn--bcher-kva.example",
    "https://bu\u0308cher.example": "https://xn--bcher-kva.example",
    "https://stra\u00dfe.example": "https://xn--strae-oqa.example",
    "https://\uff41.example": "https://a.example",
    "https://[0:0::1]": "https://[::1]",
    "https://[::FFFF:102:304]": "https://[::ffff:102:304]",
    "https://[::ffff:1.2.3.4]": "https://[::ffff:102:304]",
}
NO_ORIGINS = [
    "",
    "null",
    "NULL",
    "file://",
    "https://",
    "https://*.a.example",
    "https://.a.example",
    "*.a.example",
    "https://a.example,https://b.example",
    "https://a.example, https://b.example",
    "https://a.example:99999",
    "https://a.example:port",
    "https://a example",
    "https://a%2Eexample",
    "https://[::1",
    "https://[::g]",
    "https://[fe80::1%25eth0]",
    "https://127.1",
    "https://0x7f.1",
    "https://a.1",
    "https:\\\\a.example",
    "https://\u2100.example",
    "chrome-extension://user@abc",
    "https://\ud800:x",
]
ORIGINS = [
    "https://a.example",
    "http://localhost",
    "http://localhost:3000",
    "https://a.example:80",
    "http://a.example:443",
    "https://127.0.0.1",
    "https://127.0.0.1:8443",
    "https://[::1]",
    "https://[2001:db8::1]:8443",
    "https://[::ffff:102:304]",
    "https://xn--bcher-kva.example",
    "https://a_b.example",
    "https://a.example.",
    "chrome-extension://abcdefghijklmnop",
    "safari-web-extension://0A1B-2C3D",
    "capacitor://localhost",
    "app://localhost:3000",
]


def problems(**parameters: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        Policy(None, **parameters)  # type: ignore[arg-type]  # that they are wrong is the point
    return str(caught.value).split("\n")


@pytest.mark.parametrize(("origin", "spelling"), WRONG_ORIGINS.items())
def test_an_origin_that_no_browser_sends_is_refused_with_the_right_spelling(
    origin: str, spelling: str
) -> None:
    (problem,) = problems(allow_origins=[origin])
    assert problem.startswith(f"allow_origins: {origin!r} ")
    assert problem.endswith(f"write {spelling!r}")


@pytest.mark.parametrize("origin", NO_ORIGINS)
def test_what_is_no_origin_is_refused_with_an_example(origin: str) -> None:
    (problem,) = problems(allow_origins=[origin])
    assert problem.startswith(f"allow_origins: {origin!r} ")
    assert "https://example.com" in problem


@pytest.mark.parametrize("origin", ORIGINS)
def test_an_origin_that_browsers_send_is_accepted(origin: str) -> None:
    assert spell_origin(origin) == origin
    Policy(None, allow_origins=[origin])


@pytest.mark.parametrize("method", ["delete", "Get", "hEAD", "options", "post", "puT"])
def test_a_method_that_browsers_normalize_must_be_in_upper_case(method: str) -> None:
    (problem,) = problems(allow_methods=[method])
    assert problem == f"allow_methods: {method!r} is not how browsers write it: write " + repr(
        method.upper()
    )


@pytest.mark.parametrize("method", ["CONNECT", "trace", "Track", "", "A B", "GET,PUT", "P\u00dcT"])
def test_a_method_that_no_page_can_use_is_refused(method: str) -> None:
    (problem,) = problems(allow_methods=[method])
    assert problem.startswith(f"allow_methods: {method!r} ")


@pytest.mark.parametrize("method", ["PATCH", "patch", "OPTIONS", "HEAD", "QUERY", "x!"])
def test_any_other_token_is_accepted_as_a_method(method: str) -> None:
    Policy(None, allow_methods=[method])


@pytest.mark.parametrize("parameter", ["allow_headers", "expose_headers"])
@pytest.mark.parametrize("name", ["", "X Y", "X-A, X-B", "X-A:", "X-\u00c4", "X-A\r\nSet-Cookie"])
def test_what_is_no_token_is_refused_as_a_header_name(parameter: str, name: str) -> None:
    (problem,) = problems(**{parameter: [name]})
    assert problem.startswith(f"{parameter}: {name!r} ")


def test_forbidden_request_headers_are_accepted_since_no_browser_asks_for_them() -> None:
    Policy(None, allow_headers=["Cookie", "Host", "Sec-Fetch-Site"])


LISTS = ["allow_origins", "allow_methods", "allow_headers", "expose_headers"]


@pytest.mark.parametrize("parameter", LISTS)
@pytest.mark.parametrize("value", ["GET", "*", b"GET", None, 1])
def test_what_is_no_list_is_refused(parameter: str, value: object) -> None:
    (problem,) = problems(**{parameter: value})
    assert problem == f"{parameter}: {value!r} is no list: write a list of strings"


@pytest.mark.parametrize("parameter", LISTS)
@pytest.mark.parametrize("item", [b"GET", None, 1, ["GET"]])
def test_what_is_no_string_is_refused_in_a_list(parameter: str, item: object) -> None:
    (problem,) = problems(**{parameter: [item]})
    assert problem.startswith(f"{parameter}: {item!r} ")


@pytest.mark.parametrize(
    ("parameter", "items"),
    [
        ("allow_origins", ["*", "https://a.example"]),
        ("allow_methods", ["GET", "*"]),
        ("allow_headers", ["*", "Authorization"]),
        ("expose_headers", ["*", "X-A"]),
    ],
)
def test_an_asterisk_stands_alone(parameter: str, items: list[str]) -> None:
    (problem,) = problems(**{parameter: items})
    assert problem.startswith(f"{parameter}: {items!r} ")


def test_an_asterisk_may_be_repeated() -> None:
    assert Policy(None, allow_origins=["*", "*"]).all_origins


def test_all_origins_get_no_credentials() -> None:
    (problem,) = problems(allow_origins=["*"], allow_credentials=True)
    assert problem.startswith("allow_credentials: True ")


def test_all_origins_in_a_generator_get_no_credentials() -> None:
    assert len(problems(allow_origins=iter(["*"]), allow_credentials=True)) == 1


@pytest.mark.parametrize("flag", ["true", 1, 0, None, b"true"])
def test_a_flag_is_a_bool(flag: object) -> None:
    (problem,) = problems(allow_credentials=flag)
    assert problem == f"allow_credentials: {flag!r} is no bool: write True or False"


@pytest.mark.parametrize("max_age", [-1, 0.5, 600.0, True, False, "600", None, float("inf")])
def test_a_duration_is_a_whole_number_of_seconds(max_age: object) -> None:
    (problem,) = problems(max_age=max_age)
    assert problem == f"max_age: {max_age!r} is no duration: write whole seconds, 0 or more"


@pytest.mark.parametrize("max_age", [0, 1, 2**31, 2**63])
def test_every_other_number_of_seconds_is_accepted(max_age: int) -> None:
    assert (b"access-control-max-age", str(max_age).encode()) in Policy(
        None, max_age=max_age
    ).preflight


def test_all_problems_are_reported_at_once_a_line_each() -> None:
    lines = problems(
        allow_origins=["null", "https://a.example/", "*"],
        allow_methods="GET",
        allow_headers=["\n"],
        allow_credentials=1,
        expose_headers=[1],
        max_age=-1,
    )
    assert [line.split(":")[0] for line in lines] == [
        *["allow_origins"] * 3,
        "allow_methods",
        "allow_headers",
        "expose_headers",
        "allow_credentials",
        "max_age",
    ]


def test_a_configuration_error_is_a_value_error() -> None:
    assert issubclass(ConfigurationError, ValueError)


@pytest.mark.parametrize("middleware", [CORSMiddleware, WSGICORSMiddleware])
def test_a_wrong_configuration_is_found_at_construction(
    middleware: type[CORSMiddleware | WSGICORSMiddleware],
) -> None:
    with pytest.raises(ConfigurationError):
        middleware(None, max_age=-1)  # type: ignore[arg-type]  # never called


def test_the_configuration_is_a_snapshot() -> None:
    origins, methods, headers = ["https://a.example"], ["PUT"], ["X-A"]
    policy = Policy(None, origins, methods, headers)
    origins.append("https://b.example")
    methods.append("DELETE")
    headers.append("X-B")
    assert policy.answer(b"https://b.example", b"PUT", b"")[0] == 403
    assert policy.answer(b"https://a.example", b"DELETE", b"")[0] == 403
    assert policy.answer(b"https://a.example", b"PUT", b"x-b")[0] == 403


def test_any_iterable_is_a_list() -> None:
    lists: tuple[object, ...] = (("https://a.example",), {"PUT"}, iter(["X-A"]), {"X-B": 1})
    assert read_lists(False, 600, *lists) == [
        [b"https://a.example"],
        [b"PUT"],
        [b"X-A"],
        [b"X-B"],
    ]
