"""What can be wrong with the six parameters, and what would be right."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
FORBIDDEN_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
NORMALIZED_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
DEFAULT_PORTS = {"http": 80, "https": 443}
# Browsers let hosts have `*` and `,`; operators mean patterns and lists by them.
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:]+\]|[\w-][\w.-]*)(:[0-9]+)?", re.ASCII)


class ConfigurationError(ValueError):
    """All that is wrong with a configuration; a line each: parameter, value, what is right."""


def read_lists(credentials: object, max_age: object, *lists: object) -> list[list[bytes]]:
    """Return snapshots of the lists, which are in the order of `LISTS`.

    Raises `ConfigurationError`, with all that is wrong with all six parameters.
    """
    problems: list[str] = []
    snapshots = []
    for (parameter, spell, example), value in zip(LISTS, lists, strict=True):
        items: list[str] = []
        if isinstance(value, Iterable) and not isinstance(value, str | bytes):
            items.extend(value)
        else:
            problems.append(f"{parameter}: {value!r} is no list: write a list of strings")
        names = [item for item in items if item != "*"]
        advice = [(item, advise(item, spell, example)) for item in names]
        problems += [f"{parameter}: {item!r} is {text}" for item, text in advice if text]
        if 0 < len(names) < len(items):
            problems.append(f"{parameter}: {items!r} has more than '*': write ['*'] or the names")
        snapshots.append(items)
    if not isinstance(credentials, bool):
        problems.append(f"allow_credentials: {credentials!r} is no bool: write True or False")
    if credentials is True and "*" in snapshots[0]:
        problems.append(
            "allow_credentials: True is not for allow_origins ['*']: write False or names"
        )
    if isinstance(max_age, bool) or not isinstance(max_age, int) or max_age < 0:
        problems.append(f"max_age: {max_age!r} is no duration: write whole seconds, 0 or more")
    if problems:
        raise ConfigurationError("\n".join(problems))
    return [[item.encode() for item in items] for items in snapshots]


def advise(item: object, spell: Callable[[str], str], example: str) -> str | None:
    """Say what is wrong with an item, and what to write instead."""
    try:
        spelling = spell(item) if isinstance(item, str) else None
    except ValueError:
        spelling = None
    if spelling is None:
        return f"unusable: write {example}"
    return None if spelling == item else f"not how browsers write it: write {spelling!r}"


def spell_token(name: str) -> str:
    """Return a name as it is. Raises `ValueError`, as all of these do."""
    if not TOKEN.fullmatch(name):
        raise ValueError(name)
    return name


def spell_method(method: str) -> str:
    """Return what https://fetch.spec.whatwg.org/#concept-method-normalize makes of a method."""
    upper = spell_token(method).upper()
    if upper in FORBIDDEN_METHODS:
        raise ValueError(method)
    return upper if upper in NORMALIZED_METHODS else method


def spell_origin(url: str) -> str:
    """Return a URL's https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin."""
    scheme, host, *_ = parts = urlsplit(url if "//" in url else f"https://{url}", scheme="https")
    # Hosts of other schemes are written as they are, case included.
    if scheme in DEFAULT_PORTS:
        port = "" if parts.port in {None, DEFAULT_PORTS[scheme]} else f":{parts.port}"
        host = spell_host(parts.hostname or "") + port
    origin = f"{scheme}://{host}"
    if not ORIGIN.fullmatch(origin) or url.strip().lower() == "null":
        raise ValueError(url)
    return origin


def spell_host(host: str) -> str:
    """Return what https://url.spec.whatwg.org/#host-serializing makes of a lower-case host."""
    if ":" in host:
        address = IPv6Address(host)
        # Python 3.13 and later write the last two groups with dots, browsers never.
        mapped = f"::ffff:{int(address) >> 16 & 0xFFFF:x}:{int(address) & 0xFFFF:x}"
        return f"[{mapped if address.ipv4_mapped else address}]"
    # Not the `idna` codec: it makes ss of a sharp s, and so names another domain than browsers.
    labels = unicodedata.normalize("NFKC", host).split(".")
    domain = ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels
    )
    # A number at the end makes it an address, for which browsers have one spelling.
    is_address = re.search(r"(^|\.)([0-9]+|0x[0-9a-f]*)\.?$", domain)
    return str(IPv4Address(domain)) if is_address else domain


# How browsers write an item, and what to write instead of what they never do.
LISTS = (
    ("allow_origins", spell_origin, "an origin like 'https://example.com', no pattern and no null"),
    ("allow_methods", spell_method, "a method like 'PATCH', none that is forbidden to pages"),
    ("allow_headers", spell_token, "a header name like 'X-Trace-Id'"),
    ("expose_headers", spell_token, "a header name like 'X-Trace-Id'"),
)
