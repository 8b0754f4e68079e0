"""The terms of the corpora, and what they mean for a model that was trained on them."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from bukva.errors import TermsError

Text: TypeAlias = Annotated[str, Field(min_length=1)]


class Terms(BaseModel):
    """What a corpus is, whose it is, and whether a model trained on it may be handed on.

    Attributes:
        title: Name and contents in a few words.
        homepage: Where it is published, None for what is drawn here.
        licence: Its licence, or what is known in place of one.
        citation: How its authors want to be, or can be, cited.
        may_release: Whether weights that were trained on it may be published.
        release_reason: Why, or why not, and on which conditions.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    title: Text
    homepage: Annotated[str, Field(pattern=r"^https?://")] | None = None
    licence: Text
    citation: Text
    may_release: bool
    release_reason: Text


EMBEDDED_TERMS: Final[Mapping[str, Terms]] = {
    "strokes": Terms(
        title="The stroke alphabet of bukva, drawn by a program",
        licence="none of others: it is part of this project",
        citation="The stroke alphabet of bukva (src/bukva/tasks/glyph/strokes).",
        may_release=True,
        release_reason="a program of this project draws it",
    ),
    "fonts": Terms(
        title="Letters and digits of handwriting fonts, most of them redrawn with a pen",
        licence="SIL Open Font License 1.1",
        citation=(
            "Amatic SC, Bad Script, Balsamiq Sans, Caveat, Comforter, Comic Relief, Great Vibes, "
            "Marck Script, Neucha, Pacifico, Pangolin, Playpen Sans, Shantell Sans; their authors "
            "stand in the licences in src/bukva/core/fonts."
        ),
        may_release=True,
        release_reason=(
            "the licence asks that fonts made of these carry it, not what is drawn with them"
        ),
    ),
    "digits": Terms(
        title="Optical Recognition of Handwritten Digits, as scikit-learn brings it",
        homepage="https://archive.ics.uci.edu/dataset/80",
        licence="CC BY 4.0",
        citation=(
            "E. Alpaydin, C. Kaynak. Optical Recognition of Handwritten Digits. UCI Machine "
            "Learning Repository, 1998."
        ),
        may_release=True,
        release_reason="the licence allows adaptations, with attribution",
    ),
    "nonsymbols": Terms(
        title="What is no symbol, drawn by a program or cut from sample photographs",
        licence="none of others, but for the photographs: CC BY 2.0",
        citation=(
            "What is no symbol, of bukva (src/bukva/tasks/glyph/nonsymbols). Photographs: "
            "china.jpg by danielbuechele and flower.jpg by vultilion in scikit-learn, Grace "
            "Hopper by the US Navy in matplotlib."
        ),
        may_release=True,
        release_reason="a program of this project draws it; the photographs allow adaptations",
    ),
    "photographs": Terms(
        title="Samples of the other corpora, set on paper and photographed by a program",
        licence="those of the corpora that they show, which are named beside it",
        citation="Photographs by a program of bukva (src/bukva/core/imaging/photographs.py).",
        may_release=True,
        release_reason="the corpora that they show are asked for their terms, too",
    ),
    "own_text": Terms(
        title="Ukrainian and French sentences of bukva, of which lines are made",
        licence="none of others: they are part of this project",
        citation="Sentences of bukva (src/bukva/tasks/line/own_text.py).",
        may_release=True,
        release_reason="they were written for this project",
    ),
    "feedback": Terms(
        title="Drawings that visitors of the page gave, with what they say that they show",
        licence="none: each is kept with the consent of the person who made it",
        citation="Corrections given to this service of bukva.",
        may_release=False,
        release_reason=(
            "those who drew agreed that the drawing is kept on that server and learnt from, not "
            "that what was learnt is published"
        ),
    ),
}
"""Terms of the corpora that need no download; those of the others stand in the manifest."""


def require_releasable(corpora: Iterable[str], terms: Mapping[str, Terms]) -> dict[str, Terms]:
    """Return the terms of the corpora that a model was trained on, by name.

    Args:
        corpora: Names of all of them.
        terms: Of the manifest's corpora and the embedded ones.

    Raises:
        TermsError: If none is named, or any does not allow it or has no terms; lists all of those.
    """
    named = sorted(corpora)
    if not named:
        message = "Expected a model that says what it was trained on, got one that does not."
        raise TermsError(f"{message} Train it again with this version.")
    faults = [f"  {name}: no terms are known" for name in named if name not in terms]
    faults += [
        f"  {name}: {terms[name].release_reason}"
        for name in named
        if name in terms and not terms[name].may_release
    ]
    if faults:
        listing = "\n".join(faults)
        message = f"Expected corpora whose terms let a model be released, got:\n{listing}"
        raise TermsError(f"{message}\nTrain one without them: make run ENV=released.")
    return {name: terms[name] for name in named}
