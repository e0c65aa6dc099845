"""A CORS middleware to read in one sitting: decisions in `core`, thin shells for ASGI and WSGI."""

from cors_reference.asgi import CORSMiddleware
from cors_reference.configuration import ConfigurationError
from cors_reference.wsgi import WSGICORSMiddleware

__all__ = ["CORSMiddleware", "ConfigurationError", "WSGICORSMiddleware"]
