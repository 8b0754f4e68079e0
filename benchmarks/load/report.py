"""What was measured, beside what is asked for."""

import json
import math
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path

from load.generator import Tally


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: Name, with the unit.
        measured: The figure.
        least: What it has to reach; None if it may be any.
        most: What it must not pass; None if it may be any.
        is_about_answers: Whether missing it means that the service answered wrongly, rather than
            slowly.
    """

    what: str
    measured: float
    least: float | None = None
    most: float | None = None
    is_about_answers: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it is within its bounds; a figure that is none is not."""
        is_enough = self.least is None or self.measured >= self.least
        is_bounded = self.most is None or self.measured <= self.most
        return is_enough and is_bounded and not math.isnan(self.measured)

    @property
    def target(self) -> str:
        """Its bounds, in words."""
        if self.least is not None and self.least == self.most:
            return f"{self.least:,g}"
        least = "" if self.least is None else f"at least {self.least:,g}"
        most = "" if self.most is None else f"at most {self.most:,g}"
        return least or most

    @property
    def verdict(self) -> str:
        """Met, missed, wrong, or nothing where there is no target."""
        if self.is_met:
            return "met" if self.target else ""
        return "WRONG" if self.is_about_answers else "missed"


@dataclass
class Report:
    """The figures of a run, on what machine, and the first wrong answers."""

    conditions: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    wrong: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, measured: float, **bounds: float) -> None:
        """Adds a figure, with `least` or `most`."""
        self._print(Row(what, float(measured), **bounds))

    def require(self, what: str, measured: float, wanted: float = 0) -> None:
        """Adds a count of which any other value is a wrong answer."""
        self._print(Row(what, float(measured), wanted, wanted, is_about_answers=True))

    def require_right(self, what: str, tally: Tally) -> None:
        """Adds how many answers of a load were wrong or did not come."""
        for fault, times in tally.wrong.items():
            self.wrong[f"{what}: {fault}"] = self.wrong.get(f"{what}: {fault}", 0) + times
        self.require(f"{what}: wrong or missing answers", sum(tally.wrong.values()))

    @property
    def is_right(self) -> bool:
        """Whether no answer was wrong."""
        return all(row.is_met for row in self.rows if row.is_about_answers)

    @property
    def is_met(self) -> bool:
        """Whether no target was missed."""
        return all(row.is_met for row in self.rows)

    def write(self, path: Path) -> None:
        """Writes all as JSON."""
        rows = [asdict(row) | {"verdict": row.verdict} for row in self.rows]
        content = {"conditions": self.conditions, "rows": rows, "wrong": self.wrong}
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")

    def print_head(self) -> None:
        """Prints the conditions, and begins the table."""
        for name, value in self.conditions.items():
            print(f"{name}: {value}")
        print(f"\n{'what':<62}{'measured':>12}  {'target':<18}verdict", flush=True)

    def print_tail(self) -> None:
        """Ends the table with what was wrong."""
        for fault, times in self.wrong.items():
            print(f"wrong {times} x: {fault}")

    def _print(self, row: Row) -> None:
        self.rows.append(row)
        print(f"{row.what:<62}{row.measured:>12,.4g}  {row.target:<18}{row.verdict}", flush=True)


def describe_machine() -> dict[str, str]:
    """On what it is measured, and how busy that is."""
    load = f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "not known"
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "Python": platform.python_version(),
        "load before the start (1 min)": load,
    }
