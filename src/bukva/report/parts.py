"""What the page consists of, in its order: figures by the datasets that hold them."""

from typing import Final, NamedTuple


class FigurePart(NamedTuple):
    """A figure of the page.

    Attributes:
        dataset: Its name in the catalog.
        title: What it shows.
        caption: How to read it.
        pipeline: Which makes it.
    """

    dataset: str
    title: str
    caption: str
    pipeline: str


DATA: Final = (
    FigurePart(
        "class_counts",
        "Samples of each symbol",
        "How many samples there are, by corpus and case, and how each corpus is split.",
        "data_processing",
    ),
    FigurePart(
        "raw_sample_sheet",
        "From a raw image to a sample",
        "Samples as the corpora hold them and, below each, what the network sees of it.",
        "data_processing",
    ),
    FigurePart(
        "sample_sheet",
        "Preprocessed samples",
        "A random choice of each symbol, in the colour of its corpus.",
        "data_processing",
    ),
    FigurePart(
        "ink_statistics",
        "Ink",
        "How the corpora differ in pen and size; where they do, a network may learn the pen.",
        "data_processing",
    ),
)

TRAINING: Final = (
    FigurePart(
        "mnist_pretraining.learning_curves",
        "First stage: digits",
        "Loss and accuracy on the training and the validation samples, by epoch.",
        "mnist_pretraining",
    ),
    FigurePart(
        "finetuning.learning_curves",
        "Second stage: all symbols",
        "Loss and accuracy on the training and the validation samples, by epoch.",
        "finetuning",
    ),
)

LABELS: Final = (
    FigurePart(
        "label_confusion",
        "What is read as what",
        "Rows: what was written. Columns: what was read.",
        "evaluation",
    ),
    FigurePart(
        "case_confusion",
        "Upper and lower case",
        "Letters whose case is known, by what was written and what was read.",
        "evaluation",
    ),
    FigurePart(
        "worst_mistakes",
        "Worst mistakes",
        "Misread test samples, those first of which the network was surest.",
        "evaluation",
    ),
    FigurePart(
        "explained_mistakes",
        "What mistakes rest on",
        "Coloured is what speaks for the label that was read: by the gradient of its logit in the "
        "last feature map (Grad-CAM, Selvaraju et al. 2017), and by how much its probability falls "
        "when a patch is covered (occlusion, Zeiler and Fergus 2014).",
        "evaluation",
    ),
)

PROBABILITIES: Final = (
    FigurePart(
        "roc",
        "ROC",
        "How well the probabilities rank: each label against all others, upper case against lower.",
        "evaluation",
    ),
    FigurePart(
        "reliability",
        "Calibration",
        "Among answers of a probability, the share that is right. On the diagonal both are equal.",
        "evaluation",
    ),
    FigurePart(
        "risk_coverage",
        "Answers withheld",
        "The share misread among the answers that the network is surest of.",
        "evaluation",
    ),
    FigurePart(
        "refusal_figure",
        "What shows no symbol",
        "What is refused, where a share of the real symbols has to be kept.",
        "evaluation",
    ),
    FigurePart(
        "robustness_curves",
        "Disturbed samples",
        "Label accuracy on test samples that were turned, redrawn, blurred or compressed.",
        "evaluation",
    ),
)
