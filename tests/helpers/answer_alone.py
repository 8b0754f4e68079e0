"""What anyone does with a packaged model: load it, and ask it twice, the second time why.

Arguments: the folder of the model, a table of images. Prints one JSON object, as the only output.
"""

import json
import logging
import sys

import mlflow
import pandas as pd

logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
model = mlflow.pyfunc.load_model(sys.argv[1])
images = pd.read_parquet(sys.argv[2])["image"]
plain = model.predict(pd.DataFrame({"image": images}))
explained = model.predict(pd.DataFrame({"image": images, "explain": True}))
tables = {"plain": plain, "explained": explained}
answers = {name: table.to_dict("records") for name, table in tables.items()}
sys.stdout.write(json.dumps(answers))
