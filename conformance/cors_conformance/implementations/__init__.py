"""The middlewares that the suite knows, one small module each; optional imports only here."""
