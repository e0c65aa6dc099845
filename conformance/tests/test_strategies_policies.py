"""Policies make sense, and invalid configurations do not."""

from collections.abc import Callable
from dataclasses import fields

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from cors_conformance.fetch.headers import is_header_name
from cors_conformance.fetch.methods import is_forbidden_method, is_method, normalize_method
from cors_conformance.fetch.origins import parse_serialized_origin
from cors_conformance.fetch.request_headers import is_forbidden_request_header
from cors_conformance.policy import Parameter, Policy
from cors_conformance.strategies import (
    InvalidConfiguration,
    corner_policies,
    invalid_configurations,
    policies,
)
from cors_conformance.strategies.corners import CORNERS
from cors_conformance.strategies.policies import ALL_PARAMETERS

ALL = ("*",)
LISTS: tuple[Parameter, ...] = ("allow_origins", "allow_methods", "allow_headers", "expose_headers")

# Not profiles, but what `find` does, without the explain phase, which leaves it with a larger
# example than it shrank to, and without shrinking where any example will do.
SHRINK = settings(phases=(Phase.generate, Phase.shrink))
ANY = settings(max_examples=2000, phases=(Phase.generate,))


def items(values: tuple[str, ...]) -> tuple[str, ...]:
    return () if values == ALL else values


@given(st.one_of(policies(), st.sampled_from(CORNERS)))
def test_a_policy_is_valid(policy: Policy) -> None:
    for origin in items(policy.allow_origins):
        assert origin != "null"
        assert str(parse_serialized_origin(origin)) == origin
    for method in (item.encode() for item in items(policy.allow_methods)):
        assert is_method(method)
        assert normalize_method(method) == method
        assert not is_forbidden_method(method)
    for name in (item.encode() for item in items(policy.allow_headers)):
        assert is_header_name(name)
        assert not is_forbidden_request_header(name, b"1")
    for name in (item.encode() for item in items(policy.expose_headers)):
        assert is_header_name(name)
    assert policy.max_age >= 0


@given(policies())
def test_no_item_of_a_policy_is_listed_twice(policy: Policy) -> None:
    for parameter in LISTS:
        listed: tuple[str, ...] = getattr(policy, parameter)
        lower = [item.lower() for item in listed] if "headers" in parameter else listed
        assert len({*lower}) == len(lower)


@given(st.data(), st.frozensets(st.sampled_from(sorted(ALL_PARAMETERS))))
def test_only_the_parameters_given_are_used(
    data: st.DataObject, parameters: frozenset[Parameter]
) -> None:
    policy = data.draw(policies(parameters=parameters))
    for field in fields(Policy):
        assert field.name in parameters or getattr(policy, field.name) == field.default


@given(st.data(), st.frozensets(st.sampled_from(LISTS)))
def test_only_the_wildcards_given_are_used(
    data: st.DataObject, wildcards: frozenset[Parameter]
) -> None:
    policy = data.draw(policies(wildcards=wildcards))
    assert {parameter for parameter in LISTS if getattr(policy, parameter) == ALL} <= wildcards


@given(policies(wildcard_with_credentials=False))
def test_all_origins_with_credentials_can_be_left_out(policy: Policy) -> None:
    assert not (policy.allow_credentials and policy.allow_origins == ALL)


@given(policies(any_method=False))
def test_methods_without_routes_can_be_left_out(policy: Policy) -> None:
    common = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "*"}
    assert {*policy.allow_methods} <= common


def test_policies_shrink_to_the_smallest() -> None:
    assert find(policies(), lambda _: True, settings=SHRINK) == Policy(
        allow_origins=("https://a.example",)
    )


SHAPES: dict[str, Callable[[Policy], bool]] = {
    "no origin": lambda policy: policy.allow_origins == (),
    "one origin is a prefix of another": lambda policy: any(
        one != other and one.startswith(other)
        for one in policy.allow_origins
        for other in policy.allow_origins
    ),
    "a port": lambda policy: any(origin.endswith(":8443") for origin in policy.allow_origins),
    "many origins": lambda policy: len(policy.allow_origins) > 20,
    "all origins with credentials": lambda policy: (
        policy.allow_origins == ALL and policy.allow_credentials
    ),
    "everything": lambda policy: (
        policy.allow_origins == policy.allow_methods == policy.allow_headers == ALL
    ),
    "* for methods with credentials": lambda policy: (
        policy.allow_methods == ALL and policy.allow_credentials and policy.allow_origins != ALL
    ),
    "* for exposed headers with credentials": lambda policy: (
        policy.expose_headers == ALL and policy.allow_credentials and policy.allow_origins != ALL
    ),
    "no methods": lambda policy: policy.allow_methods == (),
    "patch": lambda policy: "patch" in policy.allow_methods,
    "a method of no table": lambda policy: any(
        method.startswith("M") and method != "M-SEARCH" for method in policy.allow_methods
    ),
    "a name is a prefix of another": lambda policy: {"X-A", "X-AB"} <= {*policy.allow_headers},
    "a name of no table": lambda policy: "X-a" in {name[:3] for name in policy.allow_headers},
    "no caching": lambda policy: policy.max_age == 0,
    "more than 31 bits": lambda policy: policy.max_age == 2**31,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_policies_include(shape: str) -> None:
    assert SHAPES[shape](find(policies(), SHAPES[shape], settings=ANY))


def test_the_documented_policies_always_run() -> None:
    assert {
        Policy(),
        Policy(allow_origins=ALL, allow_methods=("GET", "POST"), allow_headers=ALL),
        Policy(
            allow_origins=("https://example.com", "https://app.example.com"),
            allow_headers=("Content-Type", "Authorization"),
            allow_credentials=True,
        ),
        Policy(allow_origins=ALL, allow_methods=ALL, allow_headers=ALL),
    } <= {*corner_policies()}


def test_the_policies_that_always_run_differ() -> None:
    assert len({*corner_policies()}) == len(corner_policies())


def test_corners_keep_to_the_parameters_given() -> None:
    corners = corner_policies(parameters=frozenset({"allow_origins"}))
    assert corners
    assert all(policy == Policy(allow_origins=policy.allow_origins) for policy in corners)


def test_corners_keep_to_credentials_for_named_origins() -> None:
    corners = corner_policies(wildcard_with_credentials=False)
    assert not any(policy.allow_credentials and policy.allow_origins == ALL for policy in corners)


def test_corners_keep_to_common_methods() -> None:
    corners = corner_policies(any_method=False)
    assert not any({"patch", "CHICKEN"} & {*policy.allow_methods} for policy in corners)


@given(invalid_configurations())
def test_an_invalid_configuration_names_its_parameter_and_reason(
    configuration: InvalidConfiguration,
) -> None:
    assert configuration.parameter in ALL_PARAMETERS
    assert configuration.reason


@given(invalid_configurations())
def test_a_middleware_is_given_a_list_of_its_own(configuration: InvalidConfiguration) -> None:
    argument = configuration.argument()
    if isinstance(configuration.value, tuple):
        assert argument == list(configuration.value)
        assert argument is not configuration.argument()
    else:
        assert argument is configuration.value


@given(invalid_configurations().filter(lambda invalid: isinstance(invalid.value, tuple)))
def test_an_invalid_list_has_an_item_no_policy_has(configuration: InvalidConfiguration) -> None:
    if configuration.parameter == "allow_credentials":
        return
    assert isinstance(configuration.value, tuple)
    assert configuration.value != ALL
    assert not all(_is_valid(configuration.parameter, item) for item in configuration.value)


def _is_valid(parameter: Parameter, item: object) -> bool:
    if not isinstance(item, str) or not item.isascii() or item == "*":
        return False
    if parameter == "allow_methods":
        return is_method(item.encode()) and not is_forbidden_method(item.encode())
    if parameter != "allow_origins":
        return is_header_name(item.encode())
    return item == "https://a.example"


INVALID: dict[str, Callable[[InvalidConfiguration], bool]] = {
    "a string in place of a list": lambda invalid: invalid.value == "https://a.example",
    "a trailing slash": lambda invalid: invalid.value == ("https://a.example/",),
    "null": lambda invalid: invalid.value == ("null",),
    "* and names": lambda invalid: invalid.value == ("*", "PUT"),
    "a line break in a name": lambda invalid: "\r\n" in str(invalid.value),
    "a forbidden method": lambda invalid: invalid.value == ("PUT", "TRACE"),
    "a negative number": lambda invalid: invalid.value == -1,
    "a flag for a number": lambda invalid: invalid.parameter == "max_age" and invalid.value is True,
    "a string for a flag": lambda invalid: invalid.value == "false",
}


@pytest.mark.parametrize("shape", INVALID)
def test_invalid_configurations_include(shape: str) -> None:
    assert INVALID[shape](find(invalid_configurations(), INVALID[shape], settings=ANY))
