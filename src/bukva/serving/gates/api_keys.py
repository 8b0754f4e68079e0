"""Who may ask: API keys, of which the service knows only the hashes."""

import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from bukva.errors import RequestError

_BEARER = HTTPBearer(auto_error=False, description="An API key.")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="The same key.")
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
    """A dependency that lets pass only requests with one of the known keys.

    Args:
        hashes: `hash` or `name:hash` of each; the name is what the log says of a caller.
    """

    def __init__(self, hashes: Sequence[str]) -> None:
        self._known = [_parse(item) for item in hashes]

    async def __call__(
        self,
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
        header: Annotated[str | None, Depends(_HEADER)],
    ) -> None:
        """Notes the name of the key, or raises RequestError `unauthorized`."""
        name = self._find(bearer.credentials if bearer else header or "")
        if name is None:
            detail = "Send a known key: `Authorization: Bearer KEY`, or `X-API-Key: KEY`."
            raise RequestError("unauthorized", detail)
        request.state.key_name = name

    def _find(self, key: str) -> str | None:
        sent = hash_key(key)
        # All are compared, so that the time tells nothing of which one it was, or how nearly.
        names = [name for name, known in self._known if hmac.compare_digest(sent, known)]
        return names[0] if names else None


def _parse(item: str) -> tuple[str, str]:
    name, _, known = item.rpartition(":")
    return name or known[:_NAME_LENGTH], known
