"""Who may ask, and how often: API keys, callers, rates, and pages of other sites."""

import hmac
import ipaddress
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256

from fastapi import Request
from fastapi.security import APIKeyHeader, HTTPBearer
from pydantic import SecretStr
from starlette.datastructures import Headers

from bukva.errors import RequestError
from bukva.serving.service import ServiceDep

KEY_SCHEMES = (
    HTTPBearer(auto_error=False, description="An API key."),
    APIKeyHeader(name="X-API-Key", auto_error=False, description="The same key."),
)
"""How OpenAPI describes where a key is sent."""

# Where a key has no name, the beginning of its hash is one.
_NAME_LENGTH = 8


def make_key() -> str:
    """A new key of 256 random bits."""
    return f"bukva_{secrets.token_urlsafe(32)}"


def hash_key(key: str) -> str:
    """What the service keeps of a key.

    A fast hash is enough: slow ones protect passwords, which can be guessed. 256 random bits
    cannot, and a slow hash at each request would be a way to bring the service down.
    """
    return sha256(key.encode()).hexdigest()


class KeyGate:
    """Lets pass only requests with one of the known keys.

    Args:
        hashes: `hash` or `name:hash` of each; the name is what the log says of a caller.
    """

    def __init__(self, hashes: Sequence[str]) -> None:
        parts = [item.rpartition(":") for item in hashes]
        self._known = [(name or known[:_NAME_LENGTH], known) for name, _, known in parts]

    def __call__(self, request: Request) -> None:
        """Notes the name of the key, or raises RequestError `unauthorized`."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        is_bearer = scheme.lower() == "bearer" and bearer
        sent = hash_key(bearer if is_bearer else request.headers.get("x-api-key", ""))
        # All are compared, so that the time tells nothing of which one it was, or how nearly.
        names = [name for name, known in self._known if hmac.compare_digest(sent, known)]
        if not names:
            detail = "Send a known key: `Authorization: Bearer KEY`, or `X-API-Key: KEY`."
            raise RequestError("unauthorized", detail)
        request.state.key_name = names[0]


_PSEUDONYM_LENGTH = 16


def name_caller(request: Request) -> str:
    """The key that was sent, where keys are asked for; else the address it comes from."""
    return _name_key(request) or name_address(_address(request))


def pseudonym_of(request: Request, secret: SecretStr | None) -> str | None:
    """What may be kept of who asks; None if that is nothing.

    An address becomes a hash that nobody can undo, or compare with addresses, without the secret.
    A plain hash would not do: all addresses of IPv4 can be tried within minutes.
    """
    if key := _name_key(request):
        return key
    if secret is None:
        return None
    message = name_address(_address(request)).encode()
    code = hmac.new(secret.get_secret_value().encode(), message, sha256).hexdigest()
    return f"address {code[:_PSEUDONYM_LENGTH]}"


def name_address(host: str) -> str:
    """An address as one caller: of IPv6 the first half, since the other is the caller's to choose.

    Anything else than an address, which only a trusted proxy can have sent, is one caller.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


def _name_key(request: Request) -> str:
    name = getattr(request.state, "key_name", None)
    return f"key {name}" if name is not None else ""


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


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


# Some 25 MB. Who is dropped begins anew with a full bucket: those who came longest ago, so that
# theirs has most likely filled up again anyway.
_MAX_CALLERS = 100_000


class RateLimit:
    """A bucket for each caller: `burst` requests fit in, and `per_minute` of them come back.

    It is kept as one number, the time at which the bucket would be full again (GCRA).
    """

    def __init__(
        self,
        per_minute: int,
        burst: int,
        max_callers: int = _MAX_CALLERS,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval_s = 60 / per_minute
        self._depth_s = (burst - 1) * self._interval_s
        self._max_callers = max_callers
        self._now_s = now_s
        self._full_at_s: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str) -> float:
        """Take one request of `caller`'s; 0 if it may pass, else the seconds to wait."""
        now_s = self._now_s()
        full_at_s = max(self._full_at_s.pop(caller, now_s), now_s)
        wait_s = max(full_at_s - self._depth_s - now_s, 0.0)
        self._full_at_s[caller] = full_at_s if wait_s else full_at_s + self._interval_s
        if len(self._full_at_s) > self._max_callers:
            self._full_at_s.popitem(last=False)
        return wait_s

    def __call__(self, request: Request) -> None:
        """Counts a request, or raises RequestError `rate_limited`."""
        if wait_s := self.take(name_caller(request)):
            raise RequestError("rate_limited", "Ask less often.", math.ceil(wait_s))
