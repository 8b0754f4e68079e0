"""The adaptation curve: how many lines of one hand make a model read it how much better.

python benchmarks/line_adaptation.py [--samples data/03_primary/line] [--model file.onnx]
    [--weights file.safetensors] [--counts 16 64 256] [--seeds 3] [--out build/line_adaptation]

The hand is the one that nothing was trained, chosen or tested by: split `adaptation` of the sample
table that `kedro run --pipeline=line.data_processing --env=real` left. Half of its pages are
tested, the same ones always; the lines to learn from are of the others, drawn anew for each seed. A
sixth of them chooses the epoch. What is done is kept in `<out>.csv` and not done again; the figure
is `<out>.png`.
"""

import argparse
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bukva.configuration import open_config
from bukva.core.evaluation.figures import style
from bukva.core.evaluation.markdown import format_table
from bukva.core.samples import of_split
from bukva.datasets.models import NetworkWeightsDataset
from bukva.pipelines.parameters import validate_parameters
from bukva.tasks.line.adaptation import Samples, Start, adapt
from bukva.tasks.line.characters import Characters
from bukva.tasks.line.charset import least_timesteps
from bukva.tasks.line.collection import ADAPTATION
from bukva.tasks.line.evaluation.before_after import FORMER, draw, read_twice, score_gain
from bukva.tasks.line.framing import STRIDE
from bukva.tasks.line.own_lines import OWN
from bukva.tasks.line.recogniser import LineRecogniser
from bukva.tasks.line.training import Source
from bukva.tasks.line.training_parameters import LineParameters

_RESAMPLES: Final = 1000
_VALID: Final = 1 / 6


def main() -> None:
    """Adapt for each count and seed; print the table and draw the curve."""
    arguments = parse_arguments()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    parameters = validate_parameters(dict(open_config(Path.cwd(), arguments.env)["parameters"]))
    known = read_samples(arguments.samples)
    start = read_start(arguments.model, arguments.weights)
    source = read_source(arguments.samples, parameters.line)
    path = arguments.out.with_suffix(".csv")
    rows = pd.read_csv(path).to_dict(orient="records") if path.exists() else []
    done = {(row["lines"], row["seed"], row["start"]) for row in rows}
    for count in arguments.counts:
        for seed in range(1, arguments.seeds + 1):
            if (count, seed, start.recogniser.sha256) in done:
                continue
            row = measure(count, seed, known, start, source, parameters.line, arguments)
            rows.append({"lines": count, "seed": seed, "start": start.recogniser.sha256} | row)
            pd.DataFrame(rows).to_csv(path, index=False)
    table = pd.DataFrame(rows)
    table = table[table["start"].eq(start.recogniser.sha256)]
    print(to_markdown(table))
    plot(table).savefig(arguments.out.with_suffix(".png"), dpi=120, bbox_inches="tight")


def parse_arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    models = Path("data/06_models/line")
    parser.add_argument("--env", default="real")
    parser.add_argument("--samples", type=Path, default=Path("data/03_primary/line"))
    parser.add_argument("--model", type=Path, default=models / "recogniser.onnx")
    parser.add_argument("--weights", type=Path, default=models / "model.safetensors")
    parser.add_argument("--counts", type=int, nargs="+", default=[16, 64, 256])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tests", type=int, default=400, help="lines of the hand, at most")
    parser.add_argument("--former", type=int, default=200, help="former test lines, at most")
    parser.add_argument("--out", type=Path, default=Path("build/line_adaptation"))
    return parser.parse_args()


def read_samples(folder: Path) -> Samples:
    """Return sample table and images."""
    table = pd.read_parquet(folder / "sample_table.parquet")
    return Samples(table, np.load(folder / "sample_images.npy", mmap_mode="r"))


def read_start(model: Path, weights: Path) -> Start:
    """Return the model that is gone on from."""
    kept = NetworkWeightsDataset(filepath=str(weights)).load()
    return Start(LineRecogniser(model.read_bytes()), kept)


def read_source(folder: Path, parameters: LineParameters) -> Source:
    """Return what made lines are of."""
    table = pd.read_parquet(folder / "character_table.parquet")
    characters = Characters(table, np.load(folder / "character_images.npy"))
    texts = pd.read_parquet(folder / "texts.parquet")
    return Source(texts, characters, parameters.data_processing)


def deal_pages(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return pages to learn from, and pages that are tested, whatever the seed."""
    pages = np.random.default_rng(0).permutation(sorted(table["page"].unique())).tolist()
    return pages[: len(pages) // 2], pages[len(pages) // 2 :]


def can_be_learnt(row: pd.Series) -> bool:
    """Return whether a line has ink and text, and room for it."""
    needed = least_timesteps([ord(each) for each in row["text"]])
    return bool(row["text"]) and row["width_px"] // STRIDE >= needed


def choose_own(known: Samples, count: int, seed: int) -> Samples:
    """Return lines of some pages, page by page, dealt out to `train` and `valid`."""
    places = np.flatnonzero(known.table["split"].eq(ADAPTATION))
    hand = known.table.iloc[places]
    pages, _ = deal_pages(hand)
    rng = np.random.default_rng(seed)
    turns = {page: turn for turn, page in enumerate(rng.permutation(pages))}
    hand = hand.assign(place=places, turn=hand["page"].map(turns))
    usable = hand[hand["turn"].notna() & hand.apply(can_be_learnt, axis=1)]
    chosen = usable.sort_values("turn", kind="stable").head(count)
    split = np.array(["train"] * count, dtype=object)
    split[rng.permutation(count)[: max(2, round(_VALID * count))]] = "valid"
    own = chosen.assign(split=split[: len(chosen)], corpus=OWN, collection=OWN)
    return Samples(own, known.images_NHW[chosen["place"].to_numpy()])


def choose_tests(known: Samples, most: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return lines of the pages that are tested; the hardest, too."""
    is_hand = known.table["split"].eq(ADAPTATION)
    _, pages = deal_pages(known.table[is_hand])
    is_tested = is_hand & known.table["page"].isin(pages)
    places = np.flatnonzero(is_tested)
    kept = np.sort(np.random.default_rng(1).permutation(places)[:most])
    # By page: one hand has no other groups.
    table = known.table.iloc[kept]
    return table.assign(group=table["page"]), known.images_NHW[kept]


def measure(
    count: int, seed: int, known: Samples, start: Start, source: Source,
    parameters: LineParameters, arguments: argparse.Namespace,
) -> dict[str, Any]:  # fmt: skip
    """Return the error rates before and after a model has learnt so many lines."""
    own = choose_own(known, count, seed)
    training = parameters.adaptation.training.model_copy(update={"seed": seed})
    settings = parameters.adaptation.model_copy(
        update={"training": training, "least_lines": min(count, parameters.adaptation.least_lines)}
    )
    started_s = time.perf_counter()
    trained = adapt(own, start, known, source, settings)
    seconds = time.perf_counter() - started_s
    former = draw(*of_split(known.table, known.images_NHW, "test"), arguments.former)
    scores: dict[str, Any] = {"seconds": round(seconds)}
    for scope, tests in ((OWN, choose_tests(known, arguments.tests)), (FORMER, former)):
        read = read_twice(start.recogniser, trained.recogniser, *tests)
        scores |= score_gain(scope, *read, resamples=_RESAMPLES)
    rates = [f"{when} {100 * scores[f'{OWN}.{when}.cer']:.1f} %" for when in ("before", "after")]
    print(f"{count} lines, seed {seed}, CER {', '.join(rates)}, {seconds:.0f} s", flush=True)
    return scores


def to_markdown(table: pd.DataFrame) -> str:
    """Return a row a count: means over the seeds, and the lowest and highest of them."""
    head = ["own lines", "CER before, %", "CER after, %", "CER that is gone, %",
            "former tests before, %", "after, %", "s"]  # fmt: skip
    columns = ["own.before.cer", "own.after.cer", "own.cer_lost", "former.before.cer",
               "former.after.cer"]  # fmt: skip
    rows = []
    for count, some in table.groupby("lines"):
        cells = [_spread(100 * some[column]) for column in columns]
        rows.append([str(count), *cells, f"{some['seconds'].mean():.0f}"])
    return format_table(head, rows)


def _spread(values: pd.Series) -> str:
    low, mean, high = values.min(), values.mean(), values.max()
    return f"{mean:.1f}" if low == high else f"{mean:.1f} ({low:.1f} to {high:.1f})"


def plot(table: pd.DataFrame) -> Figure:
    """Draw the CER of the hand, and of the former tests, over the number of lines."""
    subtitle = "means over seeds, lowest and highest of them; pages that nothing was learnt from"
    figure = style.new_figure(8, 5, "What a few lines of a hand bring", subtitle)
    axes = figure.subplots()
    style.style_axes(axes, grid="y")
    for scope, told, colour in (
        (OWN, "the hand", style.VERMILLION), (FORMER, "former tests", style.BLUE)
    ):  # fmt: skip
        after = table.groupby("lines")[f"{scope}.after.cer"].agg(["mean", "min", "max"])
        means = [table[f"{scope}.before.cer"].mean(), *after["mean"]]
        below = [0, *(after["mean"] - after["min"])]
        above = [0, *(after["max"] - after["mean"])]
        counts = [0, *after.index]
        axes.errorbar(counts, means, [below, above], marker="o", capsize=3, color=colour,
                      label=told)  # fmt: skip
    axes.set_xscale("symlog", linthresh=16)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set_xlabel("lines of the hand that are learnt")
    axes.set_ylabel("CER")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    style.percent_axis(axes)
    return figure


if __name__ == "__main__":
    main()
