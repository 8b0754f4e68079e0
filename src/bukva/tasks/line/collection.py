"""From lines of corpora, and made ones, to a table and what the network takes of each.

No line is dropped silently: the report counts what is not learnt from, and why. From the tests
nothing is taken because it is hard: only what no text tells rightly.

Shapes: N lines, H x W pixels, W of the widest.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from bukva.core.arrays import UInt8Array
from bukva.core.corrections import FEEDBACK
from bukva.core.imaging.decoding import decode_image
from bukva.core.samples import LazyCorpora, RawSample, Split
from bukva.core.scratch import Scratch
from bukva.core.splits import assign_splits
from bukva.errors import CorpusCorruptError, ImageError
from bukva.tasks.line.characters import Characters
from bukva.tasks.line.charset import CHARSETS, Charset, least_timesteps, normalise
from bukva.tasks.line.font_lines import FONTS
from bukva.tasks.line.framing import HEIGHT, STRIDE, FramedLine, frame_line
from bukva.tasks.line.line_maker import LineMaker
from bukva.tasks.line.parameters import DataParameters, SyntheticCounts
from bukva.tasks.line.sentences import COLUMNS as TEXT_COLUMNS
from bukva.tasks.line.sentences import own_texts
from bukva.tasks.line.transcription import is_prose, transcribe

LINE_CORPORA: Final = ("testaments", "french_hands", "print_and_hand", FEEDBACK)
TEXT_CORPORA: Final = ("ukrainian_text",)
ADAPTATION: Final = "adaptation"
"""The split of hands that a model can be adapted to, and is measured on before and after."""

_COLUMNS: Final = (
    "sample_id", "corpus", "collection", "label", "group", "page", "text", "use", "width_px",
    "height_px",
)  # fmt: skip
_HANDWRITTEN: Final = "handwritten"
_MOST_UNREADABLE: Final = 0.05
_VALID_TEXTS: Final = 0.05
_SPLITS: Final[tuple[Split, ...]] = ("train", "valid", "test")

_logger = logging.getLogger(__name__)
Report = dict[str, Any]


class Collected(NamedTuple):
    """What data processing makes.

    Attributes:
        table: One row a line: `sample_id`, `corpus`, `collection`, `label` (always `line`),
            `group`, `page`, `text`, `width_px` of the ink, `height_px` of the writing on
            the picture (NaN of made lines), `split`, `is_uppercase` (None).
        images_NHW: Row-aligned with it, zeros to the right of each line.
        texts: Sentences by language and split, of which lines are made.
        report: What was found and left out, by collection.
    """

    table: pd.DataFrame
    images_NHW: UInt8Array
    texts: pd.DataFrame
    report: Report


def collect(corpora: LazyCorpora, characters: Characters, parameters: DataParameters) -> Collected:
    """Return the lines of corpora and made ones, dealt out to splits.

    A will, a writer or a folder never crosses a split; nor does a font, a character or a sentence.

    Raises:
        CorpusCorruptError: If more than 5 % of the lines of a corpus cannot be read.
    """
    charset = CHARSETS[parameters.synthesis.charset]
    table, lines, report = _collect_real(corpora, parameters)
    table["split"] = _deal(table, parameters, charset, report)
    texts = collect_texts(corpora, table, parameters)
    made, made_lines = _make(texts, characters, parameters)
    joined = pd.concat([table, made], ignore_index=True).drop(columns="use")
    report["lines"] = _count(joined["collection"] + "/" + joined["split"])
    report["texts"] = _count(texts["corpus"] + "/" + texts["split"])
    _logger.info("line: %s", report["lines"])
    return Collected(joined.assign(is_uppercase=None), stack(lines + made_lines), texts, report)


def _collect_real(
    corpora: LazyCorpora, parameters: DataParameters
) -> tuple[pd.DataFrame, list[UInt8Array], Report]:
    """Return the lines of corpora, framed; those whose text is not what is written are left out."""
    rows: list[tuple[Any, ...]] = []
    lines: list[UInt8Array] = []
    marks: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for corpus, sample in _read(corpora, parameters):
        collection = sample.collection or corpus
        said = transcribe(sample.text or "", collection)
        marks.update(f"{collection}/{mark}" for mark in said.marks)
        if said.use == "none":
            lost[f"{collection}/text is not what is written"] += 1
            continue
        framed = _frame_or_none(sample)
        if framed is None:
            lost[f"{collection}/unreadable image"] += 1
            continue
        told = ("line", f"{collection}/{sample.group}", sample.page, said.text, said.use)
        name = f"{corpus}/{sample.name}"
        sizes = framed.ink_hw.shape[1], round(framed.height_px, 1)
        rows.append((name, corpus, collection, *told, *sizes))
        lines.append(framed.ink_hw)
    unreadable = sum(count for key, count in lost.items() if key.endswith("unreadable image"))
    if unreadable > _MOST_UNREADABLE * max(1, len(rows)):
        raise CorpusCorruptError(
            f"Expected at most {_MOST_UNREADABLE:.0%} of the lines unreadable, got {unreadable} of "
            f"{len(rows) + unreadable}: fetch the corpora again (make corpora)."
        )
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    return table, lines, {"marks": dict(marks), "left_out": dict(lost)}


def _read(corpora: LazyCorpora, parameters: DataParameters) -> Iterator[tuple[str, RawSample]]:
    """Yield corpus and line; of a share of the groups, where not all are asked for."""
    for corpus, read in corpora.items():
        if corpus not in LINE_CORPORA:
            continue
        samples = [sample for sample in read() if sample.label == _HANDWRITTEN]
        if parameters.subset_fraction < 1:
            samples = _choose_groups(samples, corpus, parameters)
        for sample in tqdm(samples, desc=f"reading {corpus}", unit="line", mininterval=0.5):
            yield corpus, sample


def _choose_groups(
    samples: list[RawSample], corpus: str, parameters: DataParameters
) -> list[RawSample]:
    rng = np.random.default_rng([parameters.seed, *corpus.encode()])
    groups = sorted({str(sample.group) for sample in samples})
    count = max(4, round(parameters.subset_fraction * len(groups)))
    kept = set(rng.permutation(groups)[:count].tolist())
    return [sample for sample in samples if str(sample.group) in kept]


def _frame_or_none(sample: RawSample) -> FramedLine | None:
    """Return a line in the frame, nothing wide where it shows none; None where it is broken."""
    try:
        image = sample.image
        pixels = decode_image(image) if isinstance(image, bytes) else image
        return frame_line(pixels)
    except ImageError as error:
        _logger.debug("%s is left out: %s", sample.name, error)
        return None


def _deal(
    table: pd.DataFrame, parameters: DataParameters, charset: Charset, report: Report
) -> pd.Series:
    """Return the split of each line; `drop` for what cannot be learnt from, which is counted."""
    facts = table.assign(
        label=table["collection"], is_uppercase=None, is_published=False, own_split=None,
        cluster=np.arange(len(table), dtype=np.int64),
    )  # fmt: skip
    split = pd.Series("train", index=table.index, dtype=object)
    undealt = [*parameters.left_out, *parameters.taught, FEEDBACK]
    is_dealt = ~table["collection"].isin(undealt)
    if is_dealt.any():
        dealt = facts[is_dealt]
        split[is_dealt] = assign_splits(
            dealt, {str(corpus): "grouped" for corpus in dealt["corpus"].unique()},
            valid_share=parameters.valid_share, test_share=parameters.test_share,
            seed=parameters.seed,
        )  # fmt: skip
    split[table["collection"].isin(parameters.left_out)] = ADAPTATION
    if len(table):
        reasons = table.apply(lambda row: _why_not_learnt(row, charset), axis=1)
        dropped = split.isin(["train", "valid"]) & reasons.ne("")
        report["left_out"] |= _count(table["collection"][dropped] + "/" + reasons[dropped])
        split[dropped] = "drop"
    unknown = charset.find_unknown(table["text"])
    if unknown:
        told = ", ".join(f"{each} ({count})" for each, count in unknown.most_common())
        _logger.warning("Outside the charset, so that lines with it are not learnt: %s.", told)
    report["unknown_characters"] = dict(unknown)
    return split


def _why_not_learnt(row: pd.Series, charset: Charset) -> str:
    if row["use"] == "test":
        return "text is incomplete"
    if charset.find_unknown([row["text"]]):
        return "characters outside the charset"
    if not row["text"]:
        return "no text"
    if row["width_px"] == 0:
        return "no ink"
    if row["width_px"] // STRIDE < least_timesteps(charset.encode(row["text"])):
        return "too narrow for its text"
    return ""


def _count(names: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in names.value_counts().sort_index().items()}


def collect_texts(
    corpora: LazyCorpora, table: pd.DataFrame, parameters: DataParameters
) -> pd.DataFrame:
    """Return the sentences of corpora, and of the lines themselves, each in its split.

    The project's own stand in for a language that no corpus has.
    """
    parts = [_read_texts(name, corpora) for name in corpora if name in TEXT_CORPORA]
    is_used = table["split"].isin(_SPLITS) & table["text"].map(is_prose).astype(bool)
    # Of a correction nobody says in which language it is.
    lines = table[is_used & table["use"].eq("all") & table["corpus"].ne(FEEDBACK)]
    parts.append(lines[["text", "corpus", "split"]].assign(language="fr")[list(TEXT_COLUMNS)])
    own = own_texts()
    found = pd.concat([part for part in parts if len(part)] or [own], ignore_index=True)
    for language in parameters.synthesis.languages:
        for split in _SPLITS:
            has_any = (found["language"].eq(language) & found["split"].eq(split)).any()
            if not has_any:
                is_wanted = own["language"].eq(language) & own["split"].eq(split)
                found = pd.concat([found, own[is_wanted]], ignore_index=True)
    return found[list(TEXT_COLUMNS)]


def _read_texts(corpus: str, corpora: LazyCorpora) -> pd.DataFrame:
    """Return the sentences of a corpus; the last of those to learn from are to choose by."""
    rows = [
        (normalise(sample.text or ""), sample.label, corpus, sample.split or "train")
        for sample in corpora[corpus]()
    ]
    texts = pd.DataFrame(rows, columns=list(TEXT_COLUMNS))
    train = texts.index[texts["split"].eq("train")]
    held = train[len(train) - round(_VALID_TEXTS * len(train)) :]
    texts.loc[held, "split"] = "valid"
    return texts


def _make(
    texts: pd.DataFrame, characters: Characters, parameters: DataParameters
) -> tuple[pd.DataFrame, list[UInt8Array]]:
    """Return made lines for each split: set in fonts, and in characters where there are some."""
    rows: list[tuple[Any, ...]] = []
    lines: list[UInt8Array] = []
    kinds: list[tuple[SyntheticCounts, float]] = [(parameters.font_lines, 0.0)]
    if len(characters.table):
        kinds.append((parameters.character_lines, 1.0))
    for counts, share in kinds:
        for split in _SPLITS:
            count = getattr(counts, split)
            synthesis = parameters.synthesis.model_copy(update={"characters": share, "empty": 0.0})
            maker = LineMaker(synthesis, texts, characters if share else None, split)
            rng = np.random.default_rng((parameters.seed, int(share), _SPLITS.index(split)))
            drawn = zip(*maker.draw_named(count, rng), strict=True)
            for number, (ink_HW, text, name) in enumerate(drawn):
                corpus = name.partition("/")[0]
                kind = f"{corpus}_lines" if share else FONTS
                told = (f"{kind}/{split}-{number:05d}", corpus, kind, "line", name, None, text)
                rows.append((*told, "all", ink_HW.shape[1], np.nan, split))
                lines.append(ink_HW)
    return pd.DataFrame(rows, columns=[*_COLUMNS, "split"]), lines


def stack(lines: list[UInt8Array]) -> UInt8Array:
    """Return lines as one array `(N, H, W)`, zeros to the right of each."""
    widest = max((line_HW.shape[1] for line_HW in lines), default=STRIDE)
    scratch = Scratch((HEIGHT, max(widest, STRIDE)))
    for line_HW in lines:
        scratch.append(np.pad(line_HW, ((0, 0), (0, max(widest, STRIDE) - line_HW.shape[1]))))
    images_NHW: UInt8Array = scratch.to_array()
    return images_NHW
