"""The parts of the benchmark one by one, and the table of all targets: `make benchmark`.

python benchmarks/measure_targets.py --env=real --page=docs/benchmark.md latency size
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
import yaml
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner

from bukva.cli.session import open_session
from bukva.configuration import ConfigLoader
from bukva.errors import ParameterError
from bukva.pipelines.parameters import validate_parameters
from targets.parameters import BenchmarkParameters
from targets.pipeline import create_pipeline, create_report_pipeline

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


TARGETS: Final = "benchmarks/targets"


@click.command()
@click.option("--env", default="base", show_default=True, help="Folder of conf/ to run in.")
@click.option("--page", type=click.Path(path_type=Path), help="Markdown page to put the table in.")
@click.argument("parts", nargs=-1, type=click.Choice([*PARTS, ONLY_TABLE]))
def measure_targets(env: str, page: Path | None, parts: tuple[str, ...]) -> None:
    """Run PARTS of the benchmark, or all of them, and put everything measured into one table."""
    session = open_session(env)
    context = session.load_context()
    catalog = add_benchmark(context.config_loader, lambda: context.catalog)
    for part in (name for name in parts or PARTS if name != ONLY_TABLE):
        click.secho(f"\n{part}", bold=True)
        pipeline = create_pipeline().filter(node_namespaces=[f"benchmark.{part}"])
        SequentialRunner().run(pipeline, catalog)
    SequentialRunner().run(create_report_pipeline(), catalog)
    table = catalog["benchmark_table"].load()
    click.echo(f"\n{table}")
    if page:
        page.write_text(put_between_marks(page.read_text(), table))
    session.close()


def add_benchmark(loader: ConfigLoader, make: Callable[[], DataCatalog]) -> DataCatalog:
    """Return the catalog of an environment with the datasets and parameters of the benchmark."""
    own = loader.load_and_merge_dir_config(TARGETS, ["catalog.yml"], "catalog", set())
    loader["catalog"] = loader["catalog"] | own
    catalog = make()
    groups = validate_parameters(loader["parameters"])
    for name in ("evaluation", "finetuning", "mnist_pretraining"):
        catalog[f"params:{name}"] = getattr(groups, name)
    body = yaml.safe_load(Path(TARGETS, "parameters.yml").read_text())["benchmark"]
    catalog["params:benchmark"] = BenchmarkParameters.model_validate(body)
    return catalog


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


if __name__ == "__main__":
    measure_targets()
