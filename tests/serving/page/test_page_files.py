import re

import pytest

from bukva.core.alphabets import DIGITS
from bukva.serving.app import PAGE
from bukva.tasks.glyph.charset import LETTERS

FILES = sorted(path.name for path in PAGE.iterdir())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "index.html"),
        ("/about", "about.html"),
        ("/documents", "documents.html"),
        ("/lines", "lines.html"),
    ],
)
def test_the_pages_have_short_addresses(server, path, name):
    answer = server.http.get(path)
    assert answer.content == (PAGE / name).read_bytes()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert server.http.head(path).status_code == 200


@pytest.mark.parametrize("name", FILES)
def test_its_files_are_served_with_their_type(server, name):
    answer = server.http.get(f"/page/{name}")
    assert answer.content == (PAGE / name).read_bytes()
    types = {"js": "javascript", "css": "css", "html": "html", "svg": "svg"}
    assert types[name.rpartition(".")[2]] in answer.headers["content-type"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    again = server.http.get(f"/page/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_loaded_from_elsewhere(name):
    text = (PAGE / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//[a-z]+\.|@import|\beval\b|innerHTML|\bon\w+=\"", text)


@pytest.mark.parametrize(
    "path", ["/page/../app.py", "/page/%2e%2e/app.py", "/page//etc/passwd", "/page/", "/page/none"]
)
def test_nothing_beside_the_page_is_served(server, path):
    answer = server.http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_keyboard_has_every_letter_and_digit():
    text = (PAGE / "corrections.js").read_text(encoding="utf-8")
    assert f'"{LETTERS}"' in text
    assert f'"{DIGITS}"' in text


def read_keys(name):
    """The names of a file's texts in Ukrainian, and in English."""
    text = (PAGE / name).read_text(encoding="utf-8")
    parts = re.split(r"^  (?:uk|en): \{$", text, flags=re.MULTILINE)[1:]
    return [re.findall(r"^ {4,6}(\w+):", part, flags=re.MULTILINE) for part in parts]


@pytest.mark.parametrize(
    "name", ["texts.js", "about_texts.js", "document_texts.js", "line_texts.js"]
)
def test_both_languages_say_the_same_things(name):
    ukrainian, english = read_keys(name)
    assert ukrainian == english


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("index.html", ["texts.js"]),
        ("about.html", ["texts.js", "about_texts.js"]),
        ("documents.html", ["texts.js", "document_texts.js"]),
        ("lines.html", ["texts.js", "line_texts.js"]),
    ],
)
def test_a_page_asks_for_texts_that_there_are(page, names):
    used = re.findall(r'data-(?:text|label|alt)="(\w+)"', (PAGE / page).read_text("utf-8"))
    assert set(used) <= {key for name in names for key in read_keys(name)[0]}
