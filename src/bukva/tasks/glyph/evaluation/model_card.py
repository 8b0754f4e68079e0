"""The model card: what a model is for, what it can do and what it cannot (Mitchell et al. 2019)."""

import json
from collections.abc import Mapping
from string import Template
from typing import Any, Final

import pandas as pd

from bukva.core.corpora.terms import Terms
from bukva.core.evaluation.figures.style import corpus_title
from bukva.core.evaluation.markdown import ACCURACIES, format_share, format_table, scopes_of
from bukva.tasks.glyph.charset import NO_SYMBOL
from bukva.tasks.glyph.evaluation.conditions import CLEAN, overall
from bukva.tasks.glyph.figures.conditions import TITLES
from bukva.tasks.glyph.figures.robustness import RENDERED, STORED
from bukva.tasks.glyph.trained import TrainedModel

_DECIMALS: Final = 2

_ACCURACIES: Final = {
    "label": ACCURACIES["label"],
    "of three": "top3_accuracy",
    **ACCURACIES,
}
_RANKINGS: Final = {
    "macro recall": "macro_recall",
    "macro F1": "macro_f1",
    "at 90 %": "accuracy_at_90_coverage",
    "ECE": "ece",
    "case AUC": "letters.case_auroc",
}
_SHIFTS: Final = {
    STORED: "as stored",
    RENDERED: "enlarged only",
    "rotation_deg": "turned by {:g}°",
    "thinner_pen_px": "pen thinner by {:g} px a side",
    "thicker_pen_px": "pen thicker by {:g} px a side",
    "noise": "noise, deviation {:g} of 255",
    "jpeg_quality": "JPEG, quality {:g}",
    "inverted_contrast": "light on black, tone {:g}",
}


def describe_model(model: TrainedModel) -> dict[str, str]:
    """Return what the template's section on the model asks for."""
    spec = model.spec
    weights = sum(item.numel() for item in model.to_network().parameters())
    sizes = json.dumps(spec.sizes, sort_keys=True)
    refuses = "A class of its own stands for what is no symbol." if NO_SYMBOL in spec.labels else ""
    return {
        "network": f"`{spec.network}` `{sizes}`, {len(spec.labels)} classes, {weights:,} weights.",
        "refuses": refuses,
        "weights_sha256": model.digest(),
        "data_fingerprint": spec.data_fingerprint,
    }


def write_model_card(
    template: str,
    details: Mapping[str, str],
    results: Mapping[str, Any],
    robustness: pd.DataFrame,
    conditions: pd.DataFrame,
    trained_on: Mapping[str, Terms],
) -> str:
    """Return a model card as Markdown.

    Args:
        template: Markdown with `$names` for what this function knows.
        details: More of them, about the network.
        results: Scores with their intervals.
        robustness: As `measure_robustness` returns it.
        conditions: As `measure_conditions` returns it.
        trained_on: Terms of the corpora that it learnt from.

    Raises:
        KeyError: If the template has a name that nothing is known of.
    """
    stored = robustness[robustness["shift"] == STORED]
    return Template(template).substitute(
        details,
        training_data=_training_data(trained_on),
        accuracies=_scores(results, _ACCURACIES),
        rankings=_scores(results, _RANKINGS),
        digits=_digits(results),
        robustness_samples=f"{stored['n'].sum():,}",
        robustness=_robustness(robustness),
        paper=format_conditions(conditions),
        refusal=_refusal(results),
    )


def _training_data(trained_on: Mapping[str, Terms]) -> str:
    if not trained_on:
        return "Not written down in the model."
    return "\n".join(
        f"- **{corpus_title(name)}**: {terms.title}. {terms.licence}. {terms.citation}"
        for name, terms in trained_on.items()
    )


def _scores(results: Mapping[str, Any], measures: Mapping[str, str]) -> str:
    rows = [
        [corpus_title(scope), f"{results[f'{scope}.label_accuracy.n']:,}"]
        + [format_share(results, f"{scope}.{measure}", _DECIMALS) for measure in measures.values()]
        for scope in scopes_of(results)
    ]
    return format_table(["test samples", "n", *measures], rows)


def _digits(results: Mapping[str, Any]) -> str:
    return "\n".join(
        f"The digit network alone, on {key.removesuffix('.accuracy')}: "
        f"{format_share(results, key, _DECIMALS)}, {results[f'{key}.n']:,} samples."
        for key in sorted(results)
        if key.endswith(".accuracy")
    )


def _robustness(robustness: pd.DataFrame) -> str:
    corpora = sorted(robustness["corpus"].unique())
    rows = []
    for (shift, strength), found in robustness.groupby(["shift", "strength"], sort=False):
        accuracy = found.set_index("corpus")["accuracy"]
        name = _SHIFTS[str(shift)].format(strength)
        rows.append([name, *(f"{100 * accuracy[corpus]:.1f}" for corpus in corpora)])
    return format_table(["what was done", *map(corpus_title, corpora)], rows)


def format_conditions(conditions: pd.DataFrame) -> str:
    """Return a table of how letters are read clean and under each condition, over all corpora."""
    rows = []
    for name, row in overall(conditions).iterrows():
        below = f"{row['points_below_clean']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"
        shares = [f"{100 * row[column]:.1f}" for column in ("right", "refused")]
        rows.append([TITLES[str(name)], *shares, "" if name == CLEAN else below])
    return format_table(["condition", "right", "refused", "points below clean"], rows)


def _refusal(results: Mapping[str, Any]) -> str:
    suffix = ".refused"
    keys = [key for key in results if key.startswith("refusal.") and key.endswith(suffix)]
    if not keys:
        return "Not measured: the model always answers with one of its symbols."
    rows = [[key.split(".")[1], format_share(results, key, _DECIMALS)] for key in keys]
    return format_table(["what shows no symbol", "refused"], rows)
