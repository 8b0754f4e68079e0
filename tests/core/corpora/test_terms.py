"""Which models may be released: it depends on what they were trained on."""

import pytest
import yaml
from kedro_project import PROJECT

from bukva.core.corpora.manifest import parse_manifest
from bukva.core.corpora.terms import EMBEDDED_TERMS, Terms, require_releasable
from bukva.errors import TermsError
from bukva.tasks.glyph.embedded import EMBEDDED_CORPORA


@pytest.fixture(scope="module")
def terms() -> dict[str, Terms]:
    content = yaml.safe_load((PROJECT / "conf" / "base" / "corpora.yml").read_text())
    return {**parse_manifest(content), **EMBEDDED_TERMS}


def test_every_corpus_has_terms(terms: dict[str, Terms]) -> None:
    assert set(EMBEDDED_TERMS) >= EMBEDDED_CORPORA
    assert not terms["rukopys"].may_release
    assert "no licence" in terms["rukopys"].release_reason


def test_corpora_that_allow_it_are_returned_to_be_credited(terms: dict[str, Terms]) -> None:
    found = require_releasable(("strokes", "comnist", "mnist", "cyrillic_mnist"), terms)
    assert list(found) == ["comnist", "cyrillic_mnist", "mnist", "strokes"]
    assert "CC BY-SA 4.0" in found["comnist"].licence


def test_all_that_stands_against_it_is_said_at_once(terms: dict[str, Terms]) -> None:
    with pytest.raises(TermsError, match="make run ENV=released") as caught:
        require_releasable(("mnist", "rukopys", "scribbles"), terms)
    message = str(caught.value)
    assert "rukopys: no licence is stated" in message
    assert "scribbles: no terms are known" in message
    assert "mnist:" not in message


def test_a_model_that_does_not_say_what_it_saw_is_not_released(terms: dict[str, Terms]) -> None:
    with pytest.raises(TermsError, match="Train it again"):
        require_releasable((), terms)
