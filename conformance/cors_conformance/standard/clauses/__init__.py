"""The clauses, by the text and the part of it that they are from."""

from typing import Final

from cors_conformance.standard.clauses.asked import ASKED
from cors_conformance.standard.clauses.base import Clause, Section
from cors_conformance.standard.clauses.beside import BESIDE
from cors_conformance.standard.clauses.elsewhere import ELSEWHERE
from cors_conformance.standard.clauses.fetching import FETCHING
from cors_conformance.standard.clauses.origins import ORIGINS
from cors_conformance.standard.clauses.protocol import PROTOCOL

__all__ = ["PARTS", "Clause", "Section"]

PARTS: Final = {
    "The CORS protocol": PROTOCOL,
    "Origins": ORIGINS,
    "What browsers ask for": ASKED,
    "Fetching": FETCHING,
    "Beside the protocol": BESIDE,
    "Other texts": ELSEWHERE,
}
"""The sections by part."""
