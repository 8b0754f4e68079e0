import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from bukva.core.corpora.idx import read_mnist
from bukva.core.corpora.sklearn_digits import read_sklearn_digits
from bukva.errors import EmptyImageError, ImageError, SeveralSymbolsError, TooDarkError
from bukva.tasks.glyph.charset import SYMBOLS
from bukva.tasks.glyph.drawing import find_drawing
from bukva.tasks.glyph.font_letters import fonts_with
from bukva.tasks.glyph.preprocessing import PAGE_FEATURES, Preprocessing, preprocess, preprocess_all

FRAME, SYMBOL = 28, 20


def likeness(image, other):
    """Return the highest correlation of two frames over shifts of at most one pixel."""
    shifted = (np.roll(other, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1))
    return max(np.corrcoef(image.ravel(), frame.ravel())[0, 1] for frame in shifted)


def paste(ink, top, left, page_side):
    """Return a white page with ink in it, dark."""
    page = np.full((page_side, page_side), 255, dtype=np.uint8)
    page[top : top + ink.shape[0], left : left + ink.shape[1]] -= ink
    return page


def enlarge(ink, factor=10):
    return np.kron(ink, np.ones((factor, factor), dtype=np.uint8))


def draw_letter(scale=1):
    """Return ink of a sign like Г with a tail, which has no symmetry."""
    ink = np.zeros((60, 40), dtype=np.uint8)
    ink[:, 4:10] = ink[:6, 4:36] = 255
    ink[28:33, 10:24] = 200
    return np.kron(ink, np.ones((scale, scale), dtype=np.uint8))


@pytest.fixture(scope="module")
def digits():
    """Return framed digits of scikit-learn: what MNIST looks like, without a download."""
    return [preprocess(sample.image).image_HW for sample in list(read_sklearn_digits())[:120]]


def check_comes_back(frames):
    rng = np.random.default_rng(1)
    likenesses = []
    for frame in frames:
        top, left = rng.integers(0, 180, 2)
        page = paste(enlarge(frame), top, left, page_side=460)
        likenesses.append(likeness(frame, preprocess(page).image_HW))
    assert np.mean(likenesses) > 0.985
    assert np.min(likenesses) > 0.93


def test_a_digit_enlarged_tenfold_anywhere_on_a_page_comes_back(digits):
    check_comes_back(digits)


@pytest.mark.corpora
def test_a_digit_of_mnist_enlarged_tenfold_anywhere_on_a_page_comes_back(read_corpus):
    samples = itertools.islice(read_mnist(read_corpus("mnist")), 200)
    check_comes_back([sample.image for sample in samples])


@pytest.fixture(params=range(0, 152, 19))
def drawn_page(drawn_pages, request):
    return drawn_pages[request.param].image


def test_a_page_and_its_negative_are_one_symbol(drawn_page):
    positive, negative = preprocess(drawn_page), preprocess(255 - drawn_page)
    assert likeness(positive.image_HW, negative.image_HW) > 0.999
    np.testing.assert_allclose(negative.page_F, positive.page_F, atol=0.01)


def test_paler_ink_on_greyer_paper_is_the_same_symbol(drawn_page):
    pale = (drawn_page * 0.5 + 90).astype(np.uint8)
    assert likeness(preprocess(pale).image_HW, preprocess(drawn_page).image_HW) > 0.99


@given(top=st.integers(1, 139), left=st.integers(1, 159))
def test_the_frame_does_not_depend_on_the_place(top, left):
    here = preprocess(paste(draw_letter(), top, left, page_side=200))
    there = preprocess(paste(draw_letter(), 70, 80, page_side=200))
    np.testing.assert_array_equal(here.image_HW, there.image_HW)
    expected = np.array([60, 32, left + 20, top + 30]) / 200
    np.testing.assert_allclose(here.page_F, expected, atol=0.5 / 200)


@pytest.mark.parametrize("scale", [2, 3, 5, 9])
def test_the_frame_does_not_depend_on_the_size(scale):
    one = preprocess(paste(draw_letter(), 30, 40, page_side=120))
    large = preprocess(paste(draw_letter(scale), 30 * scale, 40 * scale, page_side=120 * scale))
    assert likeness(one.image_HW, large.image_HW) > 0.99
    np.testing.assert_allclose(large.page_F, one.page_F, atol=0.02)


def test_a_small_symbol_is_scaled_up():
    ink = np.asarray(Image.fromarray(draw_letter()).resize((8, 12), Image.Resampling.BOX))
    small = preprocess(paste(ink, 5, 9, page_side=40)).image_HW
    assert likeness(small, preprocess(paste(draw_letter(), 30, 40, 120)).image_HW) > 0.9


def test_a_frame_is_its_own_frame(drawn_page):
    frame = preprocess(drawn_page).image_HW
    again = preprocess(frame)
    assert likeness(frame, again.image_HW) > 0.97
    assert likeness(again.image_HW, preprocess(again.image_HW).image_HW) > 0.97


def test_a_frame_holds_ink_on_zero_around_its_centre_of_mass(drawn_page):
    frame = preprocess(drawn_page).image_HW
    assert frame.shape == (FRAME, FRAME)
    assert frame.dtype == np.uint8
    assert frame.max() == 255
    assert np.median(frame) == 0
    rows, columns = (np.flatnonzero(frame.any(axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (SYMBOL - 1, SYMBOL)
    for axis in (0, 1):
        profile = frame.sum(axis=1 - axis, dtype=np.float64)
        centre = np.average(np.arange(FRAME), weights=profile)
        # Far from the centre only where the symbol would leave the frame.
        at_edge = profile[0] > 0 or profile[-1] > 0
        assert abs(centre - FRAME / 2) <= 0.5 or at_edge


@given(height=st.integers(4, 180), width=st.integers(4, 180))
def test_the_aspect_ratio_is_kept(height, width):
    ink = np.full((height, width), 255, dtype=np.uint8)
    frame = preprocess(paste(ink, 10, 10, page_side=200)).image_HW > 127
    longest = max(height, width)
    assert abs(frame.any(axis=1).sum() - SYMBOL * height / longest) <= 1
    assert abs(frame.any(axis=0).sum() - SYMBOL * width / longest) <= 1


def test_other_constants_give_another_frame():
    page = paste(draw_letter(), 30, 40, page_side=120)
    frame = preprocess(page, constants=Preprocessing(frame_px=40, symbol_px=36)).image_HW
    assert frame.shape == (40, 40)
    assert frame.any(axis=1).sum() == 36


def test_specks_are_dropped_with_their_rims():
    clean = paste(draw_letter(2), 60, 60, page_side=240)
    dirty = clean.copy()
    for row, column in ((10, 10), (230, 20), (15, 225), (120, 200)):
        dirty[row - 1 : row + 4, column - 1 : column + 4] = 225
        dirty[row : row + 3, column : column + 3] = 0
    found, expected = preprocess(dirty), preprocess(clean)
    np.testing.assert_array_equal(found.image_HW, expected.image_HW)
    np.testing.assert_array_equal(found.page_F, expected.page_F)


@pytest.mark.parametrize("pen_px", [2, 3, 5, 8])
@pytest.mark.parametrize("dots", [(48,), (40, 56)], ids=["і й", "ї"])
def test_the_dots_of_letters_stay(pen_px, dots):
    page = np.full((120, 100), 255, dtype=np.uint8)
    page[50:100, 48 : 48 + pen_px] = 0
    for column in dots:
        page[34 : 34 + pen_px, column : column + pen_px] = 0
    with_dots = preprocess(page)
    # The box reaches from the top of the dots to the foot of the stem.
    assert with_dots.page_F[0] == pytest.approx(66 / 120)
    assert (with_dots.image_HW[:7] > 60).any()


@pytest.mark.parametrize("turn", [0, 1])
def test_a_bar_from_edge_to_edge_is_no_part_of_the_symbol(turn):
    page = np.rot90(paste(draw_letter(), 70, 60, page_side=200), turn).copy()
    alone = preprocess(page)
    barred = page.copy()
    if turn:
        barred[164:176, 1:199] = 0
    else:
        barred[:199, 164:176] = 0
    found = preprocess(barred)
    assert likeness(found.image_HW, alone.image_HW) > 0.98
    np.testing.assert_allclose(found.page_F, alone.page_F, atol=2 / 200)


@pytest.mark.parametrize(("thickness", "arm_top"), [(30, 70), (12, 2)])
def test_a_thick_stroke_or_one_beside_ink_at_the_same_edge_is_kept(thickness, arm_top):
    page = paste(draw_letter(), arm_top, 60, page_side=200)
    barred = page.copy()
    barred[:, 150 : 150 + thickness] = 0
    assert not np.array_equal(preprocess(barred).image_HW, preprocess(page).image_HW)


def test_a_lone_bar_is_a_symbol():
    page = np.full((200, 200), 255, dtype=np.uint8)
    page[:, 100:108] = 0
    assert preprocess(page).image_HW.any()


def test_a_symbol_of_many_dots_is_no_speck():
    page = np.full((120, 120), 255, dtype=np.uint8)
    page[30:90:5, 20:100:5] = page[31:90:5, 20:100:5] = 0
    found = preprocess(page)
    assert found.page_F[0] == pytest.approx(57 / 120)
    assert found.image_HW.any()


@pytest.mark.parametrize(("page_height", "page_width"), [(200, 200), (100, 400), (400, 100)])
def test_page_features_are_shares_of_the_longer_side(page_height, page_width):
    page = np.full((page_height, page_width), 255, dtype=np.uint8)
    page[20:60, 30:50] = 0
    side = max(page_height, page_width)
    expected = np.array([40, 20, 40, 40]) / side
    features = preprocess(page).page_F
    assert features.dtype == np.float32
    assert len(features) == len(PAGE_FEATURES)
    np.testing.assert_allclose(features, expected, atol=2 / 200)


@pytest.mark.parametrize("polarity", [0, 255])
@pytest.mark.parametrize("with_right_stem", [False, True], ids=["Г", "П"])
def test_ink_along_the_edges_of_a_crop_is_ink(polarity, with_right_stem):
    ink = draw_letter()[:, 4:36].copy()
    ink[:, 26:] = 255 if with_right_stem else ink[:, 26:]
    whole = preprocess(paste(ink, 30, 40, page_side=120))
    crop = preprocess((255 - ink) ^ polarity)
    assert likeness(crop.image_HW, whole.image_HW) > 0.98


@pytest.mark.parametrize(("margin", "most_wrong"), [(0, 0.06), (1, 0.03), (3, 0)])
def test_a_letter_cut_tight_by_bold_or_thin_pen_is_the_letter(drawn_pages, margin, most_wrong):
    """Never but for a few that lie half a pixel apart in the frame."""
    likenesses = []
    for page in drawn_pages:
        is_ink = page.image < 200
        rows, columns = (np.flatnonzero(is_ink.any(axis)) for axis in (1, 0))
        crop = page.image[
            max(0, rows[0] - margin) : rows[-1] + 1 + margin,
            max(0, columns[0] - margin) : columns[-1] + 1 + margin,
        ]
        expected = preprocess(page.image).image_HW
        likenesses.append(likeness(preprocess(crop).image_HW, expected))
    assert np.mean(np.array(likenesses) < 0.85) <= most_wrong
    assert np.mean(likenesses) > 0.97


def test_a_small_symbol_with_soft_rims_up_to_the_edges_is_a_drawing(drawn_pages):
    """As data sets hold them: to take it for a photograph costs fifty times as much."""
    is_drawing, likenesses = [], []
    for page in drawn_pages:
        expected = preprocess(page.image).image_HW
        symbol = Image.fromarray(expected)
        symbol = ImageOps.contain(symbol.crop(symbol.getbbox()), (28, 28))
        array = np.asarray(ImageOps.pad(symbol, (28, 28)))
        is_drawing.append(find_drawing(array, Preprocessing()) is not None)
        likenesses.append(likeness(preprocess(array).image_HW, expected))
    assert np.mean(is_drawing) > 0.9
    assert np.mean(likenesses) > 0.97


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_bold_symbol_in_white_on_black_is_no_sheet_of_paper(symbol):
    """As MNIST and EMNIST have them: small, blurred, strokes of a fifth of the symbol."""
    font = fonts_with(symbol)[0].open_for(symbol, 120)
    page = Image.new("L", (280, 280), 0)
    draw = ImageDraw.Draw(page)
    draw.text((140, 140), symbol, 255, font, anchor="mm", stroke_width=5)
    small = np.asarray(page.crop(page.getbbox()).resize((18, 20), Image.Resampling.BOX))
    framed = np.pad(small, ((4, 4), (5, 5)))
    np.testing.assert_array_equal(preprocess(framed).image_HW, preprocess(255 - framed).image_HW)


def test_a_crop_has_no_page():
    assert np.isnan(preprocess(255 - draw_letter()[:, 4:36]).page_F).all()
    framed = np.pad(255 - draw_letter(2)[:, 8:72], 1, constant_values=255)
    assert np.isnan(preprocess(framed).page_F).all()


def test_a_corpus_that_cut_its_images_has_no_page(drawn_page):
    found = preprocess(drawn_page, has_page=False)
    assert np.isnan(found.page_F).all()
    np.testing.assert_array_equal(found.image_HW, preprocess(drawn_page).image_HW)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (50, 50), (2000, 1999)])
@pytest.mark.parametrize(("grey", "error"), [(0, TooDarkError), (128, EmptyImageError),
                                             (255, EmptyImageError)])  # fmt: skip
def test_an_even_image_is_empty(shape, grey, error):
    with pytest.raises(error, match="Expected"):
        preprocess(np.full(shape, grey, dtype=np.uint8))


def test_ink_hardly_darker_than_paper_is_none():
    page = paste(draw_letter() // 255 * 11, 30, 40, page_side=120)
    with pytest.raises(EmptyImageError, match="the image is empty"):
        preprocess(page)
    assert preprocess(paste(draw_letter() // 255 * 24, 30, 40, 120)).image_HW.max() == 255


@settings(deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.02, 0.1, 0.5, 1.0]),
)
def test_any_pixels_are_framed_or_empty(height, width, seed, share):
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (height, width), dtype=np.uint8)
    page = np.where(rng.random((height, width)) < share, noise, 255).astype(np.uint8)
    try:
        found = preprocess(page)
    except (EmptyImageError, SeveralSymbolsError, TooDarkError):
        return
    assert found.image_HW.max() == 255
    known = found.page_F[~np.isnan(found.page_F)]
    assert len(known) in (0, 4)
    assert (known > 0).all()
    assert (known <= 1).all()


def test_the_image_given_is_left_as_it_was(drawn_page):
    before = drawn_page.copy()
    preprocess(drawn_page)
    np.testing.assert_array_equal(drawn_page, before)


def framed_alone(page):
    try:
        return preprocess(page)
    except ImageError as error:
        return error


def check_as_alone(pages):
    for page, found in zip(pages, preprocess_all(pages), strict=True):
        expected = framed_alone(page)
        assert type(found) is type(expected)
        if isinstance(found, ImageError):
            assert str(found) == str(expected)
            continue
        np.testing.assert_array_equal(found.image_HW, expected.image_HW)
        np.testing.assert_array_equal(found.page_F, expected.page_F)
        assert found.frame_box == expected.frame_box


def test_many_images_are_framed_as_each_alone(drawn_pages, digits):
    """Of any size and polarity, with and without specks, some of them empty."""
    rng = np.random.default_rng(2)
    specked = [np.where(rng.random(digit.shape) < 0.01, 255, digit) for digit in digits]
    pages = [page.image for page in drawn_pages[::9]]
    even = [np.full(shape, 90, dtype=np.uint8) for shape in ((28, 28), (7, 900))]
    mixed = [*digits, *(255 - digit for digit in digits), *specked, *pages, *even]
    check_as_alone([mixed[place] for place in rng.permutation(len(mixed))])


def test_pieces_of_neighbours_are_not_taken_for_one():
    """Ink at the same place of image after image, between one with three pieces and one empty."""
    page = paste(draw_letter(), 2, 2, page_side=64)
    dotted = page.copy()
    dotted[40:45, 50:54] = dotted[50:56, 20:26] = 0
    check_as_alone([page, dotted, page, np.full_like(page, 255), dotted, 255 - page])


def test_no_images_give_no_symbols():
    assert preprocess_all([]) == []
