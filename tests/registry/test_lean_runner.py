import pandas as pd
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro_mlflow.mlflow import KedroPipelineModel

from bukva.registry.lean_runner import SequentialRunner


def double(table: pd.DataFrame, factor: pd.DataFrame) -> pd.DataFrame:
    return table * factor["factor"][0]


PIPELINE = Pipeline(
    [
        Node(double, ["doubled", "factor"], "twice_doubled"),
        Node(double, ["images", "factor"], "doubled"),
    ]
)
FACTOR = pd.DataFrame({"factor": [2]})
IMAGES = pd.DataFrame({"image": [1, 2]})


def test_nodes_run_in_the_order_of_their_inputs():
    catalog = DataCatalog({"images": MemoryDataset(IMAGES), "factor": MemoryDataset(FACTOR)})
    outputs = SequentialRunner().run(PIPELINE, catalog)
    assert list(outputs) == ["twice_doubled"]
    assert outputs["twice_doubled"].load()["image"].tolist() == [4, 8]


def test_kedro_mlflow_takes_it_for_its_own(tmp_path, monkeypatch):
    from kedro_datasets.pandas import ParquetDataset

    runner = SequentialRunner()
    calls = []
    run = runner.run
    runner.run = lambda **inputs: calls.append(inputs) or run(**inputs)
    factor = ParquetDataset(filepath=str(tmp_path / "factor.parquet"))
    factor.save(FACTOR)
    model = KedroPipelineModel(
        PIPELINE, DataCatalog({"factor": factor}), input_name="images", runner=runner
    )
    model.loaded_catalog["factor"].save(FACTOR)
    assert model.predict(None, IMAGES)["image"].tolist() == [4, 8]
    assert len(calls) == 1
