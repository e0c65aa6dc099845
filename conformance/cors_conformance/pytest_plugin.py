"""The pytest plug-in: options of `pytest --pyargs cors_conformance.suite`, and nothing else.

It is loaded into every pytest run of whoever installed the package, so it imports nothing, and
in a run that does not name this package it does not even add its options: names as short as
`--rule` belong to everybody. Those that a well-known plug-in has (`--profile`, `--replay`), or may
have, are spelled `--conformance-...`.
"""

import os
from argparse import ArgumentError
from collections.abc import Generator, Sequence
from typing import Final

import pytest

PACKAGE: Final = "cors_conformance"
SUITE: Final = "cors-conformance-suite"
"""The name under which the plug-in that does the work is registered."""

_MARKER: Final = "conformance_implementations"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(parser: pytest.Parser, args: Sequence[str]) -> None:
    """Add the options: earlier, what is to be run is not known; later, they are not parsed."""
    if not any(PACKAGE in os.path.abspath(arg) for arg in (*args, ".")):  # noqa: PTH100 - need not be a path
        return
    try:
        _add_options(parser)
    except (ArgumentError, ValueError) as error:
        message = f"another plug-in has an option of the suite; turn it off with `-p no:`: {error}"
        raise pytest.UsageError(message) from error


def _add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("cors-conformance", "CORS conformance")
    group.addoption(
        "--implementation",
        action="append",
        default=[],
        dest=_MARKER,
        metavar="NAME",
        help="test this one: a name that `cors-conformance implementations` lists, or"
        " package.module:Class; repeatable (default: all built-in ones but `none`)",
    )
    group.addoption(
        "--rule",
        action="append",
        default=[],
        dest="conformance_rules",
        metavar="GLOB",
        help="judge by these rules only, such as 'safe-*'; repeatable",
    )
    group.addoption(
        "--policy",
        dest="conformance_policy",
        metavar="FILE",
        help="test one policy: a JSON file of the six parameters, or a name",
    )
    group.addoption(
        "--conformance-profile",
        default="default",
        metavar="NAME",
        help="how long to search: quick, default or long; fuzz is for `cors-conformance run`",
    )
    group.addoption("--conformance-seed", type=int, metavar="N", help="the seed of the search")
    group.addoption(
        "--conformance-baseline",
        metavar="FILE",
        help="more findings that are known: TOML tables [[known]] of rule, implementation,"
        " versions and reason",
    )
    group.addoption(
        "--conformance-no-baseline",
        action="store_true",
        help="count the findings that the package knows of as new",
    )
    group.addoption(
        "--conformance-database",
        metavar="URL",
        help="begin with the counterexamples kept there and keep new ones: redis://HOST:PORT/NUMBER,"
        " rediss://..., unix://PATH, or a directory; a password may be in REDISCLI_AUTH",
    )
    group.addoption("--conformance-replay", metavar="TOKEN", help="do one finding again")
    group.addoption("--conformance-json", metavar="OUT", help="write the report there, too")


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Let pytest-xdist keep the tests of an implementation together: see `suite.workers`.

    Any other `--dist` is right too, and slower: each worker tests each implementation.
    """
    option = config.option
    is_controller = hasattr(option, _MARKER) and not hasattr(config, "workerinput")
    if is_controller and getattr(option, "numprocesses", None):
        is_chosen = option.dist != "no" or option.distload
        option.dist = option.dist if is_chosen else "loadgroup"
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Start the suite, if it is what is run."""
    option = config.option
    if not hasattr(option, _MARKER) or option.help or option.version:
        return
    from cors_conformance.suite.session import Suite  # noqa: PLC0415 - only in runs of the suite

    config.pluginmanager.register(Suite(config), SUITE)
