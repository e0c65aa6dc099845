"""Methods. https://fetch.spec.whatwg.org/#methods"""

from typing import Final

from cors_conformance.fetch.abnf import is_token

CORS_SAFELISTED_METHODS: Final = frozenset({b"GET", b"HEAD", b"POST"})
FORBIDDEN_METHODS: Final = frozenset({b"CONNECT", b"TRACE", b"TRACK"})
NORMALIZED_METHODS: Final = frozenset({b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"POST", b"PUT"})


def is_method(value: bytes) -> bool:
    """Whether `value` is a method. https://fetch.spec.whatwg.org/#concept-method"""
    return is_token(value)


def is_cors_safelisted_method(method: bytes) -> bool:
    """Whether pages may use the method without asking. https://fetch.spec.whatwg.org/#simple-method"""
    return method in CORS_SAFELISTED_METHODS


def is_forbidden_method(method: bytes) -> bool:
    """Whether no page may use the method. https://fetch.spec.whatwg.org/#forbidden-method"""
    return method.upper() in FORBIDDEN_METHODS


def normalize_method(method: bytes) -> bytes:
    """Upper-case six methods and no other. https://fetch.spec.whatwg.org/#concept-method-normalize"""
    upper = method.upper()
    return upper if upper in NORMALIZED_METHODS else method
