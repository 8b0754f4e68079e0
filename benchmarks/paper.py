"""Measures how letters are read on paper and in photographs: python benchmarks/paper.py.

It shows letters of the test splits of CoMNIST and Rukopys to the released model, as their own
files and under each condition of `bukva.tasks.glyph.evaluation.scenes`, and capitals, 14 mm high,
on photographs of an A4 sheet. With `--base` the released model of another revision is asked for
the same files through that revision's code. It needs the corpora (make corpora) and the sample
table (kedro run --pipeline=data_processing --env=released), which says what is tested on.
"""

import argparse
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from a4_photos import CAPITALS, photograph_a4
from bukva.core.evaluation.figures import style
from bukva.core.evaluation.intervals import wilson_interval
from bukva.core.evaluation.markdown import format_table
from bukva.core.imaging.decoding import decode_image
from bukva.core.samples import LazyCorpora
from bukva.datasets.corpora import CorporaDataset
from bukva.tasks.glyph.charset import DISTINCT_FORM
from bukva.tasks.glyph.evaluation.conditions import (
    CLEAN,
    CORPORA,
    Letter,
    choose_letters,
    overall,
    score_conditions,
    show,
)
from bukva.tasks.glyph.evaluation.scenes import SCENES
from bukva.tasks.glyph.figures.conditions import TITLES, plot_conditions
from revisions import checked_out

_ROOT = Path(__file__).parents[1]
_SEED: Final = 1
_AT_ONCE: Final = 8
_MAY_BE_SHOWN: Final = "comnist"  # the terms of Rukopys do not let its images be handed on
_BEGIN: Final = "<!-- written by benchmarks/paper.py -->"
_END: Final = "<!-- until here -->"

Answer: TypeAlias = tuple[str | None, str | None]
"""Symbol and case of an image; None where it is refused."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints and draws."""
    asked = make_parser().parse_args(arguments)
    above, below = split_page(asked.page)
    letters = load_letters(asked.corpora, asked.table, asked.letters)
    capitals = load_capitals(asked.corpora, asked.table, asked.capitals)
    tables, read_as, totals = {}, {}, []
    with ExitStack() as stack:
        readers = {"after": stack.enter_context(reading(_ROOT, asked.model))}
        if asked.base:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="bukva-paper-")))
            former = stack.enter_context(checked_out(asked.base, folder / "source"))
            readers["before"] = stack.enter_context(reading(former, None))
        shown = {name: show(letters, name, _SEED) for name in (CLEAN, *SCENES)}
        for who, reader in readers.items():
            answers = {name: reader.ask(files) for name, files in shown.items()}
            read_as[who] = {name: [symbol for symbol, _ in of] for name, of in answers.items()}
            labels = {
                name: [symbol and symbol.lower() for symbol in of]
                for name, of in read_as[who].items()
            }
            tables[who] = score_conditions(letters, labels)
            print_table(who, tables[who])
            totals.append(total_small(who, tables[who]))
        totals += measure_capitals(capitals, readers)
    print("\n".join(totals))
    results = "\n\n".join([format_results(tables), "\n".join(f"- {line}" for line in totals)])
    asked.page.write_text(f"{above}\n\n{results}\n\n{below}", encoding="utf-8")
    asked.figures.mkdir(parents=True, exist_ok=True)
    bars = plot_conditions(tables["after"], tables.get("before"))
    save_figure(bars, asked.figures / "paper.png")
    save_figure(plot_letters(letters, shown, read_as), asked.figures / "paper_letters.png")


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--model", type=Path, help="an ONNX file (the released model)")
    parser.add_argument("--base", help="a revision to compare with, such as d10ac51")
    parser.add_argument("--letters", type=int, default=600, help="of both corpora together (600)")
    parser.add_argument("--capitals", type=int, default=240, help="on A4 photos, at most (240)")
    parser.add_argument("--corpora", default="data/01_raw", help="folder of the corpora")
    parser.add_argument("--table", default="data/03_primary/sample_table.parquet")
    parser.add_argument("--figures", type=Path, default=Path("docs/images"), help="their folder")
    parser.add_argument("--page", type=Path, default=Path("docs/paper.md"), help="to write into")
    return parser


def load_letters(folder: str, table: str, count: int) -> list[Letter]:
    """Letters of the test splits, half of them of each corpus."""
    return choose_letters(_corpora(folder, CORPORA), _split(table), count, _SEED)


def load_capitals(folder: str, table: str, count: int) -> list[Letter]:
    """Capitals of Rukopys whose form tells that they are capitals."""
    of_paper = choose_letters(_corpora(folder, ("rukopys",)), _split(table), 100_000, _SEED)
    capitals = [letter for letter in of_paper if letter.is_uppercase and letter.label in CAPITALS]
    return capitals[:count]


def _corpora(folder: str, names: Sequence[str]) -> LazyCorpora:
    manifest = str(_ROOT / "conf/base/corpora.yml")
    return CorporaDataset(folder=folder, names=list(names), manifest=manifest).load()


def _split(table: str) -> pd.DataFrame:
    return pd.read_parquet(table, columns=["sample_id", "corpus", "split"])


class ImageReader:
    """A process that reads images with the code and the model of one revision."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def ask(self, files: Sequence[bytes]) -> list[Answer]:
        """What each file is read as, a few at a time."""
        answers: list[Answer] = []
        for start in range(0, len(files), _AT_ONCE):
            part = files[start : start + _AT_ONCE]
            header = json.dumps([len(file) for file in part]).encode() + b"\n"
            self._process.stdin.write(header + b"".join(part))
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
            if not answer:
                sys.exit("The process that reads images ended; what it said stands above.")
            answers += map(tuple, json.loads(answer))
        return answers


@contextmanager
def reading(source: Path, model: Path | None) -> Iterator[ImageReader]:
    """A reader with the code of a checkout and a model, that which it releases by default."""
    model = model or source / "src/bukva_released/model.onnx"
    command = [sys.executable, str(Path(__file__).with_name("read_images.py")), str(model)]
    environment = os.environ | {"PYTHONPATH": str(source / "src")}
    with subprocess.Popen(  # noqa: S603
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield ImageReader(process)
        process.stdin.close()


def print_table(who: str, table: pd.DataFrame) -> None:
    """Prints what was measured of one model, and its total over photos of 32 pixels."""
    shown = table.assign(right=100 * table["right"], refused=100 * table["refused"])
    print(f"\n{who}; right and refused in percent")
    print(shown.to_string(index=False, float_format="{:.1f}".format))


def total_small(who: str, table: pd.DataFrame) -> str:
    """How many letters one model reads rightly of all photos of 32 pixels."""
    rows = overall(table)
    small = rows[rows.index.str.startswith("small_")]
    right, count = round(float((small["right"] * small["n"]).sum())), int(small["n"].sum())
    return f"{who}: photographed letters, 32 px: n {count}, right {_percent(right, count)}"


def format_results(tables: Mapping[str, pd.DataFrame]) -> str:
    """A Markdown table over all corpora, those before and after side by side."""
    found = {who: overall(tables[who]) for who in ("before", "after") if who in tables}
    after = found["after"]
    rows = []
    for name, row in after.iterrows():
        shares = [f"{100 * table.loc[name, 'right']:.1f}" for table in found.values()]
        below = f"{row['points_below_clean']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"
        refused = f"{100 * row['refused']:.1f}"
        rows.append([TITLES[name], *shares, refused, "" if name == CLEAN else below])
    head = ["condition", *(f"right, {who}" for who in found), "refused", "points below clean"]
    return f"{int(after['n'].max())} letters.\n\n{format_table(head, rows)}"


def split_page(page: Path) -> tuple[str, str]:
    """What stands in a page before and after the place of the results."""
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        sys.exit(f"Expected {_BEGIN} and {_END} in {page}, to write the results between them.")
    return before + begin, end + after


def measure_capitals(
    capitals: Sequence[Letter], readers: Mapping[str, ImageReader]
) -> Iterator[str]:
    """Say how many capitals each reader answers as such, of an A4 photo."""
    cases: dict[str, list[str | None]] = {who: [] for who in readers}
    for place, capital in enumerate(capitals):
        photo = photograph_a4(capital, np.random.default_rng((_SEED, place)))
        for who, reader in readers.items():
            [(_, case)] = reader.ask([photo])
            cases[who].append(case)
    for title, letters in (("all", CAPITALS), ("of them", "".join(sorted(DISTINCT_FORM)))):
        for who, found in cases.items():
            of = [case for letter, case in zip(capitals, found, strict=True)
                  if letter.label in letters]  # fmt: skip
            right = sum(case == "upper" for case in of)
            yield (
                f"{who}: capitals on an A4 photo, {title} {letters.upper()}: n {len(of)}, "
                f"upper {_percent(right, len(of))}"
            )


def plot_letters(
    letters: Sequence[Letter],
    shown: Mapping[str, Sequence[bytes]],
    read_as: Mapping[str, Mapping[str, Sequence[str | None]]],
) -> Figure:
    """Draw twenty conditions, each on the next letter, with what it is read as."""
    places = [place for place, letter in enumerate(letters) if letter.corpus == _MAY_BE_SHOWN]
    subtitle = (
        "Letters of CoMNIST (CC BY-SA 4.0), not chosen: one every so many, under the next "
        "condition. A dash: refused"
    )
    figure = style.new_figure(10, 10.5, "What is read", subtitle, gap=0.04)
    names = [name for name in SCENES if name not in ("ruled_turned", "squared_narrow", "cropped",
                                                     "soft_shadow_70")]  # fmt: skip
    for place, (axes, name) in enumerate(zip(figure.subplots(4, 5).flat, names, strict=True)):
        at = places[place * len(places) // len(names)]
        axes.imshow(decode_image(shown[name][at]), cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
        axes.set_title(TITLES[name].rstrip(" *"), fontsize=8, color=style.MUTED)
        said = ", ".join(
            f"{who} {read_as[who][name][at] or '–'}"
            for who in ("before", "after")
            if who in read_as
        )
        is_right = (read_as["after"][name][at] or "").lower() == letters[at].label
        axes.text(
            0.5, -0.06, f"{letters[at].label}: {said}", transform=axes.transAxes, ha="center",
            va="top", fontsize=9, color=style.TEXT if is_right else style.VERMILLION,
        )  # fmt: skip
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure in 256 colours, which are enough for the docs."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110, bbox_inches="tight")
    with Image.open(buffer) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def _percent(right: int, count: int) -> str:
    if not count:
        return "none"
    low, high = wilson_interval(right, count)
    return f"{100 * right / count:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


if __name__ == "__main__":
    main()
