"""How to check one command line of the docs without running what it does."""

import ast
import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import click

ROOT = Path(__file__).parents[2]


def check_command(text: str) -> None:
    """Check that a program takes this command line, and that what it names is there."""
    program, *arguments = shlex.split(text)
    assert program in CHECKS, "a command that no test knows: mark its block as not run in tests"
    CHECKS[program](arguments)


@cache
def kedro_cli() -> click.Command:
    from kedro.framework.cli.cli import KedroCLI

    return KedroCLI(project_path=ROOT)


def check_click(command: click.Command, arguments: list[str]) -> None:
    """Let click parse the arguments down to the last subcommand, without calling it."""
    context = click.Context(command)
    while isinstance(command, click.Group) and not _stands_alone(command, arguments):
        name = arguments[0]
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name!r}"
        command, arguments = found, arguments[1:]
    command.make_context(command.name, list(arguments), parent=context)


def _stands_alone(command: click.Group, arguments: list[str]) -> bool:
    return command.invoke_without_command and (not arguments or arguments[0].startswith("-"))


def check_make(arguments: list[str]) -> None:
    variables = {argument.split("=")[0] for argument in arguments if "=" in argument}
    known = set(re.findall(r"^(\w+)\s*\?=", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert variables <= known
    targets = [argument for argument in arguments if "=" not in argument]
    assert targets, "the default target only lists the others"
    done = subprocess.run(
        ["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for argument in arguments:
        if argument.startswith("ENV="):
            assert (ROOT / "conf" / argument.removeprefix("ENV=")).is_dir()


def check_kedro(arguments: list[str]) -> None:
    from bukva.pipeline_registry import register_pipelines

    check_click(kedro_cli(), arguments)
    options = dict(argument.partition("=")[::2] for argument in arguments if "=" in argument)
    pipeline = options.get("--pipeline", "__default__")
    registered = register_pipelines()
    assert pipeline in registered
    for node in filter(None, options.get("--from-nodes", "").split(",")):
        assert node in {item.name for item in registered[pipeline].nodes}
    check_options(options)


def check_options(options: dict[str, str]) -> None:
    """Environments exist, and parameters keep all groups valid."""
    from omegaconf import OmegaConf

    from bukva.configuration import open_config
    from bukva.pipelines.parameters import validate_parameters

    env = options.get("--env", "base")
    assert (ROOT / "conf" / env).is_dir()
    given = OmegaConf.to_container(OmegaConf.from_dotlist(options.get("--params", "").split(",")))
    loader = open_config(ROOT, env, given if options.get("--params") else {})
    validate_parameters(loader["parameters"])


def check_bukva(arguments: list[str]) -> None:
    from bukva.__main__ import bukva

    check_click(bukva, arguments)
    if arguments[0] in ("job", "retrain"):
        check_options(dict(argument.partition("=")[::2] for argument in arguments[1:]))


def check_serving(arguments: list[str]) -> None:
    from bukva.serving.__main__ import _make_parser

    status: object = 0
    try:
        _make_parser().parse_args(arguments)
    except SystemExit as ended:  # as --help does
        status = ended.code
    assert status == 0


def check_mlflow(arguments: list[str]) -> None:
    from mlflow.cli import cli

    check_click(cli, arguments)


@cache
def routes() -> frozenset[tuple[str, str]]:
    from bukva.serving.app import create_app
    from bukva.serving.settings import Settings

    app = create_app(Settings())
    paths = app.openapi()["paths"]
    documented = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    return frozenset({*documented, ("GET", app.openapi_url)})


def check_curl(arguments: list[str]) -> None:
    address = arguments[-1]
    sends = any(argument in ("-F", "-d", "--data-binary") for argument in arguments)
    assert ("POST" if sends else "GET", urlsplit(address).path) in routes()
    assert urlsplit(address).netloc == "127.0.0.1:8000", "the port that make serve takes"
    for option, value in pairwise(arguments):
        if option == "-F":
            name, _, file = value.partition("=@")
            assert name == "file"
            assert (ROOT / file).is_file()
        if option == "--data-binary":
            assert (ROOT / value.removeprefix("@")).is_file()


def check_pytest(arguments: list[str]) -> None:
    for argument in arguments:
        if "/" in argument:
            assert (ROOT / argument.split("::")[0]).exists()


def check_python(arguments: list[str]) -> None:
    if arguments[0] == "-c":
        check_python_code(arguments[1])
        return
    assert arguments[0] == "-m"
    if arguments[1] in ("bukva", "bukva.serving"):
        {"bukva": check_bukva, "bukva.serving": check_serving}[arguments[1]](arguments[2:])
        return
    assert arguments[1] == "json.tool"
    assert arguments[2].split("/")[0] == "data"


def check_python_code(code: str) -> None:
    """It compiles, and whatever it imports is there."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                assert hasattr(module, alias.name)


def check_pre_commit(arguments: list[str]) -> None:
    subprocess.run([sys.executable, "-m", "pre_commit", *arguments, "--help"], check=True)


def check_printf(arguments: list[str]) -> None:
    """It writes the body of a JSON request, from a file that is there."""
    assert arguments[0] == '{"image": "%s"}'
    file = re.fullmatch(r"\$\(base64 < (\S+) \| tr -d '\\n'\)", arguments[1])
    assert file
    assert (ROOT / file[1]).is_file()


def check_source(arguments: list[str]) -> None:
    assert arguments == [".venv/bin/activate"]


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "curl": check_curl,
    "kedro": check_kedro,
    "make": check_make,
    "mlflow": check_mlflow,
    "pre-commit": check_pre_commit,
    "printf": check_printf,
    "pytest": check_pytest,
    "python": check_python,
    "source": check_source,
}
