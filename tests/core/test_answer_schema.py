"""Tables of models: what Arrow and MLflow are told, and that both take what the models hold."""

from typing import Literal

import pandas as pd
import pyarrow as pa
import pytest
from mlflow.models import infer_signature
from mlflow.types import DataType, Schema
from pydantic import BaseModel, Field

from bukva.core.schema import columns_of, to_arrow, to_mlflow_json


class Word(BaseModel):
    text: str
    share: float = Field(ge=0, le=1)
    box: list[int]


class Line(BaseModel):
    words: list[Word]
    script: Literal["print", "cursive"] | None
    page: int = 1


class Row(BaseModel):
    image: bytes
    line: Line | None
    is_empty: bool
    sizes: dict[str, float] | None = None


ROW = Row(
    image=b"PNG",
    line=Line(words=[Word(text="так", share=0.5, box=[1, 2, 3, 4])], script="print"),
    is_empty=False,
    sizes={"height_px": 12.0},
)


def test_a_model_inside_lies_flat_and_may_miss_where_it_may():
    assert [(column.name, column.is_required) for column in columns_of(Row)] == [
        ("image", True), ("words", False), ("script", False), ("page", False), ("is_empty", True),
        ("sizes", False),
    ]  # fmt: skip
    assert [column.is_required for column in columns_of(Line)] == [True, False, False]


def as_columns(row):
    values = row.model_dump()
    return values | values.pop("line")


def test_arrow_takes_rows_and_gives_them_back():
    schema = to_arrow(Row)
    assert str(schema.field("words").type) == (
        "list<item: struct<text: string, share: double, box: list<item: int64>>>"
    )
    table = pa.Table.from_pylist([as_columns(ROW)], schema=schema)
    assert table.to_pylist(maps_as_pydicts="strict") == [as_columns(ROW)]


def test_mlflow_takes_rows():
    schema = Schema.from_json(to_mlflow_json(Row))
    assert schema.input_names() == [column.name for column in columns_of(Row)]
    assert schema.required_input_names() == ["image", "is_empty"]
    assert schema.input_dict()["page"].type == DataType.long
    inferred = infer_signature(pd.DataFrame([as_columns(ROW)])).inputs
    for name in ("image", "words", "script", "is_empty"):
        assert schema.input_dict()[name].type == inferred.input_dict()[name].type


@pytest.mark.parametrize("kind", [set, complex, Literal["a", 1]])
def test_a_field_that_no_table_holds_is_named(kind):
    class Odd(BaseModel, arbitrary_types_allowed=True):
        field: kind

    with pytest.raises((TypeError, ValueError)):
        to_arrow(Odd)
