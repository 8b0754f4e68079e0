"""What surrounds the code: install, image, continuous integration, hooks before a commit."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
INSTRUCTIONS = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text()).splitlines()


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of this name in the Dockerfile, in order."""
    found = (line.strip().partition(" ") for line in INSTRUCTIONS)
    return [arguments.strip() for key, _, arguments in found if key == name]


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~ ]", requirement)[0].lower()


def test_makefile_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z_]+):", makefile, re.MULTILINE))
    # Inside `make test`, make would announce the folder that it enters.
    command = ["make", "--no-print-directory", "help"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split()[0] for line in listed.stdout.splitlines()} == targets
    assert {"run", "test", "check", "serve", "viz", "corpora"} <= targets


def test_every_requirement_is_tested_in_one_version() -> None:
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
    extras = PYPROJECT["optional-dependencies"]
    asked = {
        name_of(item) for group in [PYPROJECT["dependencies"], *extras.values()] for item in group
    }
    assert asked - {"bukva"} <= {name.lower() for name in pinned}


def test_installer_takes_every_extra_but_the_heavy_one() -> None:
    installer = (ROOT / "tools" / "install.py").read_text()
    default = re.search(r'^EXTRAS = "(.+)"$', installer, re.MULTILINE)
    assert default
    assert set(default[1].split(",")) == PYPROJECT["optional-dependencies"].keys() - {"spark"}


def test_what_a_packaged_model_needs_holds_no_torch() -> None:
    """Imports, with all packages of the extra `training` hidden, what the serving image imports."""
    light = {name_of(item) for item in PYPROJECT["dependencies"]}
    training = {name_of(item) for item in PYPROJECT["optional-dependencies"]["training"]}
    assert "torch" in training - light
    # Packages that MLflow or Kedro bring anyway are no sign of torch.
    brought = {"matplotlib", "pyarrow", "rich", "scikit-learn", "tqdm"}
    hidden = [name.replace("-", "_") for name in sorted(training - light - brought)]
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({hidden}))\n"
        "import bukva.serving.app, bukva.pipelines.inference, bukva.datasets.files\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True)


def test_images_start_from_a_pinned_base_and_run_as_nobody_special() -> None:
    named = {line.split()[2] for line in instructions("FROM")}
    bases = {line.split()[0] for line in instructions("FROM")} - named
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", bases.pop())
    for target in ("mlflow", "operations", "training", "serving"):
        users = stage(target, "USER")
        assert users
        assert users[-1] not in ("root", "0")
        assert all("build" in line for line in stage(target, "COPY") if "--from" in line)
    assert stage("serving", "EXPOSE") == ["8000"]
    assert json.loads(stage("serving", "ENTRYPOINT")[-1]) == ["python", "-m", "bukva.serving"]
    assert instructions("FROM")[-1].endswith(" AS serving"), "what is built when nothing is named"


def stage(name: str, instruction: str) -> list[str]:
    """The arguments of each instruction of this name in one stage of the Dockerfile."""
    begin = next(i for i, line in enumerate(INSTRUCTIONS) if line.endswith(f" AS {name}"))
    end = next(
        (i for i, line in enumerate(INSTRUCTIONS) if i > begin and line.startswith("FROM ")), None
    )
    found = (line.strip().partition(" ") for line in INSTRUCTIONS[begin:end])
    return [arguments.strip() for key, _, arguments in found if key == instruction]


def test_hadolint_finds_nothing() -> None:
    program = Path(sys.executable).parent / "hadolint"
    if not program.exists():
        pytest.skip("hadolint is built for Linux on x86-64 alone")
    command = [program, ROOT / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_image_takes_nothing_from_an_address_and_no_secret() -> None:
    assert instructions("ADD") == []
    text = "\n".join(line for line in INSTRUCTIONS if not line.startswith("#"))
    assert not re.search(r"curl |wget |https?://(?!127\.0\.0\.1)", text)
    assert not re.search(r"(?i)secret|password|token|_key\b", text)


@pytest.mark.parametrize(
    ("target", "expected"),
    [("serving", ".[serving]"), ("operations", ".[stack]"), ("training", ".[training,postgresql]")],
)
def test_image_installs_the_tested_versions(target: str, expected: str) -> None:
    """And after that, without asking for any package, the project's own files."""
    *packages, project = [line for line in stage(f"build-{target}", "RUN") if "pip install" in line]
    words = shlex.split(packages[0].replace(" && ", " "))
    assert words[words.index("-c") + 1] == "constraints.txt"
    assert expected in words
    assert "--no-deps" in project


def test_what_the_image_of_mlflow_installs_is_tested_in_one_version() -> None:
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().split()}
    (install,) = [line for line in stage("build-mlflow", "RUN") if "pip install" in line]
    words = shlex.split(install)
    assert {name_of(word) for word in words[words.index("constraints.txt") + 1 :]} <= pinned


def test_service_needs_nothing_of_what_its_image_leaves_out() -> None:
    listed = (ROOT / "deploy" / "images" / "unused_by_serving.txt").read_text().splitlines()
    left_out = [line for line in listed if not line.startswith("#")]
    modules = {"scikit-learn": "sklearn", "fonttools": "fontTools"}
    hidden = [modules.get(name, name) for name in left_out]
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({hidden}))\n"
        "import bukva.serving.app, bukva.pipelines.inference, bukva.datasets.files\n"
        "import mlflow.pyfunc\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True)


def test_image_gets_only_what_it_copies() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    let_through = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {
        name
        for line in instructions("COPY")
        if not line.startswith("--from")
        for name in line.split()[:-1]
    }
    copied = {"deploy/images" if name.startswith("deploy/images/") else name for name in copied}
    assert "*" in ignored
    assert let_through == copied
    assert all((ROOT / name).exists() for name in copied)


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_health_check_of_the_image_asks_whether_it_can_recognise() -> None:
    command = json.loads(stage("serving", "HEALTHCHECK")[0].partition("CMD ")[2])
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = os.environ | {"BUKVA_PORT": str(server.server_port)}
    command[0] = sys.executable
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    server.shutdown()
    server.server_close()
    done = subprocess.run(command, env=environment, check=False, capture_output=True)
    assert done.returncode == 1


def test_ci_may_only_read_and_runs_what_the_readme_says() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    job = workflow["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12"]
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make check", "make test"]
    assert "secrets" not in (ROOT / ".github" / "workflows" / "ci.yml").read_text()


@pytest.mark.parametrize(
    ("tests", "checks", "expected"),
    [
        ("echo '3 passed, 1 skipped in 0.10s'", "true", 0),
        ("echo '4 skipped in 0.10s'", "true", 1),
        ("echo 'no tests ran in 0.01s'; exit 5", "true", 2),
        ("echo '1 failed, 3 passed in 0.10s'; exit 1", "true", 2),
        ("echo '3 passed in 0.10s'", "false", 1),
    ],
)
def test_ci_run_fails_when_it_should(
    tmp_path: Path, tests: str, checks: str, expected: int
) -> None:
    """The script itself, over a Makefile that ends as pytest and the checks may end."""
    (tmp_path / ".ci").mkdir()
    script = tmp_path / ".ci" / "run"
    script.write_bytes((ROOT / ".ci" / "run").read_bytes())
    script.chmod(0o755)
    (tmp_path / "Makefile").write_text(
        f"test:\n\t@{tests}\ncheck:\n\t@{checks}\ncorpora:\n\t@echo corpora from $(FROM)\n"
    )
    environment = os.environ | {"BUKVA_MIRROR": str(tmp_path)}
    done = subprocess.run(
        [script], env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == expected, done.stderr
    assert f"corpora from {tmp_path}" in done.stdout


def test_ci_run_is_executable() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_hooks_before_a_commit_are_local_and_there() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = {hook["id"]: hook for hook in config["repos"][0]["hooks"]}
    assert {"ruff", "ruff-format", "mypy", "import-linter", "check-files"} == set(hooks)
    for hook in hooks.values():
        assert hook["language"] == "system"
        program, *arguments = shlex.split(hook["entry"])
        assert (Path(sys.executable).parent / Path(program).name).exists()
        assert all((ROOT / name).exists() for name in arguments if "/" in name)


def check_files(*names: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "check_files.py"), *map(str, names)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_does_not_belong_into_the_repository_is_named(tmp_path: Path) -> None:
    run = {"cell_type": "code", "execution_count": 1, "outputs": [], "source": "1"}
    contents = {
        "large.bin": b"\0" * 1_000_001,
        "id_rsa": b"-----BEGIN OPENSSH PRIVATE " + b"KEY-----\n",
        "run.ipynb": json.dumps({"cells": [run]}).encode(),
        "fine.py": b"x = 1\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    done = check_files(*(tmp_path / name for name in contents))
    assert done.returncode == 1
    faults = done.stderr.splitlines()
    assert [Path(line.split(":")[0]).name for line in faults] == [
        "large.bin",
        "id_rsa",
        "run.ipynb",
    ]
    assert check_files(tmp_path / "fine.py").returncode == 0


def test_nothing_like_that_is_in_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = [ROOT / name for name in listed.stdout.split("\0") if name]
    if not names:
        pytest.skip("not a git checkout: there is no list of its files")
    done = check_files(*names)
    assert done.returncode == 0, done.stderr
