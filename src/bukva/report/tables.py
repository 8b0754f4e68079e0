"""The tables of the page, from what the pipelines wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pandas as pd

from bukva.evaluation.figures.style import corpus_title
from bukva.evaluation.markdown import format_share
from bukva.release.card import scopes_of

MEASURES: Final = {
    "label": "label_accuracy",
    "letters": "letters.label_accuracy",
    "case": "letters.case_accuracy",
    "both": "letters.joint_accuracy",
}
_MISREAD_PAIRS: Final = 25
_SUSPECTS: Final = 25


class Cell(NamedTuple):
    """A cell: its text, and the number to sort by where it is one."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        title: What it holds.
        caption: How to read it.
        head: Names of the columns.
        rows: As many cells each; the first names the row.
        is_sortable: Whether a reader may put the rows in another order.
    """

    title: str
    caption: str
    head: tuple[str, ...]
    rows: list[list[Cell]]
    is_sortable: bool = False


def tabulate_accuracies(results: Mapping[str, Any]) -> Table:
    """Return the accuracies of each set of test samples, and those of the digit network."""
    rows = [
        [Cell(_name_scope(scope, results)), _count(results[f"{scope}.label_accuracy.n"])]
        + [_share(results, f"{scope}.{measure}") for measure in MEASURES.values()]
        for scope in scopes_of(dict(results))
    ]
    for key in sorted(results):
        if key.endswith(".accuracy"):
            name = f"{corpus_title(key.removesuffix('.accuracy'))} (digit network)"
            empty = [Cell("")] * (len(MEASURES) - 1)
            rows.append([Cell(name), _count(results[f"{key}.n"]), _share(results, key), *empty])
    return Table(
        "Accuracy",
        "Per cent of the test samples, [95 % interval]. Label: which letter or digit. Letters: the "
        "same, of letters alone. Case: upper or lower, of letters whose case is known. Both: label "
        "and case. Unseen: nothing of that corpus was trained on.",
        ("test samples", "n", *MEASURES),
        rows,
    )


def tabulate_refusals(results: Mapping[str, Any]) -> Table | None:
    """Return what is refused, by kind; None where that was not measured."""
    keys = [key for key in results if key.startswith("refusal.") and key.endswith(".refused")]
    if not keys:
        return None
    kept = format_share(results, "refusal.kept", 1)
    rows = [[Cell(key.split(".")[1]), _share(results, key)] for key in keys]
    caption = f"Per cent [95 % interval], where {kept} of the real test symbols are kept."
    return Table("What shows no symbol is refused", caption, ("kind", "refused"), rows)


def tabulate_splits(report: Mapping[str, Any]) -> Table:
    """Return how many samples each corpus has in each split."""
    splits = ("train", "valid", "test")
    rows = [
        [Cell(corpus_title(corpus)), *(_count(sizes.get(split, 0)) for split in splits)]
        for corpus, sizes in report["samples"].items()
    ]
    duplicates, rejected = report["duplicates"], len(report["rejected"])
    caption = (
        f"{duplicates.get('dropped', 0):,} samples were dropped as copies of others that would "
        f"stand on both sides of a split; {rejected:,} images could not be read."
    )
    return Table("Samples", caption, ("corpus", *splits), rows)


def tabulate_classes(classes: pd.DataFrame) -> Table:
    """Return precision, recall, F1 and case accuracy of each label."""
    shares = ("precision", "recall", "f1", "case_accuracy")
    rows = [
        [Cell(str(row["label"])), _count(row["support"]), *(_percent(row[name]) for name in shares)]
        for row in classes.to_dict(orient="records")
    ]
    return Table(
        "Each label",
        "Per cent, but for the number of test samples. Recall: how many of those written are read "
        "as it. Precision: how many of those read as it were written as it.",
        ("label", "n", "precision", "recall", "F1", "case"),
        rows,
        is_sortable=True,
    )


def tabulate_misread_pairs(pairs: pd.DataFrame) -> Table:
    """Return the most frequent confusions."""
    rows = [
        [Cell(str(row["label"])), Cell(str(row["predicted_label"])), _count(row["count"]),
         _percent(row["share"])]
        for row in pairs.head(_MISREAD_PAIRS).to_dict(orient="records")
    ]  # fmt: skip
    caption = f"The {len(rows)} most frequent of {len(pairs):,}; the share is of what was written."
    head = ("written", "read", "samples", "share, %")
    return Table("Misread pairs", caption, head, rows, is_sortable=True)


def tabulate_suspects(suspects: pd.DataFrame) -> Table:
    """Return the samples whose label the network believes least."""
    rows = [
        [Cell(str(row["sample_id"])), Cell(str(row["label"])), Cell(str(row["suggested_label"])),
         _percent(row["suggested_probability"])]
        for row in suspects.head(_SUSPECTS).to_dict(orient="records")
    ]  # fmt: skip
    caption = (
        f"The first {len(rows)} of {len(suspects):,} test samples: a wrong label, a bad drawing or "
        "a good drawing badly read, which a person has to say."
    )
    head = ("sample", "label", "suggested", "probability, %")
    return Table("Labels that the network does not believe", caption, head, rows)


def tabulate_facts(title: str, facts: Mapping[str, object]) -> Table:
    """Return names and values."""
    rows = [[Cell(name), Cell(str(value))] for name, value in facts.items()]
    return Table(title, "", ("name", "value"), rows)


def _name_scope(scope: str, results: Mapping[str, Any]) -> str:
    is_unseen = scope not in ("all", "published", *results["model.corpora"])
    return f"{corpus_title(scope)} (unseen)" if is_unseen else corpus_title(scope)


def _share(results: Mapping[str, Any], key: str) -> Cell:
    return Cell(format_share(results, key, 1), results.get(key))


def _count(count: float) -> Cell:
    return Cell(f"{count:,.0f}", float(count))


def _percent(share: float) -> Cell:
    return Cell("") if pd.isna(share) else Cell(f"{100 * share:.1f}", float(share))
