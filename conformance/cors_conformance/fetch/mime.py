"""MIME types, as far as a request's `Content-Type` needs them.

https://mimesniff.spec.whatwg.org/#parse-a-mime-type: type and subtype are all that the CORS
safelist looks at, and malformed parameters never make that algorithm fail.
"""

from cors_conformance.fetch.abnf import is_token


def parse_mime_type_essence(value: bytes) -> bytes | None:
    """Return the lower-case essence, `type/subtype`, or `None` for failure."""
    # 1-5. The type ends at the first solidus, which must be there.
    kind, solidus, rest = value.strip(b"\t\n\r ").partition(b"/")
    if not solidus or not is_token(kind):
        return None
    # 7-9. The subtype ends at the first semicolon; white space before it is dropped.
    subtype = rest.partition(b";")[0].rstrip(b"\t\n\r ")
    if not is_token(subtype):
        return None
    return b"/".join((kind, subtype)).lower()
