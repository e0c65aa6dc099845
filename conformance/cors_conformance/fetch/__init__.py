"""The browser: the client side of the Fetch standard as far as CORS is concerned.

One module per noun of the standard. Nothing here does I/O, knows a framework or imports another
part of the project. Anchors are those of https://fetch.spec.whatwg.org/ unless a comment names
another standard.
"""
