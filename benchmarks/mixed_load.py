"""Measures letters while documents are asked at full load: python benchmarks/mixed_load.py.

It starts the service with the released models of both tasks in a registry of its own, asks for
letters at half of what it can take, alone and beside documents by turns, and prints the
percentiles of both. It exits with 1 if an answer was wrong or missing; a missed target is printed.
"""

import argparse
import asyncio
import io
import itertools
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import uvloop
from PIL import Image

from load.generator import HOST, Request, Tally, ask_at_rate, ask_in_turn
from load.lab import Lab, open_lab
from load.report import Report, describe_machine
from load.servers import Cores, Server, start_service

_NAME = "bukva-document"
_LETTER_CONNECTIONS = 200
_PAGE_HW = (1754, 1240)  # A4 at 150 dpi


def draw_pages(count: int = 6) -> list[bytes]:
    """PNG files of pages: handwritten, printed, and with lines of both by turns."""
    kinds = itertools.cycle(("handwritten", "printed", "mixed"))
    return [draw_page(seed, kind) for seed, kind in zip(range(count), kinds, strict=False)]


def draw_page(seed: int, kind: str) -> bytes:
    """A PNG file of a page of one kind, set in fonts."""
    from bukva.core.fonts import HANDWRITING_FONTS, PRINTED_FONTS
    from bukva.tasks.document.answer import LABELS, Hand
    from bukva.tasks.document.drawn_lines import set_line
    from bukva.tasks.document.wording import draw_wording

    rng = np.random.default_rng(seed)
    page_HW = np.full(_PAGE_HW, 255, dtype=np.uint8)
    kinds: Sequence[Hand] = [each for each in LABELS if kind in (each, "mixed")]
    for top, label in zip(range(100, 1600, 75), itertools.cycle(kinds), strict=False):
        fonts = PRINTED_FONTS if label == "printed" else HANDWRITING_FONTS
        ink_HW = set_line(draw_wording(rng), fonts[seed % len(fonts)], label, rng)[:70]
        height, width = ink_HW.shape
        page_HW[top : top + height, 100 : 100 + width] -= np.rint(220 * ink_HW).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(page_HW).save(buffer, "PNG")
    return buffer.getvalue()


def ask_document(page: bytes) -> Request:
    """A request for a page, which may be refused where too many wait."""

    def check(status: int, body: bytes) -> str:
        said = json.loads(body)
        if status == 200 and said["label"] in ("handwritten", "printed", "mixed"):
            return ""
        return "" if said.get("code") == "overloaded" else f"{status} {said}"

    head = (
        f"POST /v1/documents HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: image/png\r\n"
        f"Content-Length: {len(page)}\r\n\r\n"
    )
    return Request("document", head.encode() + page, check)


def register_released(uri: str, folder: Path) -> None:
    """Puts the released model of documents into production, in a process of its own."""
    command = [sys.executable, __file__, "--register", uri]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode != 0:
        raise RuntimeError(f"The model could not be registered:\n{done.stderr[-4000:]}")


def _register(uri: str) -> None:
    import mlflow

    from bukva.cli.released.installing import install_documents
    from bukva.cli.released.manifest import RELEASED

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("load")
    install_documents(RELEASED / "document")


def _wait_for_documents(server: Server) -> None:
    address = f"http://{HOST}:{server.port}/v2/models/{_NAME}/ready"
    for _ in range(600):
        with suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.1)
    raise RuntimeError(f"Expected {address} to answer 200 within a minute.")


async def measure(lab: Lab, rounds: int, connections: int) -> None:
    """Asks by turns, and reports."""
    register_released(lab.registry.uri, lab.folder)
    letters = lab.requests(may_refuse=True)
    documents = [ask_document(page) for page in draw_pages()]
    with start_service(lab.registry, lab.folder, lab.cores) as server:
        _wait_for_documents(server)
        await lab.warm_up([server], letters)
        capacity = (await lab.load([server], letters)).rate(lab.seconds)
        lab.report.add("letters: what it can take, requests/s", capacity)
        alone_ms, beside_ms = [], []
        for turn in range(rounds):
            alone = await _ask_letters(lab, server, letters, capacity / 2)
            beside, asked = await asyncio.gather(
                _ask_letters(lab, server, letters, capacity / 2),
                ask_in_turn([server.port], documents, connections, lab.seconds),
            )
            alone_ms.append(alone.percentile_ms(99))
            beside_ms.append(beside.percentile_ms(99))
            _report_turn(lab, f"round {turn + 1}", alone, beside, asked)
    ratios = np.array(beside_ms) / np.array(alone_ms)
    lab.report.add("letters: p99 beside documents, times alone", np.median(ratios), most=1.5)


async def _ask_letters(lab: Lab, server: Server, requests: Sequence[Request], rate: float) -> Tally:
    return await ask_at_rate([server.port], requests, rate, lab.seconds, _LETTER_CONNECTIONS)


def _report_turn(lab: Lab, name: str, alone: Tally, beside: Tally, asked: Tally) -> None:
    for what, tally in (("alone", alone), ("beside documents", beside)):
        lab.report.require_right(f"{name}: letters {what}", tally)
        lab.report.add(f"{name}: letters {what}: p50, ms", tally.percentile_ms(50))
        lab.report.add(f"{name}: letters {what}: p99, ms", tally.percentile_ms(99))
        lab.report.add(f"{name}: letters {what}: refused", tally.count(status=503))
    lab.report.require_right(f"{name}: documents", asked)
    lab.report.add(f"{name}: documents/s", asked.rate(lab.seconds))
    lab.report.add(f"{name}: documents: p50, ms", asked.percentile_ms(50))


def main(arguments: Sequence[str] | None = None) -> Report | None:
    """Runs what is asked for; returns its figures."""
    asked = make_parser().parse_args(arguments)
    if asked.register:
        _register(asked.register)
        return None
    cores = Cores.choose(asked.server_cores, asked.generator_cores)
    report = Report(describe_machine() | {"cores": str(cores)})
    report.print_head()
    with open_lab(cores, report, seconds=asked.seconds) as lab:
        uvloop.run(measure(lab, asked.rounds, asked.document_connections))
    report.print_tail()
    return report


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--seconds", type=float, default=10, help="of each load (10)")
    parser.add_argument("--rounds", type=int, default=3, help="alone and beside, by turns (3)")
    parser.add_argument("--document-connections", type=int, default=4, help="that ask in turn (4)")
    parser.add_argument("--server-cores", help="such as 0,1; all but the last one")
    parser.add_argument("--generator-cores", help="such as 1; the last one")
    parser.add_argument("--register", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    found = main()
    sys.exit(0 if found is None or found.is_right else 1)
