"""From corpora to the sample table."""

from typing import Annotated

from pydantic import AfterValidator, Field

from bukva.parameters.group import Group, Share


def _none_or_some_for_each_split(count: int) -> int:
    if 0 < count < 3:
        raise ValueError("expected 0, or 3 and more: one at least for each split")
    return count


class EmbeddedParameters(Group):
    """The embedded corpus, which needs no download.

    Attributes:
        samples_per_symbol: Drawings of each of the 76 symbols by the stroke alphabet; 0 for none.
        with_digits: Whether the digits of scikit-learn stand in for MNIST.
        seed: Decides every drawing.
    """

    samples_per_symbol: Annotated[int, Field(ge=0)]
    with_digits: bool
    seed: int


class DataProcessingParameters(Group):
    """From raw corpora to the sample table.

    Attributes:
        max_corrupt_share: More unreadable images of a corpus than this stop the run.
        duplicate_cosine: Likeness (cosine of pixels) from which two images are near duplicates.
        valid_share: Share of what may be trained on that is kept for validation.
        test_share: Share kept for tests where a corpus brings no test set of its own.
        seed: Decides the splits.
        corpora: Corpora that are read beside the embedded ones: those of the manifest that
            globals.yml names, and `feedback`.
        unseen: Corpora that are tested on only, with every sample, whatever weight training gives
            them.
        nonsymbols_per_kind: Pages of each kind that show no symbol, over all splits; 0 for none,
            else three or more.
    """

    max_corrupt_share: Share
    duplicate_cosine: Annotated[float, Field(gt=0.9, le=1.0)]
    valid_share: Annotated[float, Field(gt=0.0, lt=0.5)]
    test_share: Annotated[float, Field(gt=0.0, lt=0.5)]
    seed: int
    corpora: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    nonsymbols_per_kind: Annotated[int, Field(ge=0), AfterValidator(_none_or_some_for_each_split)]
