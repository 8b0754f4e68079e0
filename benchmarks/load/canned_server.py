"""A server that says one thing as fast as it can: what the generator itself can ask.

python benchmarks/load/canned_server.py PORT < BODY
"""

import asyncio
import re
import sys

import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_BODY = sys.stdin.buffer.read()
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(_BODY), _BODY)


class _Canned(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        length = _LENGTH.search(self._buffer, 0, max(head_end, 0))
        if head_end >= 0 and len(self._buffer) >= head_end + 4 + (int(length[1]) if length else 0):
            self._buffer.clear()
            self._transport.write(_ANSWER)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Canned, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
