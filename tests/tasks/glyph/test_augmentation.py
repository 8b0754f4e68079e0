import numpy as np
import pytest
import torch

from bukva.tasks.glyph.augmentation import augment_images, augment_page, lend_page
from bukva.tasks.glyph.parameters import AugmentationParameters

USUAL = AugmentationParameters()
NONE = AugmentationParameters.model_validate(
    dict.fromkeys(AugmentationParameters.model_fields, 0) | {"elastic_nodes": 5}
)
RANGES = [name for name in AugmentationParameters.model_fields if name != "elastic_nodes"]
OF_PAGES = [name for name in RANGES if name.startswith("page_") and name != "page_lending"]
OF_IMAGES = [name for name in RANGES if not name.startswith("page_")]


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def images(drawn_samples):
    return torch.from_numpy(drawn_samples.images_NHW).unsqueeze(1).float() / 255


@pytest.fixture(scope="module")
def pages(drawn_samples):
    return torch.from_numpy(drawn_samples.page_NF)


def only(name):
    """Return parameters where one range alone is at its usual width."""
    return NONE.model_copy(update={name: getattr(USUAL, name)})


def test_one_seed_gives_one_variation(images, pages):
    for augment, values in ((augment_images, images), (augment_page, pages)):
        first, again = (augment(values, USUAL, generator(3)) for _ in range(2))
        other = augment(values, USUAL, generator(4))
        torch.testing.assert_close(first, again, rtol=0, atol=0, equal_nan=True)
        assert not torch.equal(first, other)


def test_torchs_own_generator_is_left_alone(images, pages):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    augment_images(images, USUAL, generator())
    augment_page(pages, USUAL, generator())
    assert torch.equal(torch.get_rng_state(), before)


def test_zero_ranges_leave_everything_as_it_is(images, pages):
    torch.testing.assert_close(augment_images(images, NONE, generator()), images, rtol=0, atol=1e-5)
    torch.testing.assert_close(augment_page(pages, NONE, generator()), pages, rtol=0, atol=0)


@pytest.mark.parametrize("name", OF_IMAGES)
def test_each_range_varies_the_image(images, name):
    varied = augment_images(images, only(name), generator())
    changed = (varied - images).abs().amax((1, 2, 3)) > 0.01
    assert changed.float().mean() > 0.9


@pytest.mark.parametrize("name", OF_PAGES)
def test_each_range_varies_the_page(pages, name):
    varied = augment_page(pages, only(name), generator())
    assert not torch.equal(varied, pages)


def test_images_of_a_batch_are_varied_apart(images):
    varied = augment_images(images[:1].expand(8, -1, -1, -1), USUAL, generator())
    assert len({frame.numpy().tobytes() for frame in varied}) == 8


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("side", [28, 33])
def test_a_batch_of_any_size_keeps_its_shape(count, side):
    images = torch.rand((count, 1, side, side), generator=generator())
    assert augment_images(images, USUAL, generator()).shape == images.shape
    pages = torch.rand((count, 4), generator=generator())
    assert augment_page(pages, USUAL, generator()).shape == pages.shape


@pytest.mark.parametrize("seed", range(3))
def test_ink_stays_between_nothing_and_all(images, seed):
    widest = AugmentationParameters(
        rotation_deg=45, scale=0.49, slant=1, shift=1, elastic_strength=0.5, pen_width=1,
        ink_softness=1, ink_gamma=2,
    )  # fmt: skip
    varied = augment_images(images, widest, generator(seed))
    assert torch.isfinite(varied).all()
    assert varied.min() >= 0
    assert varied.max() <= 1


def test_the_usual_variation_keeps_the_symbol(images):
    varied = augment_images(images, USUAL, generator())
    ink = varied.sum((1, 2, 3)) / images.sum((1, 2, 3))
    assert 0.7 < ink.mean() < 1.5
    # A thin pen and hard edges together must not wipe a symbol out.
    assert ink.min() > 0.1
    # Ink lies where ink lay, much more than elsewhere.
    assert (varied * images).sum() > 3 * (varied * images.roll(14, dims=3)).sum()


def test_a_shift_moves_the_centre_as_far_as_asked(images):
    varied = augment_images(images, NONE.model_copy(update={"shift": 0.2}), generator())
    columns = torch.arange(28.0)
    centres = [(x.sum((1, 2)) * columns).sum(1) / x.sum((1, 2, 3)) for x in (images, varied)]
    moved = (centres[1] - centres[0]).abs()
    assert 1.5 < moved.max() <= 0.2 * 14 + 0.3


def test_thicker_pens_and_thinner_ones_are_equally_frequent(images):
    varied = augment_images(images, only("pen_width"), generator())
    is_thicker = varied.sum((1, 2, 3)) > images.sum((1, 2, 3))
    assert 0.35 < is_thicker.float().mean() < 0.65


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_size_and_place_are_forgotten_at_the_asked_share(share):
    pages = torch.full((20_000, 4), 0.5)
    forgotten = torch.isnan(augment_page(pages, USUAL.model_copy(update={"page_dropout": share}),
                                         generator()))  # fmt: skip
    size, place = forgotten[:, 0], forgotten[:, 2]
    assert torch.equal(size, forgotten[:, 1])
    assert torch.equal(place, forgotten[:, 3])
    for which in (size, place):
        assert which.float().mean().item() == pytest.approx(share, abs=0.015)
    assert (size & place).float().mean().item() == pytest.approx(share**2, abs=0.015)


def test_an_unknown_page_stays_unknown(pages):
    varied = augment_page(torch.full_like(pages, np.nan), only("page_scale"), generator())
    assert torch.isnan(varied).all()


def test_height_and_width_are_scaled_together(pages):
    varied = augment_page(pages, only("page_scale"), generator())
    ratio = varied / pages
    torch.testing.assert_close(ratio[:, 0], ratio[:, 1], rtol=1e-5, atol=0)
    assert (ratio[:, 0] - 1).abs().max() <= USUAL.page_scale + 1e-6
    torch.testing.assert_close(varied[:, 2:], pages[:, 2:], rtol=0, atol=0)


def test_a_symbol_without_a_page_gets_one_of_its_batch_at_the_asked_share():
    pages = torch.rand((4000, 4), generator=generator())
    pages[:2000] = np.nan
    may_borrow = torch.arange(4000) % 2 == 0
    lent = lend_page(pages, may_borrow, 0.4, generator())
    assert torch.equal(lent[2000:], pages[2000:])
    assert torch.isnan(lent[:2000][~may_borrow[:2000]]).all()
    borrowers = lent[:2000][may_borrow[:2000]]
    got = ~torch.isnan(borrowers).any(dim=1)
    assert got.float().mean().item() == pytest.approx(0.4, abs=0.05)
    own = {tuple(row) for row in pages[2000:].tolist()}
    assert all(tuple(row) in own for row in borrowers[got].tolist())


def test_where_no_page_is_known_none_is_lent():
    pages = torch.full((5, 4), np.nan)
    assert torch.isnan(lend_page(pages, torch.ones(5, dtype=torch.bool), 1.0, generator())).all()
