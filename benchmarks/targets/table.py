"""What was aimed at, beside what was measured."""

from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bukva.errors import ParameterError

Unit: TypeAlias = Literal["%", "ms", "k", "MB", "min"]
Verdict: TypeAlias = Literal["aim reached", "enough", "missed", "not measured"]

_UNIT_SIZE: Final[dict[str, float]] = {"%": 0.01, "ms": 1.0, "k": 1e3, "MB": 1e6, "min": 60.0}
"""What a measurement of 1 in the shown unit is in the measured one: share, ms, count, bytes, s."""


class Target(BaseModel):
    """One figure that is aimed at; all figures in its unit.

    Attributes:
        what: What is measured, in words.
        keys: Of the measurement; several are added up.
        unit: In which it is shown.
        is_higher_better: Whether more is better.
        peer: What the closest published system reaches; None where it was not measured.
        least: What must be reached.
        aim: What should be reached.
        command: That measures it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str
    keys: tuple[str, ...] = Field(min_length=1)
    unit: Unit = "%"
    is_higher_better: bool = True
    peer: float | None = None
    least: float
    aim: float
    command: str


Row: TypeAlias = dict[str, Any]


def parse_targets(content: Any) -> list[Target]:
    """Return the targets that a file holds.

    Raises:
        ParameterError: If any is not valid; lists all faults.
    """
    try:
        return TypeAdapter(list[Target]).validate_python(content)
    except ValidationError as error:
        raise ParameterError(f"Expected a list of targets, got:\n{error}") from error


def judge_targets(targets: list[Target], measurements: dict[str, Any]) -> list[Row]:
    """Return one row a target: the target, what was measured, and how the two compare.

    Args:
        targets: What is aimed at.
        measurements: Flat keys; `<key>.ci95` is an interval, `<key>.n` a number of samples.

    Returns:
        For each target its fields, and `measured`, `ci95` (both in its unit; None where there is
        none), `n` and the `verdict`.
    """
    return [_judge(target, measurements) for target in targets]


def _judge(target: Target, measurements: dict[str, Any]) -> Row:
    size = _UNIT_SIZE[target.unit]
    values = [measurements[key] for key in target.keys if key in measurements]
    is_measured = len(values) == len(target.keys)
    measured = sum(values) / size if is_measured else None
    interval = measurements.get(f"{target.keys[0]}.ci95") if len(target.keys) == 1 else None
    return {
        **target.model_dump(mode="json"),
        "measured": measured,
        "ci95": [bound / size for bound in interval] if interval else None,
        "n": measurements.get(f"{target.keys[0]}.n"),
        "verdict": _verdict(target, measured),
    }


def _verdict(target: Target, measured: float | None) -> Verdict:
    if measured is None:
        return "not measured"
    sign = 1 if target.is_higher_better else -1
    if sign * (measured - target.aim) >= 0:
        return "aim reached"
    return "enough" if sign * (measured - target.least) >= 0 else "missed"


def to_markdown(rows: list[Row]) -> str:
    """Return the rows of `judge_targets` as a table; the interval stands beside the figure."""
    header = "what | unit | the peer | at least | aim | measured | 95 % interval | n | | command"
    lines = [header, "---|---|--:|--:|--:|--:|---|--:|---|---"]
    lines += [" | ".join(_cells(row)) for row in rows]
    return "\n".join(f"| {line} |" for line in lines).replace("|  |", "| |") + "\n"


def _cells(row: Row) -> list[str]:
    interval = f"[{_number(row['ci95'][0])}, {_number(row['ci95'][1])}]" if row["ci95"] else ""
    verdict = f"**{row['verdict']}**" if row["verdict"] == "missed" else row["verdict"]
    return [
        row["what"],
        row["unit"],
        *(_number(row[name]) for name in ("peer", "least", "aim", "measured")),
        interval,
        f"{row['n']:,}" if row["n"] else "",
        verdict,
        f"`{row['command']}`",
    ]


def _number(value: float | None) -> str:
    """Return a figure with two decimals, or fewer where they are zero."""
    if value is None:
        return "-"
    return f"{value:,.2f}".rstrip("0").rstrip(".")
