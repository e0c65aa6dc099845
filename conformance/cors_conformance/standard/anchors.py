"""The anchors of the Fetch standard at the commit that this project follows.

`anchors.txt` is made from the standard's source: `python -m` this module `fetch.bs`.
"""

import re
import sys
from functools import cache
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Final

COMMIT: Final = "586cd2a44c2a865b37c166dc0740f3fb8bb220d6"
"""Of https://github.com/whatwg/fetch, 2 July 2026."""
DATA: Final = "anchors.txt"

_VALUE: Final = r"\"[^\"]*\"|'[^']*'|[^\s>]+"
_TAG: Final = re.compile(rf"<([a-z][a-z0-9]*)((?:\s+[\w:-]+(?:=(?:{_VALUE}))?)*)\s*>")
_ATTRIBUTE: Final = re.compile(rf"([\w:-]+)(?:=({_VALUE}))?")
_OF_WEB_IDL: Final = frozenset(
    {
        "attribute",
        "constructor",
        "dict-member",
        "dictionary",
        "enum",
        "enum-value",
        "interface",
        "method",
        "mixin",
        "typedef",
    }
)


@cache
def anchors() -> frozenset[str]:
    """Return the anchors, without `#`."""
    text = files("cors_conformance.standard").joinpath(DATA).read_text(encoding="ascii")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))


def anchors_of(source: str) -> frozenset[str]:
    """Return the anchors of a Bikeshed source: its ids, former ids, and those made of terms.

    Terms of Web IDL without an id are left out; no server has to do with them.
    """
    source = re.sub(r"<!--.*?-->", "", source, flags=re.DOTALL)
    found: set[str] = set()
    for tag in _TAG.finditer(source):
        attributes = {name: value.strip("\"'") for name, value in _ATTRIBUTE.findall(tag[2])}
        found.update(filter(None, re.split(r"[,\s]+", attributes.get("oldids", ""))))
        if "id" in attributes:
            found.add(unescape(attributes["id"]))
        elif tag[1] == "dfn" and _OF_WEB_IDL.isdisjoint(attributes):
            inner = source[tag.end() : source.index("</dfn>", tag.end())]
            term = attributes.get("lt") or unescape(re.sub(r"<[^>]+>", "", inner))
            found.add(_made_of(term.split("|")[0], attributes.get("for", "").split(",")[0]))
    return frozenset(found)


def _made_of(term: str, owner: str) -> str:
    """Do what Bikeshed does for a term without an id, which may belong to another term."""
    return "-".join(filter(None, (_slug(owner), _slug(term))))


def _slug(text: str) -> str:
    words = re.sub(r"[\s/(),]+", "-", " ".join(text.split()).lower())
    return re.sub(r"[^\w-]", "", words).strip("-")


def page(source: str) -> str:
    """Return the text of `anchors.txt`."""
    head = f"# The anchors of the Fetch standard at commit {COMMIT}; made by anchors.py.\n"
    return head + "".join(f"{anchor}\n" for anchor in sorted(anchors_of(source)))


if __name__ == "__main__":
    sys.stdout.write(page(Path(sys.argv[1]).read_text(encoding="utf-8")))
