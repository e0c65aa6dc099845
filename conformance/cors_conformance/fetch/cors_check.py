"""The CORS check. https://fetch.spec.whatwg.org/#cors-check"""

from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.requests import Request
from cors_conformance.fetch.responses import Response
from cors_conformance.fetch.steps import Step, show

ANCHOR = "#concept-cors-check"


def cors_check(request: Request, response: Response) -> Step | None:
    """Check that the page may see the response. https://fetch.spec.whatwg.org/#concept-cors-check

    Returns `None` for success, and for failure the step that says why.
    """
    # 1-2. No header is a failure; this null is not the origin `null`.
    origin = header_list.get(response.headers, b"access-control-allow-origin")
    if origin is None:
        return Step(ANCHOR, "CORS check: no Access-Control-Allow-Origin (step 2)")
    # 3. `*` suffices as long as no credentials are involved.
    if request.credentials_mode != "include" and origin == b"*":
        return None
    # 4. Byte for byte: the browser compares with what it sends itself.
    own = request.byte_serialized_origin()
    if own != origin:
        return Step(
            ANCHOR,
            f"CORS check: Access-Control-Allow-Origin is {show(origin)}, not {show(own)},"
            f" with credentials mode {request.credentials_mode!r} (step 4)",
        )
    # 5-8. Credentials need an explicit, case-sensitive `true`.
    if request.credentials_mode != "include":
        return None
    credentials = header_list.get(response.headers, b"access-control-allow-credentials")
    if credentials == b"true":
        return None
    return Step(
        ANCHOR,
        f"CORS check: Access-Control-Allow-Credentials is {show(credentials)}, not `true` (step 7)",
    )
