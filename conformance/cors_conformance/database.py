"""The database of counterexamples: those of all runs, and of all machines that share it.

It is one of Hypothesis's example databases: a directory, or a Redis server. What is kept there of
an implementation are the tokens of `replay`, which stay readable when strategies change. Nothing
is ever deleted: the machines that share a database have different versions of what they test, and
what no longer fails here may fail there, or again. Whoever can write to it is not trusted.
"""

import os
import re
from collections.abc import Collection, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from cors_conformance.findings import Finding
from cors_conformance.implementation import Implementation
from cors_conformance.policy import Policy
from cors_conformance.replay import LONGEST, BadToken, decode, encode, replay
from cors_conformance.run import CannotTest

MOST: Final = 1000
"""Counterexamples that are replayed, and kept, of one implementation."""
LIFETIME: Final = timedelta(days=90)
"""After so long without a run, a Redis server forgets an implementation's counterexamples."""
PREFIX: Final = b"cors-conformance:"
"""Of every key in a Redis server."""
PASSWORD: Final = "REDISCLI_AUTH"
"""The variable of the environment in which `redis-cli` expects a password, too."""

_SECONDS: Final = 5
_NOTES: Final = 100
_SCHEMES: Final = ("redis", "rediss", "unix")
_KINDS: Final = "redis://HOST:PORT/NUMBER, rediss://... (TLS), unix://PATH, or a directory"


class BadDatabase(Exception):
    """The database cannot be used; the message says why, and holds no password."""


def open_database(text: str) -> ExampleDatabase:
    """Return the database of a URL or a path, after seeing that it is there.

    Raises:
        BadDatabase: it is not, or `text` is no such URL.

    """
    scheme, separator, _ = text.partition("://")
    if not separator:
        return _directory(text)
    if scheme not in _SCHEMES:
        message = f"database: there is none of the kind {scheme[:20]!r}; give {_KINDS}"
        raise BadDatabase(message)
    return _redis(text)


def _directory(text: str) -> ExampleDatabase:
    if not text:
        message = f"database: the name is empty; give {_KINDS}"
        raise BadDatabase(message)
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(None, "it cannot be read or written")
    except OSError as error:
        message = f"database {path}: {error.strerror}; give {_KINDS}"
        raise BadDatabase(message) from error
    return DirectoryBasedExampleDatabase(path)


def _redis(url: str) -> ExampleDatabase:
    shown = _shown(url)
    try:
        from hypothesis.extra.redis import RedisExampleDatabase  # noqa: PLC0415 - is an extra
        from redis import Redis  # noqa: PLC0415
    except ImportError as error:
        message = (
            f"database {shown}: the package `redis` is not installed;"
            " pip install 'cors-conformance[redis]'"
        )
        raise BadDatabase(message) from error
    # A password on a command line is seen by everybody on the machine.
    kept_apart = {} if PASSWORD not in os.environ else {"password": os.environ[PASSWORD]}
    try:
        redis = Redis.from_url(
            url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS, **kept_apart
        )
        redis.ping()
    except Exception as error:  # noqa: BLE001 - options of a URL fail in any way
        # What a server says may repeat what it was told, and a client's error the URL.
        message = f"database {shown}: {_without_secrets(str(error), url)}"
        raise BadDatabase(message) from None
    return RedisExampleDatabase(redis, expire_after=LIFETIME, key_prefix=PREFIX)


def _shown(url: str) -> str:
    """Return what of a URL can be printed.

    Raises:
        BadDatabase: it is malformed; where is not said, it may be in the password.

    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    is_socket = parts.scheme == "unix"
    is_whole = is_socket or (host and re.fullmatch(r"(/[0-9]*)?", parts.path))
    if not is_whole or parts.fragment or "@" in parts.query:
        message = (
            "database: the URL is malformed; it is redis://[[USER]:PASSWORD@]HOST[:PORT][/NUMBER],"
            " with `/`, `#`, `?`, `@` and `%` in a password written as %2F, %23, %3F, %40 and %25"
        )
        raise BadDatabase(message)
    if is_socket:
        return f"unix://{parts.path}"
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path}"


def _without_secrets(text: str, url: str) -> str:
    parts = urlsplit(url)
    written = parts.password or ""
    secrets = [*parse_qs(parts.query).get("password", ()), unquote(written), written]
    for secret in filter(None, (*secrets, os.environ.get(PASSWORD))):
        text = text.replace(secret, "***")
    return text


class Counterexamples:
    """What a database holds of one implementation; a `Corpus` of a run."""

    def __init__(self, database: ExampleDatabase, implementation: Implementation) -> None:
        self._database = database
        self._implementation = implementation
        self._key = f"{implementation.interface} {implementation.name}".encode()
        self._seen: set[bytes] = set()
        self._unsaved: dict[bytes, None] = {}
        self._notes: dict[str, None] = {}
        self._replayed = 0
        self._failed = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """How many were replayed, and what went wrong."""
        sums = f"database: {self._replayed} counterexamples replayed, {self._failed} still fail"
        return sums, *self._notes

    def replay(self, rules: Collection[str], policy: Policy | None) -> Iterator[Finding]:
        """Do again those that were not done yet, the shortest first; see `Corpus`.

        What cannot be replayed is noted and left where it is: a newer version may have written it.
        """
        wanted = set(rules)
        for value in self._fetch():
            found = self._replay(value, wanted, policy)
            if found is not None:
                self._failed += 1
                wanted.discard(found.rule.id)
                yield found

    def save(self, finding: Finding) -> None:
        """Keep a finding; while the database is away, until it is there again."""
        value = encode(finding.rule, finding.policy, finding.source).encode("ascii")
        if len(value) > LONGEST:
            self._note(f"the counterexample of {finding.rule.id} is too large to be kept")
            return
        self._seen.add(_digest(value))
        self._unsaved[value] = None
        self._store()

    def _fetch(self) -> list[bytes]:
        """Return those that were not seen yet."""
        self._store()
        try:
            values = sorted(self._database.fetch(self._key), key=lambda value: (len(value), value))
        except Exception as error:  # noqa: BLE001 - whatever a database raises, the run goes on
            self._note(f"it cannot be read: {type(error).__name__}")
            return []
        if len(values) > MOST:
            self._note(f"it holds {len(values)}; the shortest {MOST} are replayed")
        new = [value for value in values[:MOST] if _digest(value) not in self._seen]
        self._seen.update(map(_digest, new))
        return new

    def _store(self) -> None:
        try:
            for value in [*self._unsaved]:
                self._database.save(self._key, value)
                del self._unsaved[value]
        except Exception as error:  # noqa: BLE001 - see `_fetch`
            self._note(f"it cannot be written: {type(error).__name__}")

    def _replay(self, value: bytes, wanted: set[str], policy: Policy | None) -> Finding | None:
        try:
            token = value.decode("ascii")
            rule, under, _ = decode(token)
            # A rule that fails already needs no more.
            if rule.id not in wanted or (policy is not None and under != policy):
                return None
            self._replayed += 1
            return replay(self._implementation, token)
        except CannotTest:
            # It is of another version, which could be tested with it.
            return None
        except (BadToken, UnicodeDecodeError) as error:
            self._note(f"a counterexample cannot be read: {error}")
        except Exception as error:  # noqa: BLE001 - values of the right types can still be absurd
            self._note(f"a counterexample cannot be replayed: {type(error).__name__}: {error}")
        return None

    def _note(self, text: str) -> None:
        if len(self._notes) < _NOTES:
            self._notes[f"database: {text}"] = None


def _digest(value: bytes) -> bytes:
    return sha256(value).digest()
