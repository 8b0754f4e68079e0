"""Writes the table of docs/how_to/settings.md from the class that reads the settings.

.venv/bin/python tools/write_settings_table.py
"""

import re
from pathlib import Path

from bukva.core.evaluation.markdown import format_table
from bukva.serving.settings import rows_of_settings

PAGE = Path(__file__).parents[1] / "docs" / "how_to" / "settings.md"
_BETWEEN_MARKS = re.compile(r"(<!-- settings -->\n).*?(<!-- end of settings -->)", re.DOTALL)


def with_table(page: str) -> str:
    """The text of the page, with the table as it is now."""
    rows = [
        [f"`{variable}`", f"`{default}`" if default else "", meaning]
        for variable, default, meaning in rows_of_settings()
    ]
    table = format_table(["variable", "default", "meaning"], rows)
    return _BETWEEN_MARKS.sub(lambda marks: f"{marks[1]}\n{table}\n\n{marks[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
