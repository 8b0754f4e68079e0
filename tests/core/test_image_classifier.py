"""A classifier of images: what it learns, how it is exported, how its answers are checked."""

import json
import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import BaseModel
from torch import Tensor, nn
from torch.nn import functional

from bukva.core.export import export_classifier
from bukva.core.golden import check_golden, write_golden
from bukva.core.imaging.decoding import decode_image
from bukva.core.imaging.upscaling import encode_page
from bukva.core.predictor import ImageReader, OnnxModel
from bukva.core.training.classification import ClassLearner, ClassSamples, predict_logits
from bukva.core.training.fit import fit
from bukva.core.training.parameters import FitParameters
from bukva.core.training.variation import draw_affine_grid
from bukva.errors import ImageError, ParityError, TrainingError


class Side(BaseModel):
    """On which side the ink is."""

    side: str | None = None
    error: str | None = None
    error_detail: str | None = None


class SideReader(ImageReader[Side]):
    answer_model = Side

    def prepare(self, image: bytes) -> np.ndarray:
        return 255 - decode_image(image)

    def describe(self, images_NHW: np.ndarray) -> list[Side]:
        [logits_NK] = self.run(["logits"], images=images_NHW)
        return [Side(side=("left", "right")[k]) for k in logits_NK.argmax(axis=1)]


def shift(images_B1HW: Tensor, generator: torch.Generator, *, most: float) -> Tensor:
    grid = draw_affine_grid(
        images_B1HW, generator, rotation_deg=0.0, scale=0.0, slant=0.0, shift=most
    )
    return functional.grid_sample(images_B1HW, grid, align_corners=False)


def draw_sides(count: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return pictures of a bar on the left or on the right, among noise."""
    rng = np.random.default_rng(seed)
    images_NHW = rng.integers(0, 60, (count, 12, 12), dtype=np.uint8)
    is_right_N = rng.random(count) < 0.5
    images_NHW[~is_right_N, 2:10, 2:4] = 255
    images_NHW[is_right_N, 2:10, 8:10] = 255
    split = np.where(np.arange(count) % 4 == 0, "valid", "train")
    label = np.where(is_right_N, "right", "left")
    return pd.DataFrame({"label": label, "split": split}), images_NHW


def make_learner(train: ClassSamples, valid: ClassSamples) -> ClassLearner:
    return ClassLearner(
        train, valid, partial(shift, most=0.1), epochs=2, label_smoothing=0.0, precision="float32"
    )


def make_network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(144, 2))


@pytest.fixture(scope="module")
def samples() -> tuple[ClassSamples, ClassSamples]:
    table, images_NHW = draw_sides(200, seed=1)
    return (
        ClassSamples.select(table, images_NHW, "train", ["left", "right"]),
        ClassSamples.select(table, images_NHW, "valid", ["left", "right"]),
    )


@pytest.fixture(scope="module")
def learnt(samples: tuple[ClassSamples, ClassSamples]) -> nn.Module:
    network = make_network()
    parameters = FitParameters(batch_size=32, steps_per_epoch=20, ema_decay=0.0, device="cpu")
    history = fit(network, make_learner(*samples), parameters).history
    assert history["valid_accuracy"].iloc[-1] == 1.0
    return network.eval()


def test_a_split_is_taken_in_the_order_of_the_labels(
    samples: tuple[ClassSamples, ClassSamples],
) -> None:
    train, valid = samples
    assert (len(train.classes_N), len(valid.classes_N)) == (150, 50)
    is_right_N = train.images_NHW[:, 5, 9] == 255
    np.testing.assert_array_equal(train.classes_N, is_right_N)


def test_nothing_to_validate_on_is_an_error(samples: tuple[ClassSamples, ClassSamples]) -> None:
    none = ClassSamples(samples[0].images_NHW[:0], samples[0].classes_N[:0])
    with pytest.raises(TrainingError, match="got 150 and 0"):
        make_learner(samples[0], none)


def test_samples_are_told_apart_by_pixels_and_by_classes(
    samples: tuple[ClassSamples, ClassSamples],
) -> None:
    train = samples[0]
    others = (
        ClassSamples(train.images_NHW ^ 1, train.classes_N),
        ClassSamples(train.images_NHW, 1 - train.classes_N),
    )
    assert len({train.digest(), *(other.digest() for other in others)}) == 3


def test_a_learner_can_be_sent_to_another_process(
    samples: tuple[ClassSamples, ClassSamples],
) -> None:
    learner = make_learner(*samples)
    assert pickle.loads(pickle.dumps(learner)).digests() == learner.digests()


def test_the_file_answers_as_the_network_and_says_what_it_is(learnt: nn.Module) -> None:
    _, images_NHW = draw_sides(40, seed=2)
    model = OnnxModel(export_classifier(learnt, {"labels": "лп"}, images_NHW))
    assert model.spec == {"labels": "лп"}
    for count in (1, 40):
        [found_NK] = model.run(["logits"], images=images_NHW[:count])
        expected_NK = predict_logits(learnt, images_NHW[:count])
        np.testing.assert_allclose(found_NK, expected_NK, atol=1e-4)


class TwoFaced(nn.Module):
    """Answers one thing to whoever writes it out, and another to who asks."""

    def forward(self, images_N1HW: Tensor) -> Tensor:
        return images_N1HW.flatten(1)[:, :2] + float(torch.compiler.is_exporting())


def test_a_file_that_answers_otherwise_is_refused() -> None:
    _, images_NHW = draw_sides(4, seed=3)
    with pytest.raises(ParityError, match="differ by at most"):
        export_classifier(nn.Sequential(TwoFaced(), nn.Linear(2, 2)).eval(), {}, images_NHW)


def test_golden_samples_notice_another_model(learnt: nn.Module) -> None:
    table, images_NHW = draw_sides(12, seed=4)
    reader = SideReader(export_classifier(learnt, {}, images_NHW))
    golden = write_golden(reader, [encode_page(255 - image) for image in images_NHW], "side")
    assert [row["side"] for row in json.loads(golden)] == list(table["label"])
    check_golden(reader, golden, "side")
    other = SideReader(export_classifier(nn.Sequential(learnt, Negative()).eval(), {}, images_NHW))
    with pytest.raises(ParityError, match="12 golden samples, got 12 others"):
        check_golden(other, golden, "side")


class Negative(nn.Module):
    def forward(self, logits_NK: Tensor) -> Tensor:
        return -logits_NK


def test_a_bad_image_harms_no_other(learnt: nn.Module) -> None:
    table, images_NHW = draw_sides(2, seed=5)
    reader = SideReader(export_classifier(learnt, {}, images_NHW))
    pages = [encode_page(255 - image) for image in images_NHW]
    column = pd.Series([pages[0], b"no image", pages[1]], index=[7, 8, 9])
    answers = reader.recognise(column)
    assert list(answers.index) == [7, 8, 9]
    assert [answers.loc[7, "side"], answers.loc[9, "side"]] == list(table["label"])
    assert answers.loc[8, "error"] == "unsupported_format"
    assert reader.recognise(column[:0]).empty
    with pytest.raises(ImageError):
        reader.prepare(b"no image")
