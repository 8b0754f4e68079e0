"""Fuzzes decoding and preprocessing with atheris, which follows what of them has been run.

python benchmarks/fuzz_decoding.py [--seconds 60] [--seed 1] [--found build/fuzz]

An image is read or refused with an ImageError; whatever else is raised ends the run. Its input is
kept in the folder, and belongs into tests/core/imaging/test_decoding.py. What was found is
kept too: the next run begins with it. atheris has wheels for Linux on x86-64 only, and is installed
there with the extra `dev`.
"""

import argparse
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bukva", "PIL"]):
    from bukva.core.imaging.decoding import decode_image
    from bukva.errors import ImageError
    from bukva.tasks.glyph.preprocessing import preprocess

# The inputs to begin with are those of the tests.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "helpers"))

from bad_images import BAD_IMAGES
from image_files import with_right_checksums

LONGEST_INPUT_BYTES = 20_000  # of larger ones only the time that they take is different


def read(encoded: bytes) -> None:
    """Read some bytes as recognition does, and if they are a PNG, also with its checksums right."""
    for each in {encoded, with_right_checksums(encoded)}:
        with suppress(ImageError):
            preprocess(decode_image(each), has_page=None)


def main() -> None:
    """Fuzz, and exit with another code than 0 at the first failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--found", type=Path, default=Path("build/fuzz"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # Pillow tells of each oddity that it survives
    corpus = options.found / "corpus"
    write_kinds(corpus)
    arguments = [
        f"-max_total_time={options.seconds}",
        f"-seed={options.seed}",
        f"-max_len={LONGEST_INPUT_BYTES}",
        f"-artifact_prefix={options.found}/",
        "-rss_limit_mb=1024",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], read)
    atheris.Fuzz()


def write_kinds(folder: Path) -> None:
    """Write the bad images of the tests that are not too long; what is there already stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, kind in enumerate(BAD_IMAGES):
        encoded = kind.make()
        if len(encoded) <= LONGEST_INPUT_BYTES:
            (folder / f"kind_{number}").write_bytes(encoded)


if __name__ == "__main__":
    main()
