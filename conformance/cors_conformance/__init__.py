"""A property-based conformance suite for server-side CORS middleware, judged by a browser."""
