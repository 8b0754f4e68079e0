"""Who asks, as far as the service can tell: by the name of a key, or by an address."""

import hmac
import ipaddress
from hashlib import sha256

from fastapi import Request
from pydantic import SecretStr

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
