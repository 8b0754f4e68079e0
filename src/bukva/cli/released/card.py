"""The card of a released model: for whoever finds its files without the project."""

from bukva.cli.released.manifest import ONNX, WEIGHTS, Release
from bukva.core.corpora.terms import Terms
from bukva.core.evaluation.markdown import ACCURACIES, format_share, format_table, scopes_of


def write_card(release: Release) -> str:
    """Return the card as Markdown: what it is, how well it does, whose samples it learnt from."""
    parts = [
        f"# {release.name}, released {release.version}",
        release.note,
        f"Recognises one handwritten Ukrainian letter or digit in an image. {release.weights:,} "
        f"numbers, trained at revision {release.git_revision}. `{ONNX}` holds the network and, in "
        f"its metadata, what its inputs and outputs mean; `{WEIGHTS}` and the `.json` beside it "
        "hold the same weights for torch. No pickle is among the files; `manifest.json` has their "
        "checksums.",
        "## Accuracy on test samples, % [95 % interval]",
        _accuracies(release),
        _unseen(release),
        "## Trained on",
        "\n".join(_credit(name, terms) for name, terms in release.trained_on.items()),
        "## Licence",
        f"{release.licence}, with attribution to the authors above: share-alike corpora are among "
        "them. The images of the golden samples are drawn by a program of the project.",
        "## Limits",
        "It is meant for single symbols that somebody means to have read, not for identifying "
        "writers nor for decisions about people. Cut to the ink, о and О are one drawing; 0 and о, "
        "3 and з may be the same strokes. Hands, pens and screens unlike those above are read less "
        "well than the table says.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _accuracies(release: Release) -> str:
    rows = []
    for scope in scopes_of(release.results):
        cells = [
            format_share(release.results, f"{scope}.{key}", decimals=1)
            for key in ACCURACIES.values()
        ]
        name = f"{scope} (unseen)" if scope in release.unseen else scope
        rows.append([name, f"{release.results[f'{scope}.label_accuracy.n']:,}", *cells])
    return format_table(["test samples", "n", *ACCURACIES], rows)


def _unseen(release: Release) -> str:
    if not release.unseen:
        return ""
    return f"Nothing of {', '.join(release.unseen)} was seen in training or validation."


def _credit(name: str, terms: Terms) -> str:
    place = f" <{terms.homepage}>" if terms.homepage else ""
    return f"- **{name}**: {terms.title}. {terms.licence}. {terms.citation}{place}"
