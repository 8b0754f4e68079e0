"""Registers the released model under another digest in this project, and promotes it.

Run as `python register_variant.py NAME`; prints the number of the version.
"""

import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from bukva.cli.released.installing import install
from bukva.cli.released.manifest import MANIFEST, ONNX, RELEASED, read_release, write_manifest
from bukva.cli.session import open_session
from bukva.registry.production import put_into_production

name = sys.argv[1]
open_session("base").load_context()
with TemporaryDirectory() as folder:
    release = Path(shutil.copytree(RELEASED, Path(folder) / "release"))
    proto = onnx.load(release / ONNX)
    proto.producer_name = name
    onnx.save(proto, release / ONNX)
    files = json.loads((release / MANIFEST).read_bytes())["files"]
    write_manifest(release, read_release(RELEASED), files)
    done = install(release)
put_into_production("bukva-glyph", done.version, expected=done.in_production, why=name)
sys.stdout.write(f"{done.version}\n")
