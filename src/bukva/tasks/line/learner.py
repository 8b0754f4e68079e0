"""What a network learns of lines: the loss of CTC (Graves et al. 2006), in batches of like widths.

Shapes: N lines of the training, B in a batch, S batches of an epoch, T time steps, K classes.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.edits import Edits
from bukva.core.training.device import autocast
from bukva.core.training.optimisation import Phase
from bukva.errors import TrainingError
from bukva.tasks.line.charset import BLANK, Charset, normalise
from bukva.tasks.line.decoding import read_greedily
from bukva.tasks.line.framing import STRIDE
from bukva.tasks.line.lines import Batch, Lines
from bukva.tasks.line.training_parameters import TrainingParameters
from bukva.tasks.line.variation import vary

_VALID_BATCH: Final = 32
_UNLIKE: Final = 0.1
"""By which share lines of a batch may differ in width, so that it is not always the same ones."""


class Maker(Protocol):
    """What makes lines, as `bukva.tasks.line.font_lines` does. Can be pickled."""

    def draw(self, count: int, rng: np.random.Generator) -> tuple[list[UInt8Array], list[str]]:
        """Return lines `(48, W)`, W of each its own, and what they say."""


class Validation(NamedTuple):
    """Lines that are not learnt from, and what they say."""

    lines: Lines
    texts: tuple[str, ...]


class LineLearner:
    """Teaches a network to read lines; for `bukva.core.training.fit`.

    Args:
        train: What is learnt from.
        valid: What decides which epoch is kept and when to stop early.
        charset: The network's outputs.
        maker: Of the lines that are made anew for each epoch; None for none.
        parameters: All that can be set.
        chances_N: How often each line is drawn, relative to the others.
        made_of: A digest of all that the maker makes lines of.

    Raises:
        TrainingError: If there is nothing to train or validate on.
    """

    def __init__(
        self,
        train: Lines,
        valid: Validation,
        charset: Charset,
        maker: Maker | None,
        parameters: TrainingParameters,
        chances_N: NDArray[np.float64],
        made_of: str = "",
    ) -> None:
        if not len(train) or not len(valid.lines):
            got = f"{len(train)} and {len(valid.lines)}"
            raise TrainingError(f"Expected lines to train and validate on, got {got}.")
        self.phases: Sequence[Phase] = (Phase("all", parameters.max_epochs, watched="valid_cer"),)
        self.chances_N = chances_N
        self._train, self._valid = train, valid
        self._made = Lines.of([], [])
        self._charset, self._maker, self._parameters = charset, maker, parameters
        self._made_of = made_of
        self._device = torch.device("cpu")

    def digests(self) -> tuple[str, ...]:
        """Return what tells these lines, and those that are made, from others."""
        return self._train.digest(), self._valid.lines.digest(), self._made_of

    def to(self, device: torch.device) -> None:
        """Move the lines to a device, all at once."""
        self._device, self._train = device, self._train.to(device)

    def plan_epoch(
        self, epoch: int, steps: int, batch_size: int, generator: torch.Generator
    ) -> Tensor:
        """Make the epoch's synthetic lines; return batches `(S, B)`, in each lines of like widths.

        Made lines come behind those of the training.
        """
        count = steps * batch_size
        made = round(count * self._share_made(epoch))
        self._make(made, generator)
        behind = torch.arange(len(self._made)) + len(self._train)
        chosen = torch.cat([self._draw_own(count - len(self._made), generator), behind])
        widths = torch.from_numpy(np.concatenate([self._train.widths_N, self._made.widths_N]))
        jitter = torch.rand(count, generator=generator, device=generator.device).cpu()
        order = (widths[chosen] * (1 + _UNLIKE * jitter)).argsort(stable=True)
        batches_SB = chosen[order].reshape(steps, batch_size)
        turns_S = torch.randperm(steps, generator=generator, device=generator.device).cpu()
        return batches_SB[turns_S]

    def _draw_own(self, count: int, generator: torch.Generator) -> Tensor:
        if not count:  # torch draws one at least
            return torch.zeros(0, dtype=torch.int64)
        chances_N = torch.tensor(self.chances_N, device=generator.device)
        return torch.multinomial(chances_N, count, replacement=True, generator=generator).cpu()

    def _share_made(self, epoch: int) -> float:
        if self._maker is None:
            return 0.0
        first, last = self._parameters.synthetic
        done = (epoch - 1) / max(1, self._parameters.max_epochs - 1)
        return first + (last - first) * min(1.0, done)

    def _make(self, count: int, generator: torch.Generator) -> None:
        if not count or self._maker is None:
            self._made = Lines.of([], [])
            return
        seed = torch.randint(2**62, (), generator=generator, device=generator.device)
        images, texts = self._maker.draw(count, np.random.default_rng(int(seed)))
        labels = [self._charset.encode(normalise(text)) for text in texts]
        self._made = Lines.of(images, labels).to(self._device)

    def loss(self, network: nn.Module, chosen_B: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss of both heads over some lines, varied at random, in nats a character."""
        batch = self._gather(chosen_B)
        ink, widths_B = vary(batch.ink_B1HW, batch.widths_B, generator, self._parameters.variation)
        batch = batch._replace(ink_B1HW=ink, widths_B=widths_B)
        with autocast(self._device, self._parameters.precision):
            logits_BTK, shortcut_BTK = network(ink)
        return ctc_loss(logits_BTK, batch) + self._parameters.shortcut * ctc_loss(
            shortcut_BTK, batch
        )

    def _gather(self, chosen_B: Tensor) -> Batch:
        places, own = chosen_B.tolist(), len(self._train)
        learnt = [place for place in places if place < own]
        made = [place - own for place in places if place >= own]
        parts = [
            lines.batch(some) for lines, some in ((self._train, learnt), (self._made, made)) if some
        ]
        return parts[0] if len(parts) == 1 else _join(*parts)

    @torch.inference_mode()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return the loss in nats a character, and error rates of characters and words."""
        network.eval()
        lines, texts = self._valid
        found = [""] * len(lines)
        loss_sum = 0.0
        for places in lines.batches_alike(_VALID_BATCH):
            batch = lines.batch(places)
            with autocast(self._device, self._parameters.precision):
                logits_BTK, _ = network(batch.ink_B1HW.to(self._device))
            loss = ctc_loss(logits_BTK.cpu(), batch)
            loss_sum += float(loss) * max(1, len(batch.labels_L))
            steps_B = steps_of(batch.widths_B)
            for place, row_TK, steps in zip(places, logits_BTK, steps_B.tolist(), strict=True):
                indices = read_greedily(row_TK[:steps].float().cpu().numpy())
                found[place] = self._charset.decode(indices)
        pairs = zip(texts, found, strict=True)
        edits = Edits.sum(Edits.between(text, normalise(read)) for text, read in pairs)
        return {
            "valid_loss": loss_sum / max(1, edits.characters),
            "valid_cer": edits.cer,
            "valid_wer": edits.wer,
        }


def ctc_loss(logits_BTK: Tensor, batch: Batch) -> Tensor:
    """Return the loss in nats for each character of a batch.

    A line too narrow for what it says, as variation may make it, has no share in it.
    """
    log_TBK = logits_BTK.float().log_softmax(dim=2).transpose(0, 1)
    total = functional.ctc_loss(
        log_TBK, batch.labels_L, steps_of(batch.widths_B), batch.lengths_B, blank=BLANK,
        reduction="sum", zero_infinity=True,
    )  # fmt: skip
    return total / max(1, len(batch.labels_L))


def steps_of(widths_B: Tensor) -> Tensor:
    """Return how many time steps lines of these widths take."""
    return (widths_B + STRIDE - 1) // STRIDE


def _join(one: Batch, other: Batch) -> Batch:
    width = max(one.ink_B1HW.shape[3], other.ink_B1HW.shape[3])
    inks = [
        functional.pad(each.ink_B1HW, (0, width - each.ink_B1HW.shape[3])) for each in (one, other)
    ]
    rest = (torch.cat(pair) for pair in zip(one[1:], other[1:], strict=True))
    return Batch(torch.cat(inks), *rest)
