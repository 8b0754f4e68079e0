"""Draw the main job as kedro-viz shows it: its own site, built and looked at in Chromium.

python tools/draw_kedro_viz.py [file, by default docs/images/kedro_viz.png]
"""

import functools
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright

SITE = Path("build")
WIDTH_PX, HEIGHT_PX = 1200, 1300
BUTTONS_PX = 137
# What a visitor would close by hand.
STATE = {
    "theme": "light",
    "showFeatureHints": False,
    "visible": {"graph": True, "miniMap": False, "sidebar": False},
}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder, and give its address."""
    handler = functools.partial(_Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def take_picture(address: str, path: Path) -> None:
    """Photograph the whole graph, in light colours, without the panels beside it."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page(
            viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, device_scale_factor=1.5
        )
        page.add_init_script(f"localStorage.setItem('KedroViz', {json.dumps(json.dumps(STATE))})")
        page.goto(f"{address}/?pid=__default__")
        page.locator(".pipeline-node").first.wait_for()
        page.wait_for_timeout(3000)  # until it has come to rest
        page.screenshot(
            path=path,
            clip={"x": BUTTONS_PX, "y": 0, "width": WIDTH_PX - BUTTONS_PX, "height": HEIGHT_PX},
        )
        chromium.close()


def main() -> None:
    """Build the site and write the picture."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/kedro_viz.png")
    subprocess.run([sys.executable, "-m", "kedro", "viz", "build"], check=True)
    with serve(SITE) as address:
        take_picture(address, path)


if __name__ == "__main__":
    main()
