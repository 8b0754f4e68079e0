"""Build what an image's target installs, in a clean virtual environment, and measure it.

    .venv/bin/python tools/measure_image.py [--target serving] [--largest 12]

Does with uv what the target's stage of the Dockerfile does with pip, so that no Docker is needed,
and adds up the files. For the service it goes on: what was installed serves the released model and
reads a letter. Ends with 1 if base image and packages together are over the limit, or it reads wrong.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# python:3.11-slim-bookworm, unpacked, as its publisher's registry shows it.
BASE_MB = 130
LIMIT_MB = 700


def read_install(target: str) -> list[str]:
    """Return what the Dockerfile's target installs: the arguments of pip, options left out."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    stage, found = "", {}
    for line in text.splitlines():
        if match := re.match(r"FROM \S+ AS (\S+)", line):
            stage = match[1]
        for command in re.findall(r"pip install ([^&]*)", line):
            found.setdefault(stage, []).extend(shlex.split(command))
    words = found[f"build-{target}"]
    skipped = {words[i + 1] for i, word in enumerate(words) if word == "-c"}
    packages = [word for word in words if not word.startswith("-") and word not in skipped]
    return [f"{ROOT}{word[1:]}" if word.startswith(".") else word for word in packages]


def install(packages: list[str], venv: Path) -> Path:
    """Make the environment, and return the folder of its packages."""
    uv = [sys.executable, "-m", "uv"]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    subprocess.run([*uv, "venv", "--quiet", f"--python={version}", str(venv)], check=True)
    command = [*uv, "pip", "install", "--quiet", f"--python={venv}", "--link-mode=copy"]
    # As pip does in the image.
    command += ["--compile-bytecode", "-c", str(ROOT / "constraints.txt"), *packages]
    subprocess.run(command, check=True, env=os.environ | {"UV_SYSTEM_CERTS": "true"})
    return next(venv.glob("lib/python*/site-packages"))


def measure(folder: Path) -> Counter[str]:
    """Return bytes on the disk by the first name below a folder."""
    sizes: Counter[str] = Counter()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            sizes[path.relative_to(folder).parts[0]] += path.stat().st_size
    return sizes


def main() -> int:
    """Print the largest packages and the sum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", default="serving")
    parser.add_argument("--largest", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        packages = install(read_install(options.target), Path(folder) / "venv")
        sizes = measure(packages)
        for name, size in sizes.most_common(options.largest):
            print(f"{size / 1e6:8.1f} MB  {name}")
    total_mb = sum(sizes.values()) / 1e6
    image_mb = BASE_MB + total_mb
    print(f"{total_mb:8.1f} MB  all packages; with the base image about {image_mb:.0f} MB")
    return int(options.target == "serving" and image_mb > LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
