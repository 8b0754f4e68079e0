"""What comes with the service: few modules of ours, and no library that only the workshop needs."""

import json
import subprocess
import sys

import grimp

ANSWERING = """
import json, sys
from bukva.serving.app import create_app
from bukva.serving.settings import Settings
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.cli.released.manifest import ONNX, RELEASED
create_app(Settings())
[answer] = Recogniser((RELEASED / ONNX).read_bytes()).read([open(sys.argv[1], "rb").read()])
print(json.dumps([len(answer.reading.alternatives), sorted(sys.modules)]))
"""


def test_few_modules_of_ours_are_all_that_it_needs():
    """Forty, seven for documents, and five for lines: what reads them has its own processes."""
    graph = grimp.build_graph("bukva", cache_dir=None)
    needed = graph.find_upstream_modules("bukva.serving.app") | {"bukva.serving.app"}
    assert len(needed) <= 52, sorted(needed)


def test_an_image_is_read_without_a_table_or_a_pipeline(tmp_path):
    from serving_requests import draw, encode

    (tmp_path / "a.png").write_bytes(encode(draw()))
    done = subprocess.run(
        [sys.executable, "-c", ANSWERING, str(tmp_path / "a.png")],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    alternatives, modules = json.loads(done.stdout)
    assert alternatives == 5
    assert not {"kedro", "mlflow", "pandas", "torch", "kedro_mlflow"} & set(modules)
