import pytest

from cors_reference.core import REQUEST_HEADERS_LIMIT, Header, Policy

A = b"https://a.example"
B = b"https://b.example"
PREFIX = b"access-control-"


def policy(**parameters: object) -> Policy[None]:
    parameters = {"allow_origins": ["https://a.example", "https://b.example"], **parameters}
    return Policy(None, **parameters)  # type: ignore[arg-type]  # each test passes what is right


def one(lines: list[Header], name: bytes) -> bytes | None:
    values = [value for key, value in lines if key == name]
    assert len(values) <= 1
    return values[0] if values else None


def cors(lines: list[Header]) -> dict[bytes, bytes]:
    return {key.removeprefix(PREFIX): one(lines, key) or b"" for key, _ in lines if PREFIX in key}


# Preflights


def test_a_granted_preflight_names_the_origin_and_lists_the_policy() -> None:
    status, lines, body = policy(
        allow_methods=["PUT", "PATCH"], allow_headers=["X-A", "X-B"]
    ).answer(A, b"PUT", b"x-a")
    assert (status, body) == (204, b"")
    assert cors(lines) == {
        b"allow-origin": A,
        b"allow-methods": b"PUT, PATCH",
        b"allow-headers": b"X-A, X-B",
        b"max-age": b"600",
    }
    assert one(lines, b"vary") == b"Origin"


@pytest.mark.parametrize("lists", [{}, {"allow_methods": [], "allow_headers": []}])
def test_an_empty_list_has_no_header(lists: dict[str, list[str]]) -> None:
    _, lines, _ = policy(**lists).answer(A, b"GET", b"")
    assert all(value for _, value in lines)


def test_repeated_names_are_sent_once() -> None:
    _, lines, _ = policy(allow_methods=["PUT", "PUT"]).answer(A, b"PUT", b"")
    assert one(lines, b"access-control-allow-methods") == b"PUT"


def test_a_preflight_has_credentials_granted_only_if_they_are() -> None:
    assert cors(policy(allow_credentials=True).answer(A, b"PUT", b"")[1])[b"allow-credentials"] == (
        b"true"
    )
    assert b"allow-credentials" not in cors(policy().answer(A, b"PUT", b"")[1])


NEAR_MISSES = [
    b"",
    b"null",
    b"*",
    b"http://a.example",
    b"https://a.example:443",
    b"https://a.example/",
    b"https://a.example.",
    b"https://A.example",
    b"HTTPS://a.example",
    b"https://xa.example",
    b"https://x.a.example",
    b"https://a.exampl",
    b"https://a.example.evil",
    b"https://a_example",
    b"https://a.example, https://b.example",
    b"https://a.example,https://a.example",
    b"https://a.example https://b.example",
    b"https://a.example\r\n",
    b" https://a.example",
    b"\xff" * 70000,
]


@pytest.mark.parametrize("origin", NEAR_MISSES)
def test_an_origin_is_granted_nothing_unless_it_is_one_of_the_policy(origin: bytes) -> None:
    status, lines, _ = policy().answer(origin, b"GET", b"")
    assert (status, cors(lines)) == (403, {})
    assert cors(policy().share(origin, [])) == {}


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST"])
def test_a_safelisted_method_is_granted_unlisted(method: bytes) -> None:
    assert policy(allow_methods=[], allow_headers=["X-A"]).answer(A, method, b"x-a")[0] == 204


@pytest.mark.parametrize("method", [b"", b"patch", b"PUT", b"get", b"GET, GET", b"*", b"PATCH "])
def test_any_other_method_is_granted_only_as_it_is_listed(method: bytes) -> None:
    assert policy(allow_methods=["PATCH"]).answer(A, method, b"")[0] == 403


@pytest.mark.parametrize("credentials", [False, True])
@pytest.mark.parametrize("method", [b"PUT", b"patch", b"GET", b"x!"])
def test_all_methods_are_granted_by_the_name_that_is_asked_for(
    method: bytes, credentials: bool
) -> None:
    granting = policy(allow_methods=["*"], allow_credentials=credentials)
    status, lines, _ = granting.answer(A, method, b"")
    assert status == 204
    assert one(lines, b"access-control-allow-methods") == method


@pytest.mark.parametrize("method", [b"", b"A B", b"GET, PUT", b"PUT\r\nx: y", b"\xff", b"A" * 257])
def test_all_methods_are_tokens_of_bounded_length(method: bytes) -> None:
    assert policy(allow_methods=["*"]).answer(A, method, b"")[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        b"x-a",
        b"x-a,x-b",
        b"X-A",
        b"x-b,x-a,x-b",
        b"x-a, x-b",
        b"x-a\t ,\t x-b",
        b",x-a,,x-b,",
        b"",
        b",",
        b" \t",
    ],
)
def test_listed_headers_are_granted_in_every_spelling_of_a_list(headers: bytes) -> None:
    assert policy(allow_headers=["X-A", "x-B"]).answer(A, b"PUT", headers)[0] == 204


@pytest.mark.parametrize("headers", [b"x-b", b"x-a,x-b", b"x-a x-a", b"x-a;", b"*", b"\x0bx-a"])
def test_other_headers_are_refused(headers: bytes) -> None:
    assert policy(allow_headers=["X-A"]).answer(A, b"PUT", headers)[0] == 403


@pytest.mark.parametrize(
    "name", [b"accept", b"accept-language", b"content-language", b"content-type", b"range"]
)
def test_an_unsafe_value_of_a_safelisted_header_is_refused_unless_listed(name: bytes) -> None:
    assert policy().answer(A, b"PUT", name)[0] == 403
    assert policy(allow_headers=[name.decode()]).answer(A, b"PUT", name)[0] == 204


@pytest.mark.parametrize("credentials", [False, True])
def test_all_headers_are_granted_by_the_names_that_are_asked_for(credentials: bool) -> None:
    granting = policy(allow_headers=["*"], allow_credentials=credentials)
    status, lines, _ = granting.answer(A, b"PUT", b"Authorization, ,x-a")
    assert status == 204
    assert one(lines, b"access-control-allow-headers") == b"authorization,x-a"


@pytest.mark.parametrize("headers", [b"x-a,x b", b"x-a\r\n", b"\xff", b"x:", b'"x"', b"a" * 257])
def test_all_headers_are_tokens_of_bounded_length(headers: bytes) -> None:
    assert policy(allow_headers=["*"]).answer(A, b"PUT", headers)[0] == 403


def test_the_literal_asterisk_is_never_sent_for_methods_or_headers() -> None:
    everything = policy(allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    _, lines, _ = everything.answer(A, b"PUT", b"")
    assert cors(lines) == {b"allow-origin": b"*", b"allow-methods": b"PUT", b"max-age": b"600"}


@pytest.mark.parametrize("headers", [["*"], ["X-A"]])
@pytest.mark.parametrize(
    "hostile",
    [b"," * 2**20, b"x-a," * 2**18, b",".join(b"x-%d" % n for n in range(100_000)), b" " * 2**20],
)
def test_a_huge_list_of_headers_is_refused_in_few_bytes(headers: list[str], hostile: bytes) -> None:
    status, lines, body = policy(allow_headers=headers).answer(A, b"PUT", hostile)
    assert status == 403
    assert sum(map(len, (body, *(part for line in lines for part in line)))) < 500


def test_a_preflight_is_not_answered_with_more_than_it_has() -> None:
    names = b",".join([b"a"] * (REQUEST_HEADERS_LIMIT // 2))
    _, lines, _ = policy(allow_headers=["*"]).answer(A, b"PUT", names)
    assert one(lines, b"access-control-allow-headers") == names


def test_a_long_list_of_headers_can_be_asked_for_in_full() -> None:
    names = [f"x-{number:08}" for number in range(2000)]
    asked = ",".join(names).encode()
    assert len(asked) > REQUEST_HEADERS_LIMIT
    assert policy(allow_headers=names).answer(A, b"PUT", asked)[0] == 204


@pytest.mark.parametrize(
    ("refused", "request_line"),
    [
        (b"origin", (b"https://evil.example", b"DELETE", b"x-evil")),
        (b"method", (A, b"EVIL", b"x-evil")),
        (b"headers", (A, b"PUT", b"x-evil")),
    ],
)
def test_a_refusal_says_what_is_refused_and_nothing_of_the_request(
    refused: bytes, request_line: tuple[bytes, bytes, bytes]
) -> None:
    status, lines, body = policy().answer(*request_line)
    assert status == 403
    assert b"the " + refused in body
    assert b"evil" not in repr((lines, body)).lower().encode()
    assert lines == [
        (b"vary", b"Origin"),
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]


def test_a_refusal_for_all_origins_is_public_like_every_response() -> None:
    status, lines, _ = policy(allow_origins=["*"], allow_methods=[]).answer(A, b"PUT", b"")
    assert status == 403
    assert cors(lines) == {b"allow-origin": b"*"}
    assert one(lines, b"vary") is None


def test_answers_can_be_changed_by_those_who_get_them() -> None:
    granting = policy()
    granting.answer(A, b"PUT", b"")[1].clear()
    granting.answer(b"", b"PUT", b"")[1].clear()
    granting.share(A, []).clear()
    granting.share(None, []).clear()
    assert len(granting.answer(A, b"PUT", b"")[1]) == 4
    assert len(granting.answer(b"", b"PUT", b"")[1]) == 3
    assert granting.share(A, []) == [(b"vary", b"Origin"), (PREFIX + b"allow-origin", A)]
    assert granting.share(None, []) == [(b"vary", b"Origin")]


# Responses of the application


def test_a_response_to_an_origin_of_the_policy_is_shared_with_it_alone() -> None:
    assert policy().share(B, [(b"x-a", b"1")]) == [
        (b"x-a", b"1"),
        (b"vary", b"Origin"),
        (b"access-control-allow-origin", B),
    ]


@pytest.mark.parametrize("origin", [None, b"", b"null", b"https://evil.example"])
def test_a_response_to_anybody_else_varies_by_origin_only(origin: bytes | None) -> None:
    sharing = policy(allow_credentials=True, expose_headers=["X-A"])
    assert sharing.share(origin, []) == [(b"vary", b"Origin")]


@pytest.mark.parametrize("origin", [None, b"null", A])
def test_all_origins_get_the_same_static_headers(origin: bytes | None) -> None:
    lines = policy(allow_origins=["*"], expose_headers=["X-A"]).share(origin, [])
    assert lines == [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-expose-headers", b"X-A"),
    ]


def test_credentials_and_exposed_headers_are_for_origins_of_the_policy() -> None:
    lines = policy(allow_credentials=True, expose_headers=["X-A", "X-B"]).share(A, [])
    assert cors(lines) == {
        b"allow-origin": A,
        b"allow-credentials": b"true",
        b"expose-headers": b"X-A, X-B",
    }


def test_all_headers_are_exposed_by_an_asterisk_without_credentials() -> None:
    lines = policy(expose_headers=["*"]).share(A, [(b"x-a", b"1")])
    assert one(lines, b"access-control-expose-headers") == b"*"


def test_all_headers_are_exposed_by_name_with_credentials() -> None:
    own = [(b"X-B", b"1"), (b"x-a", b"1"), (b"x-a", b"2"), (b"set-cookie", b"a=b")]
    lines = policy(expose_headers=["*"], allow_credentials=True).share(A, own)
    assert one(lines, b"access-control-expose-headers") == b"x-a, x-b"


@pytest.mark.parametrize(("origin", "own"), [(A, []), (None, [(b"x-a", b"1")])])
def test_nothing_is_exposed_where_there_is_nothing_or_nobody(
    origin: bytes | None, own: list[Header]
) -> None:
    lines = policy(expose_headers=["*"], allow_credentials=True).share(origin, own)
    assert one(lines, b"access-control-expose-headers") is None


OWN = [
    (b"Access-Control-Allow-Origin", b"*"),
    (b"access-control-allow-credentials", b"true"),
    (b"access-control-allow-methods", b"*"),
    (b"access-control-allow-headers", b"*"),
    (b"access-control-allow-private-network", b"true"),
    (b"access-control-expose-headers", b"*"),
    (b"access-control-max-age", b"1"),
]


@pytest.mark.parametrize("origin", [None, b"https://evil.example"])
def test_an_application_cannot_share_its_responses_itself(origin: bytes | None) -> None:
    assert policy().share(origin, OWN) == [(b"vary", b"Origin")]


def test_an_application_s_own_cors_headers_are_replaced() -> None:
    assert cors(policy().share(A, OWN)) == {b"allow-origin": A}


def test_other_headers_keep_their_order_repetitions_and_spelling() -> None:
    own = [
        (b"set-cookie", b"a=b"),
        (b"X-A", b"1"),
        (b"set-cookie", b"c=d"),
        (b"timing-allow-origin", b"*"),
        (b"access-control-request-method", b"odd"),
        (b"x-a", b"1"),
    ]
    assert policy().share(None, own) == [*own, (b"vary", b"Origin")]


@pytest.mark.parametrize("vary", [b"Accept", b"Accept, Cookie", b"", b"X-Origin", b"Originator"])
def test_the_application_s_vary_is_kept_beside_the_policy_s(vary: bytes) -> None:
    lines = [(b"Vary", vary), (b"vary", b"Accept-Language")]
    assert policy().share(None, lines) == [*lines, (b"vary", b"Origin")]


@pytest.mark.parametrize("vary", [b"Origin", b"origin", b"Accept,ORIGIN", b"*", b"Accept , *"])
def test_vary_has_origin_once(vary: bytes) -> None:
    lines = [(b"vary", b"Accept-Language"), (b"VARY", vary)]
    assert policy().share(None, lines) == lines


def test_vary_is_left_alone_for_all_origins() -> None:
    lines = [(b"vary", b"Accept")]
    sharing = policy(allow_origins=["*"])
    assert sharing.share(None, lines) == [*lines, (b"access-control-allow-origin", b"*")]


def test_the_headers_may_come_from_any_iterable() -> None:
    lines = (line for line in [(b"x-a", b"1")])
    assert policy().share(None, lines)[0] == (b"x-a", b"1")


def test_the_headers_of_the_application_are_not_mutated() -> None:
    own = [(b"vary", b"Origin"), *OWN]
    before = own.copy()
    policy().share(A, own)
    assert own == before


# Cost


class Counting(bytes):
    """An origin that counts how often it is compared."""

    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Counting.comparisons += 1
        return bytes(self) == other

    def __hash__(self) -> int:
        return hash(bytes(self))


def test_the_number_of_origins_does_not_matter() -> None:
    names = [f"https://{number}.example" for number in range(10_000)]
    many = policy(allow_origins=names)
    Counting.comparisons = 0
    assert cors(many.share(Counting(b"https://9999.example"), []))
    assert not cors(many.share(Counting(b"https://10000.example"), []))
    assert Counting.comparisons < 10
