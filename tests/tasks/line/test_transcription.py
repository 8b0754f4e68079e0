"""Marks of transcribers, corpus by corpus; most examples are lines of the corpora."""

from collections import Counter
from collections.abc import Callable

import pytest

from bukva.core.corpora.readers import READERS
from bukva.tasks.line.transcription import is_prose, transcribe


@pytest.mark.parametrize(
    ("collection", "marked", "text", "use"),
    [
        ("testaments", "aspirant au 111^e d’artillerie", "aspirant au 111e d'artillerie", "all"),
        ("testaments", "Femme >Ges< epouse du sergent", "Femme epouse du sergent", "all"),
        ("testaments", "par la >< loi", "par la loi", "test"),
        ("testaments", "_ succession de mon père.", "- succession de mon père.", "all"),
        ("testaments", "asſurer", "assurer", "all"),
        ("testaments", '\\"universel\\"\\" sa femme\\"', 'universel" sa femme', "all"),
        ("testaments", '\\"versé :\\"\\"\\"', 'versé :"', "all"),
        ("copiste", "Émile Sari>e<, né le 27", "Émile Sari, né le 27", "all"),
        ("copiste", "wikitexte_0051", "wikitexte_0051", "all"),
        ("copiste", "dans le Consul -", "dans le Consul -", "all"),
        ("peraire", "me devinrent # ⋎ les pays", "me devinrent les pays", "all"),
        ("peraire", "[1932]", "[1932]", "all"),
        ("mss19", "[[modestes]] attendre ; et", "attendre ; et", "all"),
        ("mss19", "[[]] les soins d un", "les soins d un", "test"),
        ("celestine", "courant, ⟦elle descend⟧, ne", "courant, , ne", "all"),
        ("lectaurep-repertoires", "S^t Jacques ~", "St Jacques", "all"),
        ("lectaurep-repertoires", "22|50", "22 50", "all"),
        ("celestine", "passer au 1^er [???]", "passer au 1er", "test"),
        ("of one's own", "x^2 > y < z", "x^2 > y < z", "all"),
    ],
)
def test_what_nobody_wrote_is_taken_out(collection: str, marked: str, text: str, use: str) -> None:
    said = transcribe(marked, collection)
    assert (said.text, said.use) == (text, use)
    assert bool(said.marks) == (marked != text and said.text != marked.replace("’", "'"))


@pytest.mark.parametrize(
    "text",
    [
        "Ivan Sirko (en ukrainien : - -, en russe : - -), né",
        "Wen Shu ou Wen chou (-), surnom : Duanrong",
        "David -slin (né le 26 juillet 1989",
        "dL=(1+z)2dA{-displaystyle d_{L}",
    ],
)
def test_a_text_that_says_what_is_not_written_is_of_no_use(text: str) -> None:
    assert transcribe(text, "copiste").use == "none"
    assert transcribe(text, "mss19").use == "all"


def test_statements_that_all_had_to_copy_are_no_prose() -> None:
    assert not is_prose("J'ai lu les conditions de participation et j'y consens. Je")
    assert not is_prose("Nom de référence: imp_wikitexte_0204")
    assert is_prose("Ceci est mon testament.")


MARKS = {
    "testaments": {"superscript": 111, "table quotes": 7, "dash": 4, "long s": 4, "struck out": 3,
                   "unreadable": 1},
    "copiste": {"foreign letters": 186, "unreadable": 87, "struck out": 43, "formula": 25},
    "peraire": {"struck out": 33, "superscript": 26, "insertion": 22},
    "mss19": {"struck out": 44, "unreadable": 35, "dash": 34, "superscript": 23},
    "celestine": {"superscript": 14, "unreadable": 2, "struck out": 1},
    "lectaurep-repertoires": {"superscript": 103, "table": 28, "unreadable": 8},
}  # fmt: skip
"""As they stand in docs/lines.md."""


@pytest.mark.corpora
@pytest.mark.parametrize("corpus", ["testaments", "french_hands", "print_and_hand"])
def test_the_corpora_have_as_many_marks_as_the_docs_say(
    corpus: str, read_corpus: Callable[[str], dict[str, bytes]]
) -> None:
    counts: dict[str, Counter[str]] = {}
    for sample in READERS[corpus](read_corpus(corpus)):
        if sample.label == "handwritten":
            collection = sample.collection or corpus
            marks = transcribe(sample.text or "", collection).marks
            counts.setdefault(collection, Counter()).update(marks)
    assert counts == {name: MARKS[name] for name in counts}
