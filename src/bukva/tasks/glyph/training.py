"""From the sample table to a trained network: one stage of training.

Shapes: N samples, H x W pixels.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
import torch
from torch import nn

from bukva.core.alphabets import DIGITS
from bukva.core.arrays import UInt8Array
from bukva.core.parameters import shares_of
from bukva.core.training.checkpoint import CheckpointStore, weights_of
from bukva.core.training.device import seeded
from bukva.core.training.fit import OnEpoch, fit
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.embedded import PHOTOGRAPHS
from bukva.tasks.glyph.learner import GlyphLearner, calibrate_labels, fit_symbol_threshold
from bukva.tasks.glyph.networks import build_network
from bukva.tasks.glyph.parameters import TrainingParameters
from bukva.tasks.glyph.photographed import sources_of
from bukva.tasks.glyph.preprocessing import PAGE_FEATURES, Preprocessing
from bukva.tasks.glyph.trained import ModelSpec, TrainedModel, load_backbone
from bukva.tasks.glyph.training_samples import GlyphSamples, select_samples

# What a stage is called in a model's specification, by what its label head tells apart.
STAGES: Final = {"digits": "mnist_pretraining", "all": "finetuning"}


def train_model(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: TrainingParameters,
    checkpoints: CheckpointStore,
    epoch_metrics: OnEpoch | None,
    pretrained: TrainedModel | None = None,
    released: TrainedModel | None = None,
) -> tuple[TrainedModel, pd.DataFrame]:
    """Train a network, from what the parameters say; return its history too."""
    if parameters.start == "released" and released is not None:
        # It sees what is framed today, and learns to read it.
        today = {"preprocessing": Preprocessing().to_dict()}
        start = replace(released, spec=released.spec.model_copy(update=today))
    else:
        start = new_model(parameters, pretrained)
    return continue_training(start, table, images_NHW, parameters, checkpoints, epoch_metrics)


def new_model(parameters: TrainingParameters, pretrained: TrainedModel | None) -> TrainedModel:
    """Return a network that is still to be trained, with another model's backbone if given one."""
    labels = DIGITS if parameters.alphabet == "digits" else charset.CLASSES
    sizes = {"width": parameters.width, "dropout": parameters.dropout}
    with seeded(parameters.seed):
        network = build_network(parameters.network, len(labels), **sizes)
    if pretrained is not None:
        load_backbone(network, pretrained)
    spec = ModelSpec(
        network=parameters.network,
        sizes=sizes,
        labels=labels,
        page_features=PAGE_FEATURES,
        preprocessing=Preprocessing().to_dict(),
        data_fingerprint="",
        corpora=pretrained.spec.corpora if pretrained else (),
        parameters=pretrained.spec.parameters if pretrained else {},
    )
    return TrainedModel(weights_of(network), spec)


def continue_training(
    start: TrainedModel,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: TrainingParameters,
    checkpoints: CheckpointStore,
    on_epoch: OnEpoch | None = None,
) -> tuple[TrainedModel, pd.DataFrame]:
    """Train a model further, heads and all; return its history too.

    Network, sizes and alphabet are those of the model, whatever the parameters say.
    """
    train, valid = (
        select_split(table, images_NHW, split, parameters, start.spec.labels)
        for split in ("train", "valid")
    )
    network = start.to_network()
    learner = GlyphLearner(train, valid, parameters)
    _, history = fit(network, learner, parameters, checkpoints=checkpoints, on_epoch=on_epoch)
    calibrate_labels(network, valid)
    if parameters.start == "released" and parameters.released_share:
        blend(network, start, parameters.released_share)
        calibrate_labels(network, valid)
    # A photograph that hardly shows a symbol would have everything taken for one.
    certain = {name: weight for name, weight in parameters.corpora.items() if name != PHOTOGRAPHS}
    calm = select_split(
        table, images_NHW, "valid", parameters.model_copy(update={"corpora": certain}),
        start.spec.labels,
    )  # fmt: skip
    seen = {
        "data_fingerprint": train.digest(),
        "corpora": _trained_on(table, parameters, start),
        "symbol_threshold": fit_symbol_threshold(network, calm, parameters.kept_share),
    }
    spec = start.spec.model_copy(update=seen)
    stage = {STAGES[parameters.alphabet]: _as_used(parameters, table, train, spec)}
    spec = spec.model_copy(update={"parameters": {**spec.parameters, **stage}})
    return TrainedModel(weights_of(network), spec), history


def blend(network: nn.Module, start: TrainedModel, share: float) -> None:
    """Mix a share of the weights that a training started from into a network, in place.

    What was learnt anew stays, and less of what was known is forgotten (Wortsman et al. 2022,
    "Robust fine-tuning of zero-shot models").
    """
    former = start.to_network().state_dict()
    mixed = {
        name: torch.lerp(value, former[name], share) if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(mixed)


def select_split(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    split: str,
    parameters: TrainingParameters,
    labels: str,
) -> GlyphSamples:
    """Return the samples of a split whose label is among the given ones."""
    is_used_N = table["label"].isin(list(labels)).to_numpy()
    return select_samples(
        table[is_used_N], images_NHW[is_used_N], split, parameters.corpora, parameters.class_balance
    )


def _trained_on(
    table: pd.DataFrame, parameters: TrainingParameters, start: TrainedModel
) -> tuple[str, ...]:
    """Return the corpora of which this stage, or the one before it, saw any sample."""
    is_seen_N = table["split"].isin(["train", "valid"]) & table["corpus"].isin(
        parameters.learnt_corpora
    )
    seen = table[is_seen_N]
    return tuple(sorted({*seen["corpus"], *sources_of(seen), *start.spec.corpora}))


def _as_used(
    parameters: TrainingParameters, table: pd.DataFrame, train: GlyphSamples, spec: ModelSpec
) -> dict[str, Any]:
    """Return the parameters of a stage as a model says them: those that had an effect, as it was.

    A corpus without training samples takes no share of a batch, whatever its weight; without
    letters there is no loss of the case; without what shows no symbol there is nothing to refuse.
    """
    used = parameters.model_dump(mode="json", exclude={"resume"})
    is_drawn_N = table["split"].eq("train") & table["label"].isin(list(spec.labels))
    corpora = shares_of(parameters.corpora, {*table["corpus"][is_drawn_N]})
    used |= {"corpora": corpora, "network": spec.network, **spec.sizes}
    if np.isnan(train.uppercase_N).all():
        del used["case_loss_weight"]
    if not spec.symbol_threshold:
        del used["kept_share"]
    return used
