import re

import pytest

from bukva.charset import DIGITS, LETTERS
from bukva.serving.page_files import PAGE

FILES = sorted(path.name for path in PAGE.iterdir())


def test_the_page_is_at_the_root(server):
    answer = server.http.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert server.http.head("/").status_code == 200


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


def test_both_languages_say_the_same_things():
    text = (PAGE / "texts.js").read_text(encoding="utf-8")
    _, ukrainian, english = re.split(r"^  (?:uk|en): \{$", text, flags=re.MULTILINE)
    keys = [re.findall(r"^ {4,6}(\w+):", part, flags=re.MULTILINE) for part in (ukrainian, english)]
    assert keys[0] == keys[1]
    used = re.findall(r'data-(?:text|label|alt)="(\w+)"', (PAGE / "index.html").read_text("utf-8"))
    assert set(used) <= set(keys[0])
