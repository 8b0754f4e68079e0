"""Helpers of the tests of fetching: a made-up corpus, and an HTTP server for mirrors."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bukva.core.corpora.manifest import CorpusEntry, CorpusFile

BIG_BYTES = 9_000_001
"""More than two of the chunks in which files are fetched."""


def toy_entry(mirror: Path, base_url: str | None = None) -> CorpusEntry:
    """Return the toy corpus's entry, with official addresses under `base_url`."""
    files = tuple(
        CorpusFile(
            path=f"toy/{name}",
            url=base_url and f"{base_url}/toy/{name}",
            note=None if base_url else "made up for the tests",
            sha256=hashlib.sha256((mirror / "toy" / name).read_bytes()).hexdigest(),
            size_bytes=(mirror / "toy" / name).stat().st_size,
        )
        for name in ("big.bin", "small.bin")
    )
    return CorpusEntry(
        title="Toy",
        homepage="https://example.org",
        licence="CC0",
        citation="none",
        may_release=True,
        release_reason="CC0",
        split="own",
        reader="mnist",
        files=files,
    )


class MirrorServer(ThreadingHTTPServer):
    """Serves a folder over HTTP, and can be told to misbehave.

    Attributes:
        ranges: First bytes of the ranges that were asked for.
        has_ranges: Whether range requests are answered with parts.
        cuts: How many answers of more than 1 MB are still to be cut off halfway.
        cuts_after_bytes: When set, every answer that would send more in all is cut off.
        endless_bytes: When set, what every file is long.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _MirrorHandler)
        self.folder = folder
        self.ranges: list[int] = []
        self.has_ranges = True
        self.cuts = 0
        self.cuts_after_bytes = 0
        self.endless_bytes = 0
        self.sent_bytes = 0
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _MirrorHandler(BaseHTTPRequestHandler):
    server: MirrorServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = self.server.folder / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes().ljust(self.server.endless_bytes, b"\0")
        wanted = self.headers.get("Range") if self.server.has_ranges else None
        first, last = 0, len(content) - 1
        if wanted:
            begin, end = wanted.removeprefix("bytes=").split("-")
            first, last = int(begin), min(int(end), last)
            self.server.ranges.append(first)
        part = content[first : last + 1]
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if body:
            self._send(part)

    def _send(self, part: bytes) -> None:
        if self.server.cuts and len(part) > 1_000_000:
            self.server.cuts -= 1
            part = part[: len(part) // 2]
            self.close_connection = True
        limit = self.server.cuts_after_bytes
        if limit and self.server.sent_bytes + len(part) > limit:
            part = b""
            self.close_connection = True
        self.wfile.write(part)
        self.server.sent_bytes += len(part)


def serve(server: MirrorServer) -> Iterator[MirrorServer]:
    """Run a server in a thread while a fixture is in use."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
