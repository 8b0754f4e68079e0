"""Small real inputs that several rooms share: drawn pages, samples, models with random weights."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from bukva.core.samples import RawSample
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.embedded import draw_letters_and_digits
from bukva.tasks.glyph.preprocessing import PAGE_FEATURES, Preprocessing, preprocess

if TYPE_CHECKING:
    # Imported late in the fixtures: most rooms' tests need neither torch nor a finished job.
    from job_storage import Storage
    from mlflow.tracking import MlflowClient

    from bukva.tasks.glyph.recogniser import Recogniser
    from bukva.tasks.glyph.trained import TrainedModel
    from bukva.tasks.glyph.training_samples import GlyphSamples


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Several processes share the tests by folders: those of one share servers and trackers."""
    return ShareScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests are shared out, the longest come first; last those that wait for a job."""
    for item in items:
        if _waits_for_job(item):
            item.add_marker(pytest.mark.timeout(1200))
    if hasattr(config, "workerinput"):
        waiting = {_share_of(item.nodeid) for item in items if _waits_for_job(item)}
        shares = [*dict.fromkeys(_share_of(item.nodeid) for item in items)]
        shares.sort(key=lambda share: (not share.startswith("end_to_end"), share in waiting))
        places = {share: place for place, share in enumerate(shares)}
        items.sort(key=lambda item: places[_share_of(item.nodeid)])


def _share_of(nodeid: str) -> str:
    """Return what one process runs as a whole: a folder of `tests`, or a file of the longest."""
    parts = nodeid.partition("::")[0].split("/")[1:]
    return "/".join(parts[:2]) if parts[0] == "end_to_end" else parts[0]


def _waits_for_job(item: pytest.Item) -> bool:
    return "finished_job" in getattr(item, "fixturenames", ())


class ShareScheduling(LoadScopeScheduling):
    """Gives each process one share at a time, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        return _share_of(nodeid)


@pytest.fixture(scope="session", autouse=True)
def model_cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Services that are started here keep their models here, and not in the user's cache."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BUKVA_MODEL_CACHE", str(tmp_path_factory.mktemp("model_cache")))
        yield


@pytest.fixture(scope="session")
def drawn_pages() -> list[RawSample]:
    """Two drawn pages of each of the 76 symbols."""
    return list(draw_letters_and_digits(samples_per_symbol=2, seed=3))


@pytest.fixture(scope="session")
def drawn_samples(drawn_pages: list[RawSample]) -> "GlyphSamples":
    """The drawn pages as a network takes them, equally likely to be drawn."""
    from bukva.tasks.glyph.training_samples import GlyphSamples

    glyphs = [preprocess(page.image) for page in drawn_pages]
    cases = [np.nan if page.is_uppercase is None else page.is_uppercase for page in drawn_pages]
    return GlyphSamples(
        images_NHW=np.stack([glyph.image_HW for glyph in glyphs]),
        page_NF=np.stack([glyph.page_F for glyph in glyphs]),
        labels_N=np.array([charset.encode(page.label) for page in drawn_pages]),
        uppercase_N=np.array(cases, dtype=np.float32),
        weights_N=np.ones(len(glyphs)),
    )


@pytest.fixture(scope="session")
def make_model(drawn_samples: "GlyphSamples") -> Callable[..., "TrainedModel"]:
    """Return a function that makes an untrained model with random weights."""
    import torch

    from bukva.core.training.checkpoint import weights_of
    from bukva.core.training.device import seeded
    from bukva.tasks.glyph.networks import build_network
    from bukva.tasks.glyph.trained import ModelSpec, TrainedModel, to_batch

    batch = to_batch(
        torch.tensor(drawn_samples.images_NHW),
        torch.tensor(drawn_samples.page_NF),
        torch.device("cpu"),
    )

    def make(
        labels: str = charset.LABELS, width: int = 4, seed: int = 1, network_name: str = "glyph_cnn"
    ) -> "TrainedModel":
        sizes = {"width": width, "dropout": 0.2}
        with seeded(seed):
            network = build_network(network_name, len(labels), **sizes)
            # With the statistics of real images, answers differ from image to image.
            for module in network.modules():
                if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
                    module.momentum = 1.0
            network.train()(*batch)
            network.label_head.weight.data.mul_(5)
            network.case_head.weight.data.mul_(5)
        spec = ModelSpec(
            network=network_name,
            sizes=sizes,
            labels=labels,
            page_features=PAGE_FEATURES,
            preprocessing=Preprocessing().to_dict(),
            data_fingerprint="",
        )
        return TrainedModel(weights_of(network), spec)

    return make


@pytest.fixture(scope="session")
def random_model(make_model: Callable[..., "TrainedModel"]) -> "TrainedModel":
    return make_model()


@pytest.fixture(scope="session")
def random_onnx(random_model: "TrainedModel") -> bytes:
    """The same model as an ONNX file: exporting costs seconds, so it is done once."""
    from bukva.tasks.glyph.export import export_onnx

    return export_onnx(random_model, opset=20)


@pytest.fixture(scope="session")
def random_recogniser(random_onnx: bytes) -> "Recogniser":
    from bukva.tasks.glyph.recogniser import Recogniser

    return Recogniser(random_onnx)


@pytest.fixture(scope="session")
def finished_job(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[tuple[Storage, str]]":
    from job_storage import shared_job

    own = tmp_path_factory.getbasetemp()
    with shared_job((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "job") as found:
        yield found


@pytest.fixture(scope="session")
def job(finished_job: "tuple[Storage, str]") -> "Storage":
    """What one run of the main job in the environment `test` wrote; to be looked at only."""
    return finished_job[0]


@pytest.fixture(scope="session")
def printed(finished_job: "tuple[Storage, str]") -> str:
    """What that run printed."""
    return finished_job[1]


@pytest.fixture(scope="session")
def copy_of_job(
    job: "Storage", tmp_path_factory: pytest.TempPathFactory
) -> "Callable[[], Storage]":
    """Makes copies of it, for tests that write."""
    return lambda: job.copy(tmp_path_factory.mktemp("copy"))


@pytest.fixture
def tracking(job: "Storage") -> "Iterator[MlflowClient]":
    """MLflow looks into the job's database."""
    import mlflow
    from serving_servers import tracking_restored

    with tracking_restored():
        mlflow.set_tracking_uri(job.tracking_uri)
        yield job.client()


@pytest.fixture(scope="session")
def read_corpus() -> Callable[[str], dict[str, bytes]]:
    """Return a function that reads a corpus's files, verified, or skips the test."""
    from bukva.datasets.corpora import load_manifest, missing_files, read_files

    project = Path(__file__).parents[1]
    folder = os.environ.get("BUKVA_CORPORA", str(project / "data" / "01_raw"))
    entries = load_manifest(str(project / "conf" / "base" / "corpora.yml"))

    def read(name: str) -> dict[str, bytes]:
        if missing_files(entries[name], folder):
            pytest.skip(
                f"corpus {name} is not in {folder}: fetch it with `make corpora FROM=<mirror>` "
                f"or name a mirror in BUKVA_CORPORA"
            )
        return read_files(entries[name], folder)

    return read
