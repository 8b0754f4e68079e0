"""A registry of its own with the released model, and versions of it that can be told apart.

python benchmarks/load/registry.py FOLDER SOUND REFUSED

Run as a program it makes the registry: what that imports and configures stays out of the process
that measures. Version 1 is the released model. Each further sound one multiplies its label logits
by another number, so that it reads the same symbols with other probabilities, which are known
beforehand: an answer with the number of one version and the content of another is found.
"""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from bukva.tasks.glyph.recogniser import Recogniser

ALIAS = "prod"
NAME = "bukva-glyph"
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Registry:
    """A registry, the released model in production.

    Attributes:
        uri: Its address.
        sound: Number -> factor of each version that may be served, the released one first.
        refused: Number -> what is wrong with each version that must not be.
    """

    uri: str
    sound: Mapping[str, float]
    refused: Mapping[str, str]

    def move_alias(self, version: str) -> None:
        """Puts a version into production."""
        self._client().set_registered_model_alias(NAME, ALIAS, version)

    def _client(self) -> "MlflowClient":
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri)

    def expect(self, images: Sequence[bytes]) -> dict[str, list[dict[str, Any]]]:
        """The right answers of each sound version to images."""
        return {version: answers_of(factor, images) for version, factor in self.sound.items()}


def make_registry(folder: Path, sound: int = 1, refused: int = 0) -> Registry:
    """Makes a registry in a folder, with so many versions of both kinds."""
    command = [sys.executable, __file__, folder, str(sound), str(refused)]
    # From the project's root: there lies the configuration of Kedro's log.
    done = subprocess.run(command, cwd=_ROOT, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode != 0:
        raise RuntimeError(f"The registry could not be made:\n{done.stderr[-4000:]}")
    return Registry(**json.loads((folder / "registry.json").read_text(encoding="utf-8")))


def answers_of(factor: float, images: Sequence[bytes]) -> list[dict[str, Any]]:
    """What the version with a factor answers, asked directly: what the service passes on."""
    import pandas as pd

    table = _make_recogniser(factor).recognise(pd.Series(list(images)))
    rows = table.drop(columns=["measures"]).to_dict(orient="records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _make_recogniser(factor: float) -> "Recogniser":
    import onnx

    from bukva.cli.released.manifest import ONNX, RELEASED
    from bukva.tasks.glyph.recogniser import Recogniser

    encoded = (RELEASED / ONNX).read_bytes()
    if factor == 1.0:
        return Recogniser(encoded)
    model = onnx.load_model(io.BytesIO(encoded))
    for node in model.graph.node:
        node.output[:] = ["unscaled" if name == "label_logits" else name for name in node.output]
    constant = onnx.numpy_helper.from_array(np.float32(factor), "factor")
    model.graph.initializer.append(constant)
    model.graph.node.append(onnx.helper.make_node("Mul", ["unscaled", "factor"], ["label_logits"]))
    return Recogniser(model.SerializeToString())


def _cut_in_half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _flip_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _forget_specification(file: Path) -> None:
    """Leaves a network that does not say what its outputs mean, as of another program."""
    import onnx

    model = onnx.load_model(io.BytesIO(file.read_bytes()))
    del model.metadata_props[:]
    file.write_bytes(model.SerializeToString())


_BREAKAGES: dict[str, Callable[[Path], None]] = {
    "cut in half": _cut_in_half,
    "a flipped byte": _flip_byte,
    "emptied": _empty,
    "not there": Path.unlink,
    "another program's model": _forget_specification,
}


def _make(folder: Path, sound: int, refused: int) -> Registry:
    import mlflow

    uri = f"sqlite:///{folder / 'mlflow.db'}"
    artifacts = folder / "artifacts"
    mlflow.set_tracking_uri(uri)
    # Else MLflow makes a folder of that name where this is run.
    experiment = mlflow.create_experiment("load", artifact_location=artifacts.as_uri())
    mlflow.set_experiment(experiment_id=experiment)
    # The first is the released model itself.
    factors = [0.95**turn for turn in range(sound + refused)]
    versions = {_register(factor): factor for factor in factors}
    numbers = list(versions)
    faults = {}
    for number, name in zip(numbers[sound:], list(_BREAKAGES) * refused, strict=False):
        _BREAKAGES[name](_find_file(number))
        faults[number] = name
    return Registry(uri, {number: versions[number] for number in numbers[:sound]}, faults)


def _register(factor: float) -> str:
    import mlflow

    from bukva.cli.released.installing import INFERENCE, install
    from bukva.cli.released.manifest import RELEASED
    from bukva.datasets.registry import PackagedModelsDataset
    from bukva.registry.packaging import Package

    if factor == 1.0:
        return install(RELEASED).version
    recogniser = _make_recogniser(factor)
    packaged = PackagedModelsDataset(model_name=f"{NAME}-load", inference=INFERENCE)
    packaged.save(Package(recogniser, {}, {}))
    model = packaged.load()[0]
    return str(mlflow.register_model(model.uri, NAME, tags=dict(model.tags)).version)


def _find_file(version: str) -> Path:
    """The recogniser's file of a version, where the registry keeps it."""
    from mlflow import MlflowClient

    from bukva.registry.package_files import RECOGNISER_PATH

    place = MlflowClient().get_model_version_download_uri(NAME, version)
    return Path(place.removeprefix("file://")) / RECOGNISER_PATH


def main(folder: str, sound: str, refused: str) -> None:
    """Makes the registry, and writes down what is in it."""
    made = _make(Path(folder), int(sound), int(refused))
    described = {"uri": made.uri, "sound": made.sound, "refused": made.refused}
    (Path(folder) / "registry.json").write_text(json.dumps(described), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:4])
