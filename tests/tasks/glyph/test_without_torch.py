import subprocess
import sys
import textwrap

import pandas as pd

from bukva.tasks.glyph.golden import encode_png

SCRIPT = """
    import sys
    for name in ("torch", "torchvision", "onnx", "onnxscript", "safetensors", "sklearn"):
        sys.modules[name] = None  # importing it now fails, as where it is not installed

    import pathlib
    import pandas as pd
    from kedro.io import DataCatalog, MemoryDataset
    from kedro.runner import SequentialRunner
    from bukva.datasets.files import RecogniserDataset
    from bukva.pipelines.inference.pipeline import create_pipeline

    folder = pathlib.Path(sys.argv[1])
    pipeline = create_pipeline()
    catalog = DataCatalog(
        {
            "images": MemoryDataset(pd.DataFrame({"image": [(folder / "page.png").read_bytes()]})),
            "recogniser": RecogniserDataset(filepath=str(folder / "recogniser.onnx")),
        }
    )
    outputs = SequentialRunner().run(pipeline, catalog)
    (output,) = outputs.values()
    print(output.load().loc[0, "symbol"])
    loaded = [name for name in sys.modules if name.split(".")[0] == "torch" and sys.modules[name]]
    assert not loaded, loaded
"""


def test_a_machine_without_torch_answers(random_recogniser, drawn_samples, tmp_path):
    page = encode_png(drawn_samples.images_NHW[40])
    (tmp_path / "page.png").write_bytes(page)
    (tmp_path / "recogniser.onnx").write_bytes(random_recogniser.onnx_model)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = random_recogniser.recognise(pd.Series([page]))["symbol"][0]
    assert done.stdout.split()[-1] == expected  # after what Kedro logs
