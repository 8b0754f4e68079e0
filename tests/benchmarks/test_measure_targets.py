from pathlib import Path

import pytest
import yaml
from kedro.io import DataCatalog
from kedro_project import PROJECT, load_config

from bukva.errors import ParameterError
from measure_targets import BEGIN, END, PARTS, add_benchmark, put_between_marks
from targets.parameters import BenchmarkParameters
from targets.pipeline import create_pipeline, create_report_pipeline
from targets.table import parse_targets


def test_table_takes_the_place_of_the_former_one() -> None:
    page = f"# Title\n\n{BEGIN}\n\n| old |\n\n{END}\n\nThe rest.\n"
    once = put_between_marks(page, "| new |\n")
    assert once == f"# Title\n\n{BEGIN}\n\n| new |\n\n{END}\n\nThe rest.\n"
    assert put_between_marks(once, "| new |\n") == once


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END} {BEGIN}"])
def test_a_page_without_both_marks_is_refused(page: str) -> None:
    with pytest.raises(ParameterError, match="found not both"):
        put_between_marks(page, "| new |")


def test_the_catalog_of_the_benchmark_has_a_place_for_all_its_datasets() -> None:
    loader = load_config("test")
    catalog = add_benchmark(loader, lambda: DataCatalog.from_config(loader["catalog"]))
    pipelines = create_pipeline() + create_report_pipeline()
    for name in pipelines.datasets():
        kept = catalog.config_resolver.resolve_pattern(name) or catalog.get(name)
        assert kept, name
    assert isinstance(catalog.load("params:benchmark"), BenchmarkParameters)


def test_each_part_is_a_namespace_of_the_pipeline() -> None:
    namespaces = {node.namespace for node in create_pipeline().nodes}
    assert namespaces == {f"benchmark.{part}" for part in PARTS}


def test_commands_of_the_targets_name_parts_that_exist() -> None:
    content = yaml.safe_load((PROJECT / "benchmarks" / "targets" / "targets.yml").read_text())
    commands = {target.command for target in parse_targets(content)}
    named = {command.partition("PARTS=")[2] for command in commands} - {""}
    assert named == set(PARTS)


def test_page_of_the_docs_has_a_line_for_each_target() -> None:
    content = yaml.safe_load((PROJECT / "benchmarks" / "targets" / "targets.yml").read_text())
    page = Path(PROJECT / "docs" / "benchmark.md").read_text()
    table = page.partition(BEGIN)[2].partition(END)[0]
    for target in parse_targets(content):
        assert f"| {target.what} |" in table
