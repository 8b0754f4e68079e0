"""Makes `former_package.tar.xz`, a version as revision d10ac51 packaged it, and its answers.

To make it anew, from the root of a checkout of this project, with d10ac51 checked out in FORMER:

    PYTHONPATH=FORMER/src:tests/helpers python tests/helpers/former_package.py

Its recogniser has a preprocessing of its own, and the answers are those of its own pyfunc.
"""

import base64
import json
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

HERE = Path(__file__).parents[1] / "serving" / "model"
PACKAGE, ANSWERS = HERE / "former_package.tar.xz", HERE / "former_answers.json"
SIZES = {"symbol_px": 14, "min_contrast": 60}


def change_preprocessing(onnx_model: bytes) -> bytes:
    """The same network, to which other frames are shown."""
    import onnx

    proto = onnx.load_from_string(onnx_model)
    [metadata] = proto.metadata_props
    spec = json.loads(metadata.value)
    spec["preprocessing"] |= SIZES
    metadata.value = json.dumps(spec, ensure_ascii=False)
    return bytes(proto.SerializeToString())


def draw_images() -> list[bytes]:
    """Some that can be read, some that cannot, and one too faint for this version alone."""
    from serving_requests import draw, encode

    faint = draw().point(lambda grey: 200 if grey < 128 else 255)
    pens = (1, 2, 4, 14, 30, 40, 60, 80)
    blank = encode(Image.new("L", (9, 9), 255))
    return [*(encode(draw(pen_px=pen)) for pen in pens), b"text", blank, encode(faint)]


def main() -> None:
    import mlflow
    import pandas as pd
    from bukva.inference.recogniser import Recogniser
    from bukva.model_registry.packaging import Package
    from bukva.release.installing import INFERENCE
    from ink_network import make_ink_network

    from bukva.datasets.registry import PackagedModelsDataset

    with TemporaryDirectory() as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.create_experiment("former", (Path(folder) / "artifacts").as_uri())
        mlflow.set_experiment("former")
        packaged = PackagedModelsDataset(model_name="former", inference=INFERENCE)
        recogniser = Recogniser(change_preprocessing(make_ink_network()))
        packaged.save(Package(recogniser, {"results.json": b'{"all.label_accuracy": 0.5}'}, {}))
        model = packaged.load()[0]
        images = draw_images()
        table = mlflow.pyfunc.load_model(model.uri).predict(
            pd.DataFrame({"image": images, "explain": True})
        )
        [files] = (Path(folder) / "artifacts" / "models").glob("*/artifacts")
        with tarfile.open(PACKAGE, "w:xz") as archive:
            archive.add(files, "model", filter=_plain)
    answers = {
        "files_sha256": model.tags["files_sha256"],
        "images": [base64.b64encode(image).decode() for image in images],
        "rows": table.to_dict(orient="records"),
    }
    ANSWERS.write_text(json.dumps(answers, ensure_ascii=False, indent=1), encoding="utf-8")


def _plain(file: tarfile.TarInfo) -> tarfile.TarInfo | None:
    file.mtime = file.uid = file.gid = 0
    file.uname = file.gname = ""
    return file


if __name__ == "__main__":
    main()
