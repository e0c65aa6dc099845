"""The database: what one run found is done again by every other, and is trusted by none."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    InMemoryExampleDatabase,
)

from cors_conformance import cli
from cors_conformance.database import MOST, BadDatabase, Counterexamples, open_database
from cors_conformance.findings import Finding
from cors_conformance.implementations.registry import find
from cors_conformance.policy import Policy
from cors_conformance.replay import LONGEST, encode, replay
from cors_conformance.rules import RULES
from cors_conformance.scenario import RawRequest, Visit

pytest_plugins = ["pytester"]

SECONDS: Final = 10
PASSWORD: Final = "pass/word#with%signs"
QUOTED: Final = "pass%2Fword%23with%25signs"

RARELY_WRONG: Final = '''
from cors_reference import CORSMiddleware


class Rare(CORSMiddleware):
    """The reference, but for one origin, beside which everybody is let in."""

    def __init__(self, app, allow_origins, allow_methods, allow_headers, allow_credentials,
                 expose_headers, max_age):
        if "https://rare.example" in allow_origins:
            allow_origins, allow_credentials = ["*"], False
        super().__init__(app, allow_origins=allow_origins, allow_methods=allow_methods,
                         allow_headers=allow_headers, allow_credentials=allow_credentials,
                         expose_headers=expose_headers, max_age=max_age)
'''
RUN: Final = ("run", "rarely_wrong:Rare", "--profile", "quick", "--rule", "safe-origin-simple")
RULE: Final = RULES["live-simple"]
POLICY: Final = Policy(allow_origins=("https://a.example",))
VISIT: Final = Visit(origin="https://a.example", method=b"GET")
KEY: Final = b"asgi none"


@dataclass(frozen=True)
class Redis:
    """A server of this test run."""

    port: int
    socket: Path

    def url(self, password: str = QUOTED) -> str:
        return f"redis://:{password}@127.0.0.1:{self.port}/1"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis server on the loopback interface, with a password, that keeps nothing."""
    pytest.importorskip("redis")
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("neither redis-server nor valkey-server is on the PATH")
    # Paths of sockets are short.
    with tempfile.TemporaryDirectory(prefix="redis-") as directory:
        for _ in range(5):
            place = Redis(free_port(), Path(directory) / "socket")
            settings = f"""
                bind 127.0.0.1
                port {place.port}
                unixsocket {place.socket}
                requirepass "{PASSWORD}"
                save ""
                appendonly no
                dir {directory}
            """
            process = subprocess.Popen(
                [program, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
            )
            assert process.stdin is not None
            with process.stdin as configuration:
                configuration.write(settings)
            try:
                # Somebody else may have taken the port: then the program ends.
                if is_up(process, place.port):
                    yield place
                    return
            finally:
                process.terminate()
                process.wait(SECONDS)
    pytest.fail("redis-server does not start")


def is_up(process: subprocess.Popen[str], port: int) -> bool:
    for _ in range(SECONDS * 50):
        if process.poll() is not None:
            return False
        if answers(port):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(params=["directory", "redis"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What stands after `--database`."""
    if request.param == "directory":
        return str(tmp_path / "examples")
    server: Redis = request.getfixturevalue("redis")
    client(server).flushall()
    return server.url()


def client(server: Redis) -> Any:
    from redis import Redis as Client  # noqa: PLC0415 - is an extra

    return Client.from_url(server.url())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a middleware that is hardly ever wrong, and the policy under which it is."""
    (tmp_path / "rarely_wrong.py").write_text(RARELY_WRONG)
    policy = {"allow_origins": ["https://rare.example"]}
    (tmp_path / "rare.json").write_text(json.dumps(policy))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "rarely_wrong", raising=False)
    return tmp_path


@pytest.mark.usefixtures("untraced")
@pytest.mark.usefixtures("here")
def test_what_one_run_found_is_found_by_one_that_would_not_find_it(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*RUN, "--database", database, "--policy", "rare.json"]) == 1
    capsys.readouterr()

    assert cli.main([*RUN]) == 0
    assert cli.main([*RUN, "--database", database]) == 1

    out = capsys.readouterr().out
    assert 'allow_origins=["https://rare.example"]' in out
    assert "database: 1 counterexamples replayed, 1 still fail" in out
    assert PASSWORD not in out
    assert QUOTED not in out


@pytest.mark.usefixtures("untraced")
def test_the_pytest_suite_begins_with_what_was_found_before(
    here: Path, pytester: pytest.Pytester
) -> None:
    (pytester.path / "rarely_wrong.py").write_text(RARELY_WRONG)
    database = str(here / "examples")
    assert cli.main([*RUN, "--database", database, "--policy", str(here / "rare.json")]) == 1

    result = pytester.runpytest_subprocess(
        *("--pyargs", "cors_conformance.suite", "-p", "no:cacheprovider"),
        *("--implementation", RUN[1], "--rule", RUN[-1], "--conformance-profile", "quick"),
        *("--conformance-database", database),
    )

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*https://rare.example*", "*1 counterexamples replayed*"])


@pytest.mark.usefixtures("untraced")
@pytest.mark.usefixtures("here")
def test_with_a_policy_only_its_counterexamples_are_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = str(tmp_path / "examples")
    assert cli.main([*RUN, "--database", database, "--policy", "rare.json"]) == 1

    named = ("--policy", "fastrapi-specific-origins")
    assert cli.main([*RUN, "--database", database, *named]) == 0

    assert "database: 0 counterexamples replayed, 0 still fail" in capsys.readouterr().out


class Told:
    """A corpus over a database in memory, or any other."""

    def __init__(
        self, *values: bytes, name: str = "none", database: ExampleDatabase | None = None
    ) -> None:
        self.database = database or InMemoryExampleDatabase()
        self.implementation = find(name)
        self.key = f"asgi {name}".encode()
        for value in values:
            self.database.save(self.key, value)
        self.corpus = Counterexamples(self.database, self.implementation)

    def replay(self, rules: Iterable[str] = RULES, policy: Policy | None = None) -> list[Finding]:
        return list(self.corpus.replay(list(rules), policy))


def token(rule: str = RULE.id, policy: Policy = POLICY, visit: Visit = VISIT) -> bytes:
    return encode(RULES[rule], policy, visit).encode()


def found() -> Finding:
    finding = replay(find("none"), token().decode())
    assert finding is not None
    return finding


def test_what_no_longer_fails_stays_for_machines_where_it_does() -> None:
    told = Told(token(), name="reference")

    assert told.replay() == []

    assert told.corpus.notes == ("database: 1 counterexamples replayed, 0 still fail",)
    assert list(told.database.fetch(told.key)) == [token()]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93.",
        b"1.\xff\xfe",
        b"1.AAAA",
        b"2.later",
        b"1." + b"A" * (LONGEST + 1),
        token(visit=replace(VISIT, origin="https://A.example/")),
        token(visit=replace(VISIT, method=b"")),
        token(visit=replace(VISIT, path="http://[")),
        b"1.eJw",
    ],
)
def test_what_is_no_counterexample_is_noted_and_left(value: bytes) -> None:
    told = Told(value, token())

    assert [finding.rule for finding in told.replay()] == [RULE]

    assert set(told.database.fetch(told.key)) == {value, token()}


def test_a_counterexample_that_cannot_be_read_is_told() -> None:
    told = Told(b"2.later")

    told.replay()

    assert "a counterexample cannot be read" in told.corpus.notes[1]
    assert "has format '2'" in told.corpus.notes[1]


def test_each_counterexample_is_done_once_in_a_run() -> None:
    told = Told(token())

    assert len(told.replay()) == 1
    assert told.replay() == []


def test_a_rule_that_fails_already_is_not_replayed_again() -> None:
    other = encode(RULE, replace(POLICY, max_age=5), VISIT).encode()

    assert len(Told(token(), other).replay()) == 1


def test_only_so_many_are_done() -> None:
    values = [encode(RULE, replace(POLICY, max_age=age), VISIT) for age in range(MOST + 1)]
    told = Told(*(value.encode() for value in values))

    told.replay(rules=())

    assert (
        told.corpus.notes[1] == f"database: it holds {MOST + 1}; the shortest {MOST} are replayed"
    )


def test_what_is_too_large_for_a_token_is_not_kept() -> None:
    told = Told()
    body = secrets.token_bytes(LONGEST)
    large = RawRequest(method=b"GET", target=b"/", headers=(), body=body)

    told.corpus.save(replace(found(), source=large))

    assert list(told.database.fetch(told.key)) == []
    assert "too large" in told.corpus.notes[1]


class Away(InMemoryExampleDatabase):
    """A database that is not there at first."""

    is_away = True

    def save(self, key: bytes, value: bytes) -> None:
        self._raise_if_away()
        super().save(key, value)

    def fetch(self, key: bytes) -> Iterator[bytes]:
        self._raise_if_away()
        yield from super().fetch(key)

    def _raise_if_away(self) -> None:
        if self.is_away:
            raise ConnectionResetError


def test_a_database_that_went_away_is_noted_and_given_later_what_it_missed() -> None:
    database = Away()
    told = Told(database=database)

    told.corpus.save(found())
    assert told.replay() == []
    database.is_away = False
    told.replay()

    assert told.corpus.notes[1:] == (
        "database: it cannot be written: ConnectionResetError",
        "database: it cannot be read: ConnectionResetError",
    )
    assert list(database.fetch(told.key)) == [token()]


SECRET: Final = "hunter2"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://x:hunter2@127.0.0.1/", "none of the kind 'http'"),
        ("redis://x:hunter2@127.0.0.1:1/0", r"redis://127\.0\.0\.1:1/0: .*[Rr]efused"),
        ("redis://127.0.0.1:1/0?password=hunter2", r"redis://127\.0\.0\.1:1/0: .*[Rr]efused"),
        ("redis://x:hunter2/@127.0.0.1:1/0", "malformed"),
        ("redis://x:7#hunter2@127.0.0.1:1/0", "malformed"),
        ("redis://x:7/hunter2@127.0.0.1", "malformed"),
        ("redis://:hunter2@[::1/0", "malformed"),
        ("redis://:hunter2@", "malformed"),
        ("redis://:hunter2@127.0.0.1:1/0?ssl=hunter2", "redis://127"),
        ("redis://127.0.0.1:1/0?db=hunter2", "Invalid value for 'db'"),
        ("redis://x:7?hunter2@127.0.0.1:1/0", "malformed"),
        ("unix:///no/such.sock?password=hunter2", "unix:///no/such.sock: "),
    ],
)
def test_a_database_that_is_not_there_is_told_without_its_password(url: str, message: str) -> None:
    pytest.importorskip("redis")
    with pytest.raises(BadDatabase, match=message) as raised:
        open_database(url)
    assert SECRET not in str(raised.value)


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadDatabase, match="file: File exists"):
        open_database(str(tmp_path / "file"))


def test_a_directory_is_made(tmp_path: Path) -> None:
    database = open_database(str(tmp_path / "new" / "examples"))
    assert isinstance(database, DirectoryBasedExampleDatabase)
    assert (tmp_path / "new" / "examples").is_dir()


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "hypothesis.extra.redis", raising=False)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(BadDatabase, match=r"pip install 'cors-conformance\[redis\]'"):
        open_database("redis://127.0.0.1:1/0")


def test_a_bad_database_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "reference", "--database", "http://127.0.0.1/"]) == 2
    assert "there is none of the kind 'http'" in capsys.readouterr().err


def test_a_wrong_password_is_told_and_not_repeated(redis: Redis) -> None:
    with pytest.raises(BadDatabase, match=r"invalid|AUTH") as raised:
        open_database(redis.url("hunter2"))
    assert SECRET not in str(raised.value)


def test_a_password_may_be_where_redis_cli_has_it(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDISCLI_AUTH", PASSWORD)
    database = open_database(f"redis://127.0.0.1:{redis.port}/1")
    database.save(b"key", b"value")
    assert set(database.fetch(b"key")) == {b"value"}


def test_a_socket_is_a_database(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDISCLI_AUTH", PASSWORD)
    database = open_database(f"unix://{redis.socket}?db=2")
    database.save(b"key", b"value")
    assert set(database.fetch(b"key")) == {b"value"}


def test_keys_of_another_kind_do_not_end_a_run(redis: Redis) -> None:
    client(redis).set(b"cors-conformance:asgi none", b"no set")
    told = Told(database=open_database(redis.url()))

    told.corpus.save(found())
    assert told.replay() == []
    client(redis).flushall()

    assert "it cannot be read: ResponseError" in told.corpus.notes[-1]


@pytest.mark.usefixtures("untraced")
def test_nothing_is_read_or_written_without_a_database(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "cors_conformance.cli", "run", "none", "--profile", "quick"]
    subprocess.run(
        [*program, "--rule", "live-simple"],
        cwd=tmp_path,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "storage")},
        check=False,
        capture_output=True,
    )
    assert not [path for path in tmp_path.rglob("*") if "examples" in path.parts]
