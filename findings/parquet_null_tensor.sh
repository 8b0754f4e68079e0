#!/usr/bin/env bash
# A column of fixed-shape tensors with a null goes into a Parquet file and does not come back.
#
# Expected: a null among tensors is a null when the file is read, as in a column of any other type; or
#   the writer refuses it.
# What happens: the writer takes it. The reader raises ArrowInvalid for the whole file, since Parquet
#   keeps a null as a list of no values and the storage of a tensor wants all of its values.
# So: who reads such columns of others reads the file by row groups and in its storage type.
# Versions: pyarrow 25.0.1. Source: pyarrow.fixed_shape_tensor and pyarrow.parquet.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyarrow==25.0.1 numpy==2.3.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import pyarrow as pa
import pyarrow.parquet as pq

kind = pa.fixed_shape_tensor(pa.uint8(), (2, 2))
rows = pa.array([[1, 2, 3, 4], None], pa.list_(pa.uint8(), 4))
pq.write_table(pa.table({"image": pa.ExtensionArray.from_storage(kind, rows)}), "images.parquet")
print(f"pyarrow {pa.__version__}: written, {pq.read_metadata('images.parquet').num_rows} rows")
try:
    table = pq.read_table("images.parquet")
except pa.ArrowInvalid as error:
    print(f"not read: {error}")
else:
    raise SystemExit(f"this has changed: {table['image'].null_count} null was read")
PYTHON
