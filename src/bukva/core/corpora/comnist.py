"""CoMNIST: a zip file with a folder of drawings for each letter of the Russian alphabet."""

import logging
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from bukva.core.alphabets import UKRAINIAN
from bukva.core.corpora.contents import content_of, open_archive, read_image_member
from bukva.core.samples import RawSample

_ARCHIVE: Final = "Cyrillic.zip"

logger = logging.getLogger(__name__)


def read_comnist(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield the drawings of Ukrainian letters in file order, named by their path in the archive.

    Left out are ё, ъ, ы and э, which Ukrainian does not have. The corpus does not say the case.
    A drawing that is broken in the archive is empty.

    Raises:
        CorpusCorruptError: If the archive does not open.
    """
    archive = open_archive(content_of(files, _ARCHIVE), _ARCHIVE)
    left_out: Counter[str] = Counter()
    for name in archive.namelist():
        if not name.lower().endswith(".png"):
            continue
        letter = _letter_of(name)
        if len(letter) == 1 and letter in UKRAINIAN:
            yield RawSample(name=name, image=read_image_member(archive, name), label=letter)
        else:
            left_out[letter] += 1
    logger.info("comnist: left out, as no Ukrainian letters: %s.", dict(left_out))


def _letter_of(name: str) -> str:
    """Return the name of a drawing's folder, composed: some systems store й as и and a breve."""
    return unicodedata.normalize("NFC", PurePosixPath(name).parent.name).lower()
