"""What the task can be told."""

from typing import Annotated, Literal

from pydantic import Field

from bukva.core.parameters import Count, Group, Share

CharsetName = Literal["ukrainian", "french", "union"]
Language = Literal["uk", "fr"]
Range = tuple[float, float]


def _both_languages() -> dict[Language, float]:
    return {"uk": 0.5, "fr": 0.5}


class SynthesisParameters(Group):
    """How lines are made: what they say, in which hand, and what happens to them on the way.

    Attributes:
        charset: What they say holds these characters only.
        languages: How often each is drawn, relative to the others.
        max_length: Of a line, in characters; sentences that are longer are cut between words.
        words: Share of the lines that are words in no order, numbers, dates, names of streets.
        capitals: Share of the lines that are all capitals.
        empty: Share of the lines that say nothing: paper, rules, smudges.
        characters: Share of the lines that are set in characters of a corpus, where one is given;
            the others are set in fonts.
        overlap: By which share of their width characters of a corpus overlap, at least and at most.
        neighbours: Share of the lines that show ends of the lines above and below.
        rules: Share of the lines in which rules or squares of the paper are left.
        photographed: Share of the lines that are written on simulated paper, photographed and
            framed, which takes ten times as long; long lines are not.
        coarseness: By how much resolution is lowered, at most.
        strength: Of everything that bends, wears and soils a line; 0 leaves it as it was set.
    """

    charset: CharsetName = "union"
    languages: dict[Language, Share] = Field(default_factory=_both_languages)
    max_length: Annotated[int, Field(ge=8, le=160)] = 72
    words: Share = 0.2
    capitals: Share = 0.04
    empty: Share = 0.03
    characters: Share = 0.15
    overlap: Range = (0.0, 0.3)
    neighbours: Share = 0.15
    rules: Share = 0.18
    photographed: Share = 0.03
    coarseness: Annotated[float, Field(ge=1, le=4)] = 2.2
    strength: Share = 1.0


class SyntheticCounts(Group):
    """How many made lines stand in the sample table; those that are learnt from are made anew.

    Attributes:
        train: To learn from, the same in each epoch.
        valid: To choose by: sentences of their own, fonts of the training.
        test: Fonts and sentences that are never learnt from.
    """

    train: Annotated[int, Field(ge=0)] = 400
    valid: Annotated[int, Field(ge=0)] = 150
    test: Annotated[int, Field(ge=0)] = 300


class DataParameters(Group):
    """What `line.data_processing` reads, and how it deals it out.

    Attributes:
        corpora: Names in `corpora.yml`: of lines, of characters and of texts; none means lines set
            in fonts alone, of the sentences that the project brings.
        subset_fraction: Of the groups of each corpus of lines, for quick runs.
        left_out: Collections of one hand that nothing is trained, chosen or tested by, so that a
            model can be adapted to it; their split is `adaptation`.
        taught: Collections that are learnt from as a whole: one hand, cells of tables.
        valid_share: Of the groups.
        test_share: Of the groups.
        synthesis: How lines are made.
        font_lines: Set in fonts, how many.
        character_lines: Set in characters of corpora, how many, where there are such corpora.
        characters_per_symbol: Of each corpus of characters and each split, at most.
        seed: Decides splits and made lines.
    """

    corpora: tuple[str, ...] = ()
    subset_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    left_out: tuple[str, ...] = ("peraire",)
    taught: tuple[str, ...] = ("celestine", "lectaurep-repertoires")
    valid_share: Share = 0.1
    test_share: Share = 0.15
    synthesis: SynthesisParameters = SynthesisParameters()
    font_lines: SyntheticCounts = SyntheticCounts()
    character_lines: SyntheticCounts = SyntheticCounts(train=0, valid=60, test=200)
    characters_per_symbol: Count = 250
    seed: int = 1
