"""Variants: right middlewares that use the freedoms which the standard leaves to servers.

No rule may have a finding about any of them: a rule that has one asks for more than the standard.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cors_conformance.variants.base import Variant
from cors_conformance.variants.designs import DESIGNED
from cors_conformance.variants.forgiving import FORGIVING
from cors_conformance.variants.styled import STYLED

__all__ = ["VARIANTS", "Variant"]

VARIANTS: Final[Mapping[str, Variant]] = MappingProxyType(
    {variant.id: variant for chapter in (STYLED, DESIGNED, FORGIVING) for variant in chapter}
)
"""All variants by id."""
