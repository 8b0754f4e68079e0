"""What a reviewer said of single corrections: the file that the review writes."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.functional_validators import AfterValidator

from bukva import charset
from bukva.errors import CorrectionError


def _known(symbol: str) -> str:
    charset.from_symbol(symbol)
    return symbol


class Decision(BaseModel):
    """What a person who looked at a drawing says that it shows.

    Attributes:
        symbol: None if nothing is to be learnt from it.
        reviewer: Who says so.
        decided: When.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: Annotated[str, AfterValidator(_known)] | None
    reviewer: Annotated[str, Field(min_length=1, max_length=64)]
    decided: AwareDatetime


Decisions: TypeAlias = dict[str, Decision]
"""By the id of the correction."""

_DECISIONS: TypeAdapter[Decisions] = TypeAdapter(dict[str, Decision])


def parse_decisions(content: bytes) -> Decisions:
    """Return the decisions of a file.

    Raises:
        CorrectionError: If it is not one; names what is wrong.
    """
    try:
        return _DECISIONS.validate_json(content)
    except ValidationError as error:
        faults = "\n".join(
            f"  - {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        message = f"Expected the decisions of a review, got a file with faults:\n{faults}\n"
        raise CorrectionError(f"{message}Mend it, or put a former one in its place.") from error


def write_decisions(decisions: Mapping[str, Decision]) -> bytes:
    """Return the bytes of the file, in the order of the ids."""
    plain: dict[str, Any] = {
        name: decisions[name].model_dump(mode="json") for name in sorted(decisions)
    }
    return json.dumps(plain, ensure_ascii=False, indent=1).encode()
