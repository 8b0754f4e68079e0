#!/usr/bin/env bash
# Two of Kedro's OmegaConfigLoader in one process share one resolver of globals.
#
# Expected: a loader reads the configuration of the environment that it was made for, whenever it is
#   asked, as it is an object with an environment of its own.
# What happens: `${globals:...}` and `${runtime_params:...}` are resolvers of OmegaConf, which has one
#   table a process, and each new loader registers its own in place of the former one's. A loader that
#   is asked for a kind of configuration for the first time after another one was made fills it with
#   the globals of the other: no error, a wrong value. What it was asked for before stays right.
# So: read all of one loader before the next is made, or make it anew each time.
# Versions: kedro 1.7.0, omegaconf as it comes with it. Source: kedro.config.OmegaConfigLoader.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet kedro==1.7.0
mkdir -p "$folder/conf/base" "$folder/conf/one" "$folder/conf/two"
echo 'place: base' >"$folder/conf/base/globals.yml"
echo 'place: one' >"$folder/conf/one/globals.yml"
echo 'place: two' >"$folder/conf/two/globals.yml"
echo 'folder: ${globals:place}' >"$folder/conf/base/parameters.yml"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from kedro.config import OmegaConfigLoader

arguments = {"base_env": "base", "default_run_env": "base"}
early = OmegaConfigLoader("conf", env="one", **arguments)
asked_before = early["parameters"]["folder"]
late = OmegaConfigLoader("conf", env="one", **arguments)
OmegaConfigLoader("conf", env="two", **arguments)
asked_after = late["parameters"]["folder"]
print(f"kedro {version('kedro')}, omegaconf {version('omegaconf')}")
print(f"asked before another loader was made: {asked_before!r}, after: {asked_after!r}")
assert (asked_before, asked_after) == ("one", "two"), "this has changed"
PYTHON
