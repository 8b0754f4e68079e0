"""The notebook lines of the page to draw on."""

import re

from kedro_project import PROJECT

_STYLE = (PROJECT / "src" / "bukva" / "serving" / "page" / "style.css").read_text(encoding="utf-8")

# The top of capitals, the top of small letters, the line to write on, as shares of the sheet.
CAPITAL, SMALL, GROUND = (int(share) / 100 for share in re.findall(r"0 (\d+)% / 100%", _STYLE))
