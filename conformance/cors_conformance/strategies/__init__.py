"""Hypothesis strategies: atoms, then near misses, policies, and what is done to a server.

Importing this package evaluates no strategy. Modules and strategies share their names: here the
strategies are meant, so that modules are imported by their full names.
"""

from cors_conformance.strategies.applications import application_responses
from cors_conformance.strategies.browsing import browsing
from cors_conformance.strategies.configurations import (
    InvalidConfiguration,
    invalid_configurations,
)
from cors_conformance.strategies.corners import corner_policies
from cors_conformance.strategies.headers import author_headers, header_names
from cors_conformance.strategies.hostile import hostile_requests
from cors_conformance.strategies.methods import methods, near_miss_methods
from cors_conformance.strategies.origins import foreign_origins, near_misses, serialized_origins
from cors_conformance.strategies.policies import policies
from cors_conformance.strategies.requests import batches, journeys
from cors_conformance.strategies.sweeps import sweeps

__all__ = [
    "InvalidConfiguration",
    "application_responses",
    "author_headers",
    "batches",
    "browsing",
    "corner_policies",
    "foreign_origins",
    "header_names",
    "hostile_requests",
    "invalid_configurations",
    "journeys",
    "methods",
    "near_miss_methods",
    "near_misses",
    "policies",
    "serialized_origins",
    "sweeps",
]
