"""Do what an image's stage of the Dockerfile does, in a clean virtual environment, and measure it.

    .venv/bin/python tools/measure_image.py [--target serving] [--largest 12]

uv does what pip does there, so that no Docker is needed, and the files are added up. For the
service it goes on: what was installed serves the released model and reads a letter. Ends with 1 if
base image and packages together are over the limit, or the letter is not read.
"""

import argparse
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
# python:3.11-slim-bookworm, unpacked.
BASE_MB = 130
LIMIT_MB = 700
PATIENCE_S = 300


def read_commands(target: str) -> list[list[str]]:
    """Return the commands of the stage that installs a target's packages, as words."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    stage = re.search(rf"^FROM \S+ AS build-{target}\n(.*?)^FROM ", text, re.M | re.S)
    if stage is None:
        sys.exit(f"Expected a stage build-{target} in the Dockerfile, found none.")
    lines = re.findall(r"^RUN (?:--mount=\S+ )?\s*(.*)$", stage[1], re.M)
    return [shlex.split(part) for line in lines for part in line.split("&&")]


def follow(commands: list[list[str]], venv: Path) -> Path:
    """Make the environment as the commands say, and return the folder of its packages."""
    run(["uv", "venv", "--python=3.11", str(venv)])
    for words in commands:
        if "install" in words and "--no-deps" not in words and words[-1] != "uv":
            install(words, venv)
        elif "--requirement" in words:
            file = ROOT / "deploy" / "images" / words[-1]
            run(["uv", "pip", "uninstall", f"--python={venv}", "--requirement", str(file)])
        elif words[0] == "find":
            # The same words; `/opt/bukva` is ours here.
            subprocess.run([word.replace("/opt/bukva", str(venv)) for word in words], check=True)
    return next(venv.glob("lib/python*/site-packages"))


def install(words: list[str], venv: Path) -> None:
    """Install what pip is told to."""
    named = words[words.index("constraints.txt") + 1 :]
    packages = [f"{ROOT}{word[1:]}" if word.startswith(".") else word for word in named]
    # As pip does: where Python may write no bytecode, each process would compile all anew.
    options = ["--compile-bytecode", "--link-mode=copy", f"--python={venv}"]
    run(["uv", "pip", "install", *options, "-c", str(ROOT / "constraints.txt"), *packages])


def run(words: list[str], **environment: str) -> None:
    """Run a Python module's command line."""
    command = [sys.executable, "-m", words[0], *words[1:]]
    given = os.environ | {"UV_SYSTEM_CERTS": "true"} | environment
    done = subprocess.run(command, env=given, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{shlex.join(words)}:\n{done.stderr}")


def measure(folder: Path) -> Counter[str]:
    """Return bytes by the first name below a folder."""
    sizes: Counter[str] = Counter()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            sizes[path.relative_to(folder).parts[0]] += path.stat().st_size
    return sizes


def read_letter(python: Path, folder: Path) -> str:
    """Serve the released model with an environment, and return what it says of a letter."""
    run(["bukva", "release", "install", "--env=test"], BUKVA_TEST_STORAGE=str(folder))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "BUKVA_TRACKING_URI": f"sqlite:///{folder}/mlflow.db", "BUKVA_PORT": str(port),
        "BUKVA_MODEL_CACHE": str(folder / "models"), "BUKVA_FEEDBACK_FOLDER": str(folder / "said"),
        "PATH": os.environ["PATH"], "HOME": str(folder),
    }  # fmt: skip
    # Isolated from our own packages: no PYTHONPATH goes along.
    service = subprocess.Popen([python, "-m", "bukva.serving"], env=settings, cwd=folder)
    try:
        return ask(f"http://127.0.0.1:{port}")
    finally:
        service.terminate()
        service.wait(timeout=30)


def ask(url: str) -> str:
    """Return the answer for the letter of the docs, once the service is ready."""
    deadline_s = time.monotonic() + PATIENCE_S
    with httpx.Client(base_url=url, timeout=30) as client:
        while time.monotonic() < deadline_s:
            with suppress(httpx.TransportError):
                if client.get("/readyz").is_success:
                    break
            time.sleep(0.5)
        image = (ROOT / "docs" / "images" / "letter.png").read_bytes()
        headers = {"Content-Type": "image/png"}
        return client.post("/v1/predict", content=image, headers=headers).text


def main() -> int:
    """Print the largest packages and the sum; for the service, what it reads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", default="serving")
    parser.add_argument("--largest", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        venv = Path(name) / "venv"
        sizes = measure(follow(read_commands(options.target), venv))
        for package, size in sizes.most_common(options.largest):
            print(f"{size / 1e6:8.1f} MB  {package}")
        total_mb = sum(sizes.values()) / 1e6
        image_mb = BASE_MB + total_mb
        print(f"{total_mb:8.1f} MB  all packages; with the base image about {image_mb:.0f} MB")
        if options.target != "serving":
            return 0
        answer = read_letter(venv / "bin" / "python", Path(name))
        print(answer)
    return int(image_mb > LIMIT_MB or '"symbol":"Ґ"' not in answer)


if __name__ == "__main__":
    sys.exit(main())
