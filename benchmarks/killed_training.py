"""Kills a training at random moments, and looks whether it comes to the same weights.

python benchmarks/killed_training.py [--kills 20] [--seed 1]

Each round is a training of its own, in a process that is killed with SIGKILL: every other one at a
random moment, the others while they save a checkpoint. A second process goes on to the end. Prints
JSON; exits with 1 if weights differ in one bit from those of a training that nobody killed, or if a
checkpoint was there by half.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from multiprocessing.context import ForkProcess
from pathlib import Path

import numpy as np
import torch

from bukva.core.training.checkpoint import digest_weights, unpack
from bukva.core.training.device import seeded
from bukva.core.training.fit import fit
from bukva.datasets.models import CheckpointDataset
from bukva.errors import TrainingError
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.embedded import draw_letters_and_digits
from bukva.tasks.glyph.learner import GlyphLearner
from bukva.tasks.glyph.networks import build_network
from bukva.tasks.glyph.parameters import TrainingParameters
from bukva.tasks.glyph.preprocessing import preprocess
from bukva.tasks.glyph.training_samples import GlyphSamples

PARAMETERS = TrainingParameters(
    corpora={"strokes": 1.0}, width=8, head_epochs=2, max_epochs=10, steps_per_epoch=8,
    batch_size=32, ema_decay=0.8, device="cpu", patience_epochs=99,
)  # fmt: skip


@dataclass
class Tally:
    """What became of the rounds.

    Attributes:
        kills: Processes that were killed.
        in_a_save: Of these, in the middle of a save: it left a part of a file beside.
        at_a_checkpoint: Of these, when there was a checkpoint to go on from.
        half_checkpoints: Checkpoints that could not be read: 0 is what is promised.
        bit_equal: Trainings that came to the weights of the one that nobody killed.
    """

    kills: int = 0
    in_a_save: int = 0
    at_a_checkpoint: int = 0
    half_checkpoints: int = 0
    bit_equal: int = 0


def draw_samples() -> GlyphSamples:
    """Return two drawings of each symbol."""
    pages = list(draw_letters_and_digits(samples_per_symbol=2, seed=3))
    glyphs = [preprocess(page.image) for page in pages]
    cases = [np.nan if page.is_uppercase is None else page.is_uppercase for page in pages]
    return GlyphSamples(
        images_NHW=np.stack([glyph.image_HW for glyph in glyphs]),
        page_NF=np.stack([glyph.page_F for glyph in glyphs]),
        labels_N=np.array([charset.encode(page.label) for page in pages]),
        uppercase_N=np.array(cases, dtype=np.float32),
        weights_N=np.ones(len(glyphs)),
    )


def train(samples: GlyphSamples, folder: Path) -> None:
    """Train, or go on, and write down the digest of the weights."""
    with seeded(1):
        network = build_network("glyph_cnn", len(charset.CLASSES), width=PARAMETERS.width)
    checkpoints = CheckpointDataset(filepath=str(folder / "checkpoint.pt")).load()
    learner = GlyphLearner(samples, samples, PARAMETERS)
    result = fit(network, learner, PARAMETERS, checkpoints=checkpoints)
    (folder / "digest").write_text(digest_weights(result.weights))


def start(samples: GlyphSamples, folder: Path) -> ForkProcess:
    """Return a process that trains; a fork is there at once."""
    process = multiprocessing.get_context("fork").Process(target=train, args=(samples, folder))
    process.start()
    return process


def is_saving(folder: Path) -> bool:
    """Return whether a part of a checkpoint lies beside it."""
    return any(folder.glob(".checkpoint.pt.*"))


def kill_one(samples: GlyphSamples, folder: Path, delay_s: float, *, in_save: bool) -> None:
    """Start a training and kill it; one that was faster than the kill is begun again."""
    process = start(samples, folder)
    time.sleep(delay_s)
    while in_save and process.is_alive() and not is_saving(folder):
        pass
    process.kill()
    process.join()
    if process.exitcode != -9:
        kill_one(samples, folder, delay_s / 2, in_save=in_save)


def run_round(samples: GlyphSamples, delay_s: float, tally: Tally, *, in_save: bool) -> str:
    """Kill a training, look at what it left, let it go on, and return its digest."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kill_one(samples, folder, delay_s, in_save=in_save)
        tally.kills += 1
        tally.in_a_save += is_saving(folder)
        look_at_checkpoint(folder / "checkpoint.pt", tally)
        start(samples, folder).join()
        return (folder / "digest").read_text()


def look_at_checkpoint(path: Path, tally: Tally) -> None:
    """Count it if it is there, and if it is not whole."""
    if not path.exists():
        return
    tally.at_a_checkpoint += 1
    try:
        unpack(path.read_bytes())
    except TrainingError:
        tally.half_checkpoints += 1


def main() -> None:
    """Run the rounds and print the tally."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    samples, tally, chance = draw_samples(), Tally(), random.Random(arguments.seed)  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory() as folder:
        started_s = time.monotonic()
        start(samples, Path(folder)).join()
        whole_s, expected = time.monotonic() - started_s, (Path(folder) / "digest").read_text()
    for number in range(arguments.kills):
        delay_s = chance.uniform(0.05, 0.8) * whole_s
        digest = run_round(samples, delay_s, tally, in_save=bool(number % 2))
        tally.bit_equal += digest == expected
    print(json.dumps(asdict(tally)))
    is_fine = tally.bit_equal == arguments.kills == tally.kills and not tally.half_checkpoints
    sys.exit(not is_fine)


if __name__ == "__main__":
    main()
