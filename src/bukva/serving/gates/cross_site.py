"""Which sites' pages may ask for what changes something: as Go's `CrossOriginProtection` decides.

Programs send neither of the two headers; every browser sends at least one, and no page can forge
them.
"""

from fastapi import Request
from starlette.datastructures import Headers

from bukva.errors import RequestError
from bukva.serving.service import ServiceDep


async def refuse_other_sites(request: Request, service: ServiceDep) -> None:
    """Raises RequestError `cross_site` for a browser that shows another site's page."""
    headers = request.headers
    if headers.get("origin") in service.settings.cors_origins:
        return
    if not is_own_site(headers):
        raise RequestError("cross_site", "Send it from a page of this service, or a program.")


def is_own_site(headers: Headers) -> bool:
    """Whether no other site's page asks: a program does, or a page that came from here."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    # Plain http, or an old browser.
    origin, host = headers.get("origin"), headers.get("host")
    return origin in (None, f"http://{host}", f"https://{host}")
