"""The CORS-preflight cache. https://fetch.spec.whatwg.org/#cors-preflight-cache"""

from collections.abc import Callable
from dataclasses import dataclass, field

from cors_conformance.fetch.origins import OpaqueOrigin, site
from cors_conformance.fetch.request_headers import is_cors_non_wildcard_request_header_name
from cors_conformance.fetch.requests import Request

WILDCARD = b"*"


@dataclass(slots=True, kw_only=True)
class CacheEntry:
    """One permission. https://fetch.spec.whatwg.org/#cache-entry"""

    key: str | OpaqueOrigin
    origin: bytes
    url: str
    max_age: int
    credentials: bool
    method: bytes | None
    header_name: bytes | None
    stored_at: float

    def matches(self, request: Request) -> bool:
        """Whether it is of this page, URL and credentials mode. #concept-cache-match"""
        return self.is_of(request) and (self.credentials or request.credentials_mode != "include")

    def is_of(self, request: Request) -> bool:
        """Whether it is of this page and URL, whatever the credentials mode."""
        return (
            self.url == request.current_url.href
            and self.origin == request.byte_serialized_origin()
            and self.key == site(request.origin)
        )


@dataclass(slots=True)
class PreflightCache:
    """The permissions one browser holds.

    The network partition key is the site of the page's origin: pages here are top-level.
    `clock` gives seconds; only differences count. `limit` is the imposed limit on max-age, if any.
    """

    clock: Callable[[], float]
    limit: int | None = None
    entries: list[CacheEntry] = field(default_factory=list)

    def evict_expired(self) -> None:
        """Remove the entries whose max-age has passed since they were stored."""
        now = self.clock()
        self.entries = [entry for entry in self.entries if now - entry.stored_at < entry.max_age]

    def method_matches(self, request: Request, method: bytes) -> list[CacheEntry]:
        """Find entries for a method. https://fetch.spec.whatwg.org/#concept-cache-match-method

        An entry `*` matches even if a credentialed preflight made it: the standard's own gap.
        """
        self.evict_expired()
        return [
            entry
            for entry in self.entries
            if entry.method in {method, WILDCARD} and entry.matches(request)
        ]

    def header_name_matches(self, request: Request, name: bytes) -> list[CacheEntry]:
        """Find entries for a header name. https://fetch.spec.whatwg.org/#concept-cache-match-header"""
        self.evict_expired()
        name = name.lower()
        names = {name} if is_cors_non_wildcard_request_header_name(name) else {name, WILDCARD}
        return [
            entry
            for entry in self.entries
            if entry.header_name is not None
            and entry.header_name.lower() in names
            and entry.matches(request)
        ]

    def store(
        self,
        request: Request,
        methods: tuple[bytes, ...],
        header_names: tuple[bytes, ...],
        max_age: int,
    ) -> None:
        """Remember what a preflight granted. CORS-preflight fetch, steps 7.10 to 7.15.

        As the text has it, a refreshed entry keeps the moment it was stored at.
        """
        if self.limit is not None:
            max_age = min(max_age, self.limit)
        for method in methods:
            matching = self.method_matches(request, method)
            for entry in matching:
                entry.max_age = max_age
            if not matching:
                self._create(request, max_age, method=method)
        for name in header_names:
            matching = self.header_name_matches(request, name)
            for entry in matching:
                entry.max_age = max_age
            if not matching:
                self._create(request, max_age, header_name=name)

    def _create(
        self,
        request: Request,
        max_age: int,
        *,
        method: bytes | None = None,
        header_name: bytes | None = None,
    ) -> None:
        """Create an entry. https://fetch.spec.whatwg.org/#concept-cache-create-entry"""
        entry = CacheEntry(
            key=site(request.origin),
            origin=request.byte_serialized_origin(),
            url=request.current_url.href,
            max_age=max_age,
            credentials=request.credentials_mode == "include",
            method=method,
            header_name=header_name,
            stored_at=self.clock(),
        )
        self.entries.append(entry)

    def clear(self, request: Request) -> None:
        """Forget what concerns a page and URL. https://fetch.spec.whatwg.org/#concept-cache-clear"""
        self.entries = [entry for entry in self.entries if not entry.is_of(request)]
