"""What is trained on, and what is tested, in each trial of the benchmark.

Shapes: N samples, H x W pixels.
"""

import logging
from collections.abc import Iterator

import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.duplicates import find_duplicates
from bukva.core.splits import k_folds
from bukva.errors import ParameterError
from bukva.tasks.glyph.parameters import TrainingParameters
from bukva.tasks.glyph.trained import TrainedModel
from bukva.tasks.glyph.training import new_model
from targets.parameters import BenchmarkParameters
from targets.trials import UNUSED, Trial

logger = logging.getLogger(__name__)


def plan_folds(
    base: TrainedModel,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    finetuning: TrainingParameters,
    parameters: BenchmarkParameters,
) -> Iterator[Trial]:
    """Yield the folds of a corpus: stratified, drawn several times, and in contiguous blocks.

    Each trial goes on from the base model with all corpora and what is not in the fold.

    Raises:
        ParameterError: If the base model has seen the corpus, or the folds would not train on it.
    """
    if not _is_there(parameters.corpus, table):
        return
    _check_base(base, finetuning, parameters.corpus)
    training = finetuning.model_copy(
        update={
            "corpora": _known_corpora(base, table, finetuning),
            "head_epochs": 0,
            "max_epochs": parameters.fold_epochs,
            "learning_rate": parameters.fold_learning_rate,
        }
    )
    for scope, repeat, fold in _draw_folds(table, images_NHW, parameters):
        for number in range(parameters.folds):
            split = _hold_out(table, parameters.corpus, fold.index[fold.eq(number)])
            yield Trial(f"{scope}-{repeat}-{number}", scope, base, training, split)


def _check_base(base: TrainedModel, finetuning: TrainingParameters, corpus: str) -> None:
    if corpus in base.spec.corpora:
        message = (
            f"Expected a base model that has never seen {corpus}, got one trained on "
            f"{', '.join(base.spec.corpora)}. Name another one, benchmark.base_model, in "
            "conf/<env>/catalog.yml."
        )
        raise ParameterError(message)
    if not finetuning.corpora.get(corpus):
        message = f"Expected a weight of {corpus} in finetuning.corpora, got {finetuning.corpora}."
        raise ParameterError(message)


def _known_corpora(
    base: TrainedModel, table: pd.DataFrame, finetuning: TrainingParameters
) -> dict[str, float]:
    """Return the weights of the corpora; 0 for one of whose labels the base model knows none."""
    is_known = table["label"].isin(list(base.spec.labels))
    unknown = set(table["corpus"]) - set(table["corpus"][is_known])
    return {
        corpus: 0.0 if corpus in unknown else weight
        for corpus, weight in finetuning.corpora.items()
    }


def _draw_folds(
    table: pd.DataFrame, images_NHW: UInt8Array, parameters: BenchmarkParameters
) -> Iterator[tuple[str, int, pd.Series]]:
    """Yield scope, repeat, and the fold of each sample of the corpus."""
    is_corpus = table["corpus"].eq(parameters.corpus)
    rows = table[is_corpus]
    clusters = find_duplicates(images_NHW[is_corpus.to_numpy()], rows["label"], rows["sha256"])
    rows = rows.assign(cluster=clusters)
    for repeat in range(parameters.repeats):
        yield "stratified", repeat, k_folds(rows, parameters.folds, parameters.seed + repeat)
    yield "blocks", 0, k_folds(rows, parameters.folds, parameters.seed, by="block")


def _hold_out(table: pd.DataFrame, corpus: str, held_out: pd.Index) -> pd.Series:
    """Return the split in which the rest of the corpus is trained on, its own test included."""
    is_test = table["split"].eq("test")
    split = table["split"].mask(is_test, UNUSED).mask(is_test & table["corpus"].eq(corpus), "train")
    return split.mask(table.index.isin(held_out), "test")


def plan_left_out(
    base: TrainedModel,
    pretrained: TrainedModel,
    table: pd.DataFrame,
    finetuning: TrainingParameters,
    parameters: BenchmarkParameters,
) -> Iterator[Trial]:
    """Yield a training without each corpus, tested on the corpus's own test split.

    The base model has not seen the cross-validated corpus: it is tested on all of it as it is.
    """
    for corpus in filter(lambda name: _is_there(name, table), parameters.left_out):
        others = {**finetuning.corpora, corpus: 0.0}
        training = finetuning.model_copy(
            update={"corpora": others, "max_epochs": parameters.left_out_epochs}
        )
        split = table["split"].mask(table["corpus"].eq(corpus) ^ table["split"].eq("test"), UNUSED)
        yield Trial(f"without-{corpus}", corpus, new_model(training, pretrained), training, split)
    if _is_there(parameters.corpus, table):
        _check_base(base, finetuning, parameters.corpus)
        split = table["corpus"].eq(parameters.corpus).map({True: "test", False: UNUSED})
        yield Trial("base-as-it-is", parameters.corpus, base, None, split)


def plan_seeds(
    table: pd.DataFrame, pretraining: TrainingParameters, parameters: BenchmarkParameters
) -> Iterator[Trial]:
    """Yield the training on digits once for each seed, tested on the corpora that it learns."""
    learnt = pretraining.learnt_corpora
    is_other_test = table["split"].eq("test") & ~table["corpus"].isin(learnt)
    split = table["split"].mask(is_other_test, UNUSED)
    for seed in parameters.mnist_seeds:
        training = pretraining.model_copy(update={"seed": seed})
        yield Trial(f"seed-{seed}", "+".join(learnt), new_model(training, None), training, split)


def _is_there(corpus: str, table: pd.DataFrame) -> bool:
    is_there = bool(table["corpus"].eq(corpus).any())
    if not is_there:
        logger.warning("skipped: the sample table holds no corpus %s", corpus)
    return is_there
