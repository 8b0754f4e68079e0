import io

import numpy as np
import pytest
from photos import PAPER, written
from PIL import Image, ImageDraw
from serving_requests import draw, encode

from bukva.serving import occlusion
from bukva.serving.occlusion import CELLS, weigh
from bukva.tasks.glyph.answer import Alternative, Answer, Failure, Recognition


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.fixture
def cover(random_recogniser):
    """Return a function that covers an image where the recogniser sees ink."""

    def cover(image, source=None):
        [answer] = random_recogniser.read([image], [source], with_map=True)
        return occlusion.cover(image, answer)

    return cover


def test_only_ink_is_covered_and_all_of_it(cover):
    page = draw(side_px=200, pen_px=14)
    covered = cover(encode(page))
    assert covered.source == "drawing"
    assert len(covered.images) == CELLS**2
    # The corner stroke leaves the upper right of its box empty.
    assert covered.images[CELLS - 1] is None
    whole = np.asarray(page)
    lightest = np.max([pixels(image) for image in covered.images if image], axis=0)
    assert (lightest == 255).all(), "each point of the ink is covered at least once"
    for image in filter(None, covered.images):
        changed = pixels(image) != whole
        assert 0 < changed.sum() < (whole < 128).sum()


def test_the_box_holds_the_ink(cover):
    box = cover(encode(draw(side_px=200, pen_px=14))).box
    assert (box.left, box.top) == pytest.approx((0.25, 0.25), abs=0.05)
    assert (box.width, box.height) == pytest.approx((0.5, 0.5), abs=0.1)


def test_light_ink_on_a_dark_page_is_covered_with_dark(cover):
    page = Image.new("L", (100, 100), 10)
    ImageDraw.Draw(page).line([(20, 20), (80, 80)], fill=240, width=8)
    copies = [pixels(image) for image in cover(encode(page)).images if image]
    assert copies
    assert np.min(copies, axis=0).max() <= 58, "nothing light is left everywhere"


def test_a_large_page_is_made_smaller(cover):
    page = draw(side_px=2000, pen_px=140)
    assert max(pixels(next(filter(None, cover(encode(page)).images))).shape) == 400


def test_a_page_without_ink_has_nothing_to_cover(cover):
    assert set(cover(encode(Image.new("L", (50, 50), 255))).images) == {None}


def test_a_photo_is_covered_with_the_colour_of_its_paper(cover, random_recogniser):
    """In uneven light; of a small stroke what lies around it is looked at."""
    jpeg = written((4000, 3000), "JPEG", quality=92)()
    covered = cover(jpeg)
    assert covered.source == "photo"
    box = covered.box
    assert (box.left, box.left + box.width) == pytest.approx((0.5, 0.54), abs=0.02)
    assert (box.top, box.top + box.height) == pytest.approx((1 / 3, 2 / 3), abs=0.03)
    copies = [pixels(image).astype(int) for image in covered.images if image]
    assert len(copies) == CELLS**2
    whole = copies[0]
    darkest = np.min(copies, axis=0)
    lightest = np.max(copies, axis=0)
    is_ink = darkest[..., 0] < (whole[..., 0].max() + darkest[..., 0].min()) / 2
    assert np.abs(lightest[is_ink] - PAPER).max() < 60, "each point of the stroke becomes paper"
    read = random_recogniser.read([image for image in covered.images if image])
    assert sum(answer.reading is not None for answer in read) > CELLS**2 / 2


def test_a_picture_in_shade_is_covered_as_dark_as_it_is_there(cover):
    page = np.asarray(draw(side_px=300, pen_px=20).convert("RGB")) / 255
    shade = np.linspace(1.0, 0.45, 300)[None, :, None]
    noise = np.random.default_rng(1).normal(0, 2, page.shape)
    picture = np.clip((60 + 170 * page) * shade + noise, 0, 255).astype(np.uint8)
    covered = cover(encode(Image.fromarray(picture)))
    copies = [pixels(image).astype(int) for image in covered.images if image]
    assert copies
    for copy in copies:
        changed = (copy == np.median(copy[0], axis=0)).all(axis=-1)
        assert not changed.all()
    # Nowhere does a patch stand out from the paper beside it.
    lightest = np.max(copies, axis=0)[..., 0]
    paper = 230 * np.linspace(1.0, 0.45, lightest.shape[1])[None, :]
    assert (lightest - paper).max() < 40


def named(symbol, probability):
    return {"symbol": symbol, "probability": probability}


def test_a_cell_weighs_what_its_label_loses_in_either_case(cover):
    covered = cover(encode(draw()))
    recognition = Recognition(
        symbol="О", label="о", case="upper", confidence=0.9, case_confidence=0.6, is_symbol=True,
        symbol_confidence=1.0, alternatives=[named("О", 0.6), named("о", 0.3), named("0", 0.1)],
    )  # fmt: skip
    whole = Answer(reading=recognition)
    count = sum(image is not None for image in covered.images)
    without = recognition.model_copy(
        update={
            "alternatives": [Alternative(**named("0", 0.5)), Alternative(**named("о", 0.4))],
        }
    )
    unread = Answer(reading=None, failure=Failure(error="empty_image", error_detail="No ink."))
    answers = [Answer(reading=without), *[unread] * (count - 1)]
    weights = [weight for row in weigh(whole, covered, answers) for weight in row]
    first, *others = [w for w, image in zip(weights, covered.images, strict=True) if image]
    assert first == pytest.approx(0.5)
    assert others == [pytest.approx(0.9)] * (count - 1)
    assert {w for w, image in zip(weights, covered.images, strict=True) if not image} == {0.0}


def test_the_route_answers_as_recognition_does_and_explains(server):
    file = {"file": ("a.png", encode(draw()))}
    explained = server.http.post("/v1/explain", files=file).json()
    recognised = server.http.post("/v1/predict", files=file).json()
    assert recognised.items() <= explained.items()
    assert explained["method"] == "occlusion"
    assert [len(row) for row in explained["importance"]] == [CELLS] * CELLS
    empty = {"file": ("a.png", encode(Image.new("L", (9, 9), 255)))}
    assert server.http.post("/v1/explain", files=empty).json()["code"] == "empty_image"


def explain(server, method, image=None):
    file = {"file": ("a.png", image or encode(draw()))}
    return server.http.post("/v1/explain", params={"method": method}, files=file)


def test_the_network_itself_says_where_it_looked(server):
    explained = explain(server, "gradcam").json()
    recognised = server.http.post("/v1/predict", files={"file": ("a.png", encode(draw()))}).json()
    assert recognised.items() <= explained.items()
    assert explained["methods"] == ["occlusion", "gradcam"]
    assert explained["method"] == "gradcam"
    # The corner stroke: nothing at the upper right, and each other quarter as it is covered.
    assert [len(row) for row in explained["importance"]] == [2, 2]
    assert explained["importance"][0][1] == 0
    assert max(map(max, explained["importance"])) == 1
    assert 0 < explained["box"]["left"] + explained["box"]["width"] < 1
    empty = explain(server, "gradcam", encode(Image.new("L", (9, 9), 255)))
    assert (empty.status_code, empty.json()["code"]) == (422, "empty_image")


def test_a_model_that_has_no_map_says_so_and_explains_by_occlusion(serve, registry):
    with serve(tracking_uri=registry, model_name="bukva-fragile") as server:
        server.wait_until_ready()
        refused = explain(server, "gradcam")
        assert (refused.status_code, refused.json()["code"]) == (501, "method_unavailable")
        assert "method=occlusion" in refused.json()["detail"]
        assert explain(server, "occlusion").json()["methods"] == ["occlusion"]


def test_a_way_that_there_is_not_is_a_bad_request(server):
    answer = explain(server, "guessing")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
