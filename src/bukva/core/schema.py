"""The columns of a table whose rows are a pydantic model, for Arrow and for MLflow.

What goes over HTTP is described by pydantic itself, so a task writes its fields down once.

A field that is a model stands in the table as the fields of that model; in a list it stays one
value. A column must have a value where its field must: one with a default, one that may be None,
and those of a model that may be None need not.
"""

import json
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

import pydantic

# Each plain type as MLflow calls it, and as pyarrow's function for it is called.
_PLAIN: Final[dict[type, tuple[str, str]]] = {
    str: ("string", "string"),
    bool: ("boolean", "bool_"),
    int: ("long", "int64"),
    float: ("double", "float64"),
    bytes: ("binary", "binary"),
}


class Column(NamedTuple):
    """A column: its name, the type of its values, and whether each row has one."""

    name: str
    type: Any
    is_required: bool


def columns_of(model: type[pydantic.BaseModel], *, may_miss: bool = False) -> Iterator[Column]:
    """Yield the columns of a table whose rows are such models; all `may_miss` if it does."""
    for name, field in model.model_fields.items():
        inner, is_nullable = _split_none(field.annotation)
        may_be_absent = may_miss or is_nullable or not field.is_required()
        if _is_model(inner):
            yield from columns_of(inner, may_miss=may_be_absent)
        else:
            yield Column(name, inner, not may_be_absent)


def to_arrow(model: type[pydantic.BaseModel]) -> Any:
    """Return the `pyarrow.Schema` of a table whose rows are such models."""
    import pyarrow as pa

    return pa.schema({column.name: _arrow_type(column.type) for column in columns_of(model)})


def to_mlflow_json(model: type[pydantic.BaseModel]) -> str:
    """Return the same as `mlflow.types.Schema.from_json` reads it."""
    return json.dumps(
        [
            _mlflow_type(column.type) | {"name": column.name, "required": column.is_required}
            for column in columns_of(model)
        ]
    )


def _arrow_type(value_type: Any) -> Any:
    import pyarrow as pa

    inner, _ = _split_none(value_type)
    if _is_model(inner):
        fields = inner.model_fields.items()
        return pa.struct({name: _arrow_type(field.annotation) for name, field in fields})
    if get_origin(inner) is list:
        return pa.list_(_arrow_type(*get_args(inner)))
    if get_origin(inner) is dict:
        return pa.map_(*map(_arrow_type, get_args(inner)))
    return getattr(pa, _plain(inner)[1])()


def _mlflow_type(value_type: Any) -> dict[str, Any]:
    inner, _ = _split_none(value_type)
    if _is_model(inner):
        properties = {
            name: _mlflow_type(field.annotation) | {"required": field.is_required()}
            for name, field in inner.model_fields.items()
        }
        return {"type": "object", "properties": properties}
    if get_origin(inner) is list:
        return {"type": "array", "items": _mlflow_type(*get_args(inner))}
    if get_origin(inner) is dict:
        return {"type": "map", "values": _mlflow_type(get_args(inner)[1])}
    return {"type": _plain(inner)[0]}


def _split_none(value_type: Any) -> tuple[Any, bool]:
    """Return a type without its constraints and without None, and whether it had that."""
    if get_origin(value_type) is Annotated:
        return _split_none(get_args(value_type)[0])
    if get_origin(value_type) in (Union, UnionType):
        others = [each for each in get_args(value_type) if each is not NoneType]
        if len(others) == 1:
            return _split_none(others[0])[0], True
    return value_type, False


def _is_model(value_type: Any) -> bool:
    return isinstance(value_type, type) and issubclass(value_type, pydantic.BaseModel)


def _plain(value_type: Any) -> tuple[str, str]:
    if get_origin(value_type) is Literal:
        [value_type] = {type(value) for value in get_args(value_type)}
    if value_type not in _PLAIN:
        known = ", ".join(each.__name__ for each in _PLAIN)
        raise TypeError(
            f"Expected {known}, a list or dict of them, or a model in a field of a table's rows, "
            f"got {value_type}."
        )
    return _PLAIN[value_type]
