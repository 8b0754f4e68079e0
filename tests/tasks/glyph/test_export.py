import dataclasses

import numpy as np
import onnx
import pandas as pd
import pytest

from bukva.core.imaging.decoding import decode_image
from bukva.errors import ParityError
from bukva.tasks.glyph.answer import sigmoid, softmax
from bukva.tasks.glyph.charset import LABELS, to_symbol
from bukva.tasks.glyph.export import export_onnx
from bukva.tasks.glyph.golden import encode_png, golden_samples
from bukva.tasks.glyph.networks import NETWORKS
from bukva.tasks.glyph.parity import check_parity
from bukva.tasks.glyph.preprocessing import PAGE_FEATURES, Preprocessing
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.trained import predict_logits


@pytest.fixture
def table(drawn_pages, drawn_samples):
    """Return the sample table of the drawn pages, every second one a test sample."""
    table = pd.DataFrame(drawn_samples.page_NF, columns=list(PAGE_FEATURES))
    cases = [page.is_uppercase for page in drawn_pages]
    table["label"] = [page.label for page in drawn_pages]
    table["is_uppercase"] = pd.array(cases, dtype="boolean")
    table["split"] = ["train", "test"] * (len(table) // 2)
    return table


@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("is_page_known", [True, False])
def test_onnx_answers_as_torch_does(
    random_model, random_recogniser, drawn_samples, batch, is_page_known
):
    chosen = np.random.default_rng(batch).permutation(len(drawn_samples))[:batch]
    images, pages = drawn_samples.images_NHW[chosen], drawn_samples.page_NF[chosen].copy()
    if not is_page_known:
        pages[:] = np.nan
    logits = predict_logits(random_model.to_network(), images, pages)
    found = random_recogniser.probabilities(images, pages)
    assert found.label_NK.shape == (batch, 43)
    assert np.abs(found.label_NK - softmax(logits.label_NK)).max() < 1e-4
    assert np.abs(found.uppercase_N - sigmoid(logits.case_N)).max() < 1e-4
    # The weights are random and yet say something: parity of even answers would prove little.
    assert found.label_NK.max() > 0.1


@pytest.mark.parametrize("name", sorted(NETWORKS.keys() - {"glyph_cnn"}))
def test_every_network_can_be_exported(make_model, drawn_samples, name):
    model = make_model(labels="0123456789", network_name=name)
    recogniser = Recogniser(export_onnx(model, opset=20))
    images, pages = drawn_samples.images_NHW[:9], drawn_samples.page_NF[:9]
    logits = predict_logits(model.to_network(), images, pages)
    found = recogniser.probabilities(images, pages)
    assert np.abs(found.label_NK - softmax(logits.label_NK)).max() < 1e-4
    assert np.ptp(found.label_NK, axis=0).max() > 0.01, "answers differ from image to image"


def test_the_file_carries_specification_and_digest(random_model, random_recogniser, random_onnx):
    spec = random_recogniser.spec
    assert spec["labels"] == LABELS == random_recogniser.labels
    assert spec["weights_sha256"] == random_model.digest()
    assert Preprocessing(**spec["preprocessing"]) == Preprocessing()
    assert spec["page_features"] == list(PAGE_FEATURES)
    proto = onnx.load_model_from_string(random_onnx)
    onnx.checker.check_model(proto, full_check=True)
    assert {opset.version for opset in proto.opset_import if not opset.domain} == {20}
    assert not any(tensor.external_data for tensor in proto.graph.initializer)


def test_parity_is_measured(random_model, random_recogniser, table, drawn_samples):
    found = check_parity(
        random_model, random_recogniser, table, drawn_samples.images_NHW, tolerance=1e-4
    )
    assert found["images"] == 152
    assert 0 < found["max_label_difference"] < 1e-4
    assert 0 < found["max_case_difference"] < 1e-4


@pytest.mark.parametrize("change", [0.01, np.nan])
@pytest.mark.parametrize("head", ["label_head.bias", "case_head.bias"])
def test_another_model_than_the_recogniser_is_seen(
    random_model, random_recogniser, table, drawn_samples, head, change
):
    bias = random_model.weights[head].copy()
    bias[-1] += change
    other = dataclasses.replace(random_model, weights={**random_model.weights, head: bias})
    with pytest.raises(ParityError, match=r"at most 0.0001 in probability on 152 images"):
        check_parity(other, random_recogniser, table, drawn_samples.images_NHW, tolerance=1e-4)


def test_golden_samples_are_test_samples_of_every_symbol(random_recogniser, table, drawn_samples):
    golden = golden_samples(random_recogniser, table, drawn_samples.images_NHW, per_symbol=1)
    assert len(golden) == golden["true_symbol"].nunique() == 76
    assert not golden.isna().any(axis=None)


def test_golden_answers_are_given_again(random_recogniser, table, drawn_samples):
    golden = golden_samples(random_recogniser, table, drawn_samples.images_NHW, per_symbol=1)
    for row in golden.sample(9, random_state=1).itertuples():
        again = random_recogniser.recognise(pd.Series([row.image])).iloc[0]
        assert again["symbol"] == row.symbol
        assert again["confidence"] == pytest.approx(row.confidence, rel=1e-4)


def test_golden_samples_take_as_many_as_asked_and_no_train_sample(
    random_recogniser, table, drawn_samples
):
    # Rows in another order than the default index, as after a split.
    table = table.assign(split="test").sample(frac=1, random_state=2)
    images = drawn_samples.images_NHW[table.index]
    golden = golden_samples(random_recogniser, table, images, per_symbol=2)
    assert (golden["true_symbol"].value_counts() == 2).all()
    expected = {
        encode_png(image): to_symbol(row.label, not pd.isna(row.is_uppercase) and row.is_uppercase)
        for image, row in zip(images, table.itertuples(), strict=True)
    }
    assert golden["image"].map(expected).tolist() == golden["true_symbol"].tolist()
    assert golden_samples(random_recogniser, table.assign(split="train"), images, 1).empty


def test_a_framed_symbol_as_a_file_comes_back_as_it_was(drawn_samples):
    image = drawn_samples.images_NHW[5]
    page = decode_image(encode_png(image))
    assert page.shape == (42, 42)
    np.testing.assert_array_equal(255 - page[7:-7, 7:-7], image)
