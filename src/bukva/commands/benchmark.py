"""`bukva benchmark`: the parts of the benchmark one by one, and the table of all targets."""

from pathlib import Path
from typing import Final

import click

from bukva.commands.session import open_session
from bukva.errors import ParameterError

PARTS: Final = (
    "size",
    "latency",
    "page_digits",
    "mnist_seeds",
    "leave_one_corpus_out",
    "cross_validation",
)
"""The cheap ones first; the last three train, for hours on a processor."""

ONLY_TABLE: Final = "table"
"""Runs no part: the table is written again from what was measured before."""

BEGIN: Final = "<!-- written by `make benchmark`: begin -->"
END: Final = "<!-- written by `make benchmark`: end -->"


@click.command()
@click.option("--env", default="base", show_default=True, help="Folder of conf/ to run in.")
@click.option("--page", type=click.Path(path_type=Path), help="Markdown page to put the table in.")
@click.argument("parts", nargs=-1, type=click.Choice([*PARTS, ONLY_TABLE]))
def benchmark(env: str, page: Path | None, parts: tuple[str, ...]) -> None:
    """Run PARTS of the benchmark, or all of them, and put everything measured into one table."""
    for part in (name for name in parts or PARTS if name != ONLY_TABLE):
        click.secho(f"\n{part}", bold=True)
        session = open_session(env)
        session.run(pipeline_names=["benchmark"], namespaces=[f"benchmark.{part}"])
        session.close()
    session = open_session(env)
    table = session.run(pipeline_names=["benchmark_report"])["benchmark_table"].load()
    session.close()
    click.echo(f"\n{table}")
    if page:
        page.write_text(put_between_marks(page.read_text(), table))


def put_between_marks(text: str, table: str) -> str:
    """Return a page with the table in place of what stands between its two marks.

    Raises:
        ParameterError: If the page does not have both marks, one after the other.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ParameterError(
            f"Expected the lines {BEGIN!r} and {END!r} in the page, found not both."
        )
    return f"{before}{begin}\n\n{table}\n{end}{after}"
