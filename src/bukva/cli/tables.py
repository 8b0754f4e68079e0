"""Tables as a terminal shows them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.table import Table

if TYPE_CHECKING:
    from bukva.registry.history import Metric

# Below this the intervals of the widest table wrap.
_NARROWEST_COLUMNS = 124


def make_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, are_numbers: bool = False
) -> Table:
    """Return a table; where it holds numbers, all columns but the first one end at the right."""
    table = Table(title=title)
    for index, name in enumerate(columns):
        table.add_column(
            name, justify="right" if are_numbers and index else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*row)
    return table


def show(*items: RenderableType) -> None:
    """Print texts and tables, however narrow the terminal says it is."""
    console = Console()
    console.width = max(console.width, _NARROWEST_COLUMNS)
    for item in items:
        console.print(item)


def format_share(metric: "Metric | None") -> str:
    """Return a share in per cent with its 95 % interval, a dash for none."""
    if metric is None:
        return "-"
    if metric.interval_95 is None:
        return f"{100 * metric.value:.1f}"
    low, high = metric.interval_95
    return f"{100 * metric.value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
