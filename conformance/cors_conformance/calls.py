"""ASGI calls that a middleware must pass on message by message.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from typing import Final

from cors_conformance.scenario import ASGICall

CALLS: Final[tuple[ASGICall, ...]] = ()
