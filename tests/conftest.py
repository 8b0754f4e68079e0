"""Small real inputs that several rooms share: drawn pages, samples, models with random weights."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from bukva import charset
from bukva.data.embedded import draw_letters_and_digits
from bukva.data.preprocessing import PAGE_FEATURES, Preprocessing, preprocess
from bukva.data.samples import RawSample

if TYPE_CHECKING:
    # Imported late in the fixtures: most rooms' tests need no torch.
    from bukva.inference.recogniser import Recogniser
    from bukva.models.trained import TrainedModel
    from bukva.training.samples import GlyphSamples


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Several processes share the tests by folders: those of one share servers and trackers."""
    return FolderScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The folder that takes as long as all others comes first where they are shared."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: "end_to_end" not in item.path.parts)


class FolderScheduling(LoadScopeScheduling):
    """Gives each process a folder of `tests` at a time, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].split("/")[1]


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
    from bukva.training.samples import GlyphSamples

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

    from bukva.models.prediction import to_batch
    from bukva.models.registry import build_network
    from bukva.models.trained import ModelSpec, TrainedModel, weights_of
    from bukva.training.seeding import seeded

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
    from bukva.inference.export import export_onnx

    return export_onnx(random_model, opset=20)


@pytest.fixture(scope="session")
def random_recogniser(random_onnx: bytes) -> "Recogniser":
    from bukva.inference.recogniser import Recogniser

    return Recogniser(random_onnx)
