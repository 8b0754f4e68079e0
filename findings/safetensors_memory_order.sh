#!/usr/bin/env bash
# safetensors stores a numpy array in the order in which it lies in memory, whatever its shape says.
#
# Expected: an array that is saved and loaded has the same values in the same places, or saving it
#   raises, as an array in Fortran's order is a valid array.
# What happens: the values come back in the order of memory under the shape of before: no error, no
#   warning, other numbers. A transposed weight is one such array.
# So: numpy.ascontiguousarray before each save, and a digest of the values to compare after each load.
# Versions: safetensors 0.8.0, numpy 2.3.5. Source: safetensors.numpy.save.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet safetensors==0.8.0 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from safetensors.numpy import load, save

rows = np.arange(6, dtype=np.float32).reshape(2, 3)
columns = np.asfortranarray(rows)
assert (rows == columns).all()
found = load(save({"weight": columns}))["weight"]
print(f"safetensors {version('safetensors')}: {columns.tolist()} came back as {found.tolist()}")
assert found.shape == rows.shape and not (found == rows).all(), "this has changed"
assert (load(save({"weight": np.ascontiguousarray(columns)}))["weight"] == rows).all()
PYTHON
