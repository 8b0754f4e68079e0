"""Every command, path and link of the README and the docs, checked against what is there."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from command_checks import ROOT, check_bukva, check_command, check_python_code
from docs_commands import CHECKED, NOT_RUN, RUN_BY, Block, read_blocks

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
# GitHub shows no titles of blocks; what is not run there is marked where the docs say it again.
_ON_GITHUB = ("README.md",)
_BLOCK = re.compile(r"^```.*\n(?:.*\n)*?```$", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
_ANCHOR = re.compile(r"\]\(([^)#\s]*)#([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_IMAGE = re.compile(r"!\[([^\]]*)\]\(")
# Inline code that begins like this is a path of the project, or a command that is checked.
_FOLDERS = ("src/", "conf/", "deploy/", "docs/", "tests/", "tools/", "notebooks/", "benchmarks/")
_COMMANDS = ("make ", "kedro run ", "kedro viz ", "kedro jupyter ", "python -m bukva ")
_FROM_OTHERS = "<"  # stands for something that the reader puts in


class Command(NamedTuple):
    page: str
    text: str


def blocks(language: str) -> list[Block]:
    """The blocks that a test looks at: not those that are marked as not run, nor whole files."""
    return [
        block
        for block in read_blocks(PAGES)
        if block.language == language and block.title in ("", CHECKED)
    ]


def inline_codes() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for code in _INLINE.findall(_BLOCK.sub("", page.read_text())):
            yield page, code


def commands() -> list[Command]:
    """Each command line of the bash blocks and each command in the text, split at pipes."""
    found = {}
    for block in blocks("bash"):
        for line in block.lines:
            found |= dict.fromkeys(Command(block.page, part) for part in split_pipes(line))
    for path, code in inline_codes():
        if code.startswith(_COMMANDS) and _FROM_OTHERS not in code:
            found[Command(str(path.relative_to(ROOT)), code)] = None
    return list(found)


def split_pipes(line: str) -> list[str]:
    """Split a line at pipes outside of quotes; what `$( )` holds goes with its command."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|")
    lexer.whitespace_split = True
    parts: list[list[str]] = [[]]
    for token in lexer:
        if token == "|":
            parts.append([])
        else:
            parts[-1].append(token)
    return [shlex.join(part) for part in parts if part]


@pytest.mark.parametrize("command", commands(), ids=lambda item: f"{item.page}: {item.text}")
def test_command_is_one_that_works(command: Command) -> None:
    check_command(command.text)


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        ("make runn", AssertionError),
        ("make run NEV=real", AssertionError),
        ("make run ENV=surreal", AssertionError),
        ("kedro run --pipeline=finetunning", AssertionError),
        ("kedro run --pipline=finetuning", click.ClickException),
        ("python -m bukva corpora fetsh", AssertionError),
        ("python -m bukva corpora fetch --form=x", click.ClickException),
        ("curl http://127.0.0.1:8000/v1/predict", AssertionError),
        ("curl -F file=@docs/images/none.png http://127.0.0.1:8000/v1/predict", AssertionError),
        ("mlflow uii", AssertionError),
        ("python -c 'import bukva.nothing'", ModuleNotFoundError),
    ],
)
def test_a_wrong_command_is_found(broken: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_command(broken)


def test_a_wrong_parameter_is_found() -> None:
    from bukva.errors import ParameterError

    with pytest.raises(ParameterError, match="max_epoch"):
        check_bukva(["job", "--params=finetuning.max_epoch=3"])


def test_a_pipe_is_split_and_quotes_are_kept() -> None:
    line = """printf '%s' "$(base64 < a | tr -d '\\n')" | curl -d @- http://x"""
    assert [shlex.split(part)[0] for part in split_pipes(line)] == ["printf", "curl"]


def test_python_of_the_docs_imports_what_is_there() -> None:
    for block in blocks("python"):
        check_python_code(block.text)


def test_a_block_is_run_by_a_test_or_says_that_it_is_not() -> None:
    """Else: name the test in tests/docs_commands.py, or mark the block."""
    unmarked = [
        (block.page, line)
        for block in blocks("bash")
        if not block.title and block.page not in _ON_GITHUB
        for line in block.lines
    ]
    assert len(unmarked) > 20
    assert [item for item in unmarked if item[1] not in RUN_BY] == []


def test_a_block_has_no_other_mark_than_those_that_are_looked_at() -> None:
    titles = {block.title for block in read_blocks(PAGES) if block.language == "bash"}
    assert titles == {"", CHECKED, NOT_RUN, 'title="run in a copy of the project"'}


def test_what_is_said_to_be_run_is_in_the_docs() -> None:
    lines = {line for block in blocks("bash") for line in block.lines}
    assert set(RUN_BY) - lines == set()


def test_tests_that_are_named_are_there() -> None:
    named = {code for _, code in inline_codes() if "::" in code} | set(RUN_BY.values())
    assert len(named) > 50
    assert {item for item in named if not has_test(item)} == set()


def has_test(name: str) -> bool:
    path, _, function = name.partition("::")
    return f"def {function}(" in (ROOT / path).read_text()


def test_paths_that_are_named_exist() -> None:
    named = {
        (page.name, code.split("::")[0])
        for page, code in inline_codes()
        if code.startswith(_FOLDERS) and not set("<>*{ ") & set(code)
    }
    assert len(named) > 20
    assert {item for item in named if not (ROOT / item[1]).exists()} == set()


def test_links_lead_somewhere() -> None:
    links = {
        (page, link)
        for page in PAGES
        for link in _LINK.findall(re.sub(r"<!--.*?-->", "", page.read_text(), flags=re.DOTALL))
        if not link.startswith("http")
    }
    assert len(links) > 20
    assert {(page.name, link) for page, link in links if not (page.parent / link).exists()} == set()


def test_links_to_headings_lead_to_one() -> None:
    """Those between pages of the docs are checked by mkdocs, too; not those of the other pages."""
    links = {
        (page, (page.parent / link).resolve() if link else page, anchor)
        for page in PAGES
        for link, anchor in _ANCHOR.findall(page.read_text())
        if not link.startswith("http")
    }
    assert len(links) > 5
    assert {(page.name, to) for page, at, to in links if to not in headings_of(at)} == set()


def headings_of(page: Path) -> set[str]:
    from markdown.extensions.toc import slugify

    text = _BLOCK.sub("", page.read_text())
    return {slugify(re.sub(r"[`*]", "", title), "-") for title in _HEADING.findall(text)}


def test_pictures_say_in_words_what_they_show() -> None:
    texts = [(page.name, text) for page in PAGES for text in _IMAGE.findall(page.read_text())]
    assert len(texts) > 10
    assert [(page, text) for page, text in texts if len(text.split()) < 4] == []


def test_every_decision_is_listed_by_its_title() -> None:
    index = (ROOT / "docs" / "decisions" / "index.md").read_text()
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    for page in pages:
        number, _, title = page.read_text().splitlines()[0].removeprefix("# ").partition(" ")
        assert f"| [{number}]({page.name}) | {title} |" in index


def test_every_parameter_group_that_is_named_has_that_parameter() -> None:
    from bukva.pipelines.parameters import Parameters

    for page, code in inline_codes():
        group, _, name = code.partition("=")[0].partition(".")
        if group in Parameters.model_fields and re.fullmatch(r"[a-z_]+", name):
            fields = Parameters.model_fields[group].annotation.model_fields
            is_dataset = name in (
                "model",
                "history",
                "learning_curves",
                "checkpoints",
                "plot_curves",
            )
            assert name in fields or is_dataset, f"{page.name}: {code}"


def test_readme_says_the_two_commands_first() -> None:
    first = next(block for block in blocks("bash") if block.page == "README.md")
    assert first.lines == ["make run", "make test"]


def test_model_card_counts_the_weights() -> None:
    import json

    from bukva.tasks.glyph.networks import build_network

    card = (ROOT / "docs" / "model_card.md").read_text()
    found = re.search(r"`(\w+)` `(\{.*\})`, (\d+) classes, ([\d,]+) weights", card)
    assert found, "Expected a card of `python -m bukva card`."
    name, sizes, classes, weights = found.groups()
    network = build_network(name, int(classes), **json.loads(sizes))
    assert f"{sum(item.numel() for item in network.parameters()):,}" == weights


def test_picture_of_the_pipelines_shows_what_is_registered() -> None:
    """Else: .venv/bin/python tools/draw_docs_images.py."""
    import json

    from PIL import Image

    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from draw_docs_images import describe_pipelines
    finally:
        sys.path.pop(0)
    with Image.open(ROOT / "docs" / "images" / "pipeline.png") as picture:
        shown = json.loads(picture.info["Description"])
    assert shown == describe_pipelines()
    assert shown["datasets"]["mnist_pretraining -> finetuning"] == ["mnist_pretraining.model"]


def test_site_builds_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", f"--site-dir={tmp_path}"],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) >= len(list((ROOT / "docs").rglob("*.md")))
    loads = re.compile(r"<(?:script|img|link|iframe|source)\b[^>]*?(?:src|href)=[\"']?(https?:)?//")
    offenders = {page.name for page in pages if loads.search(page.read_text())}
    offenders |= {
        sheet.name
        for sheet in tmp_path.rglob("*.css")
        if re.search(r"(url\(|@import )[\"']?(https?:)?//", sheet.read_text())
    }
    assert offenders == set()
    assert "EmptyImageError" in (tmp_path / "reference" / "index.html").read_text()
