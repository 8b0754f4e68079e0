"""The page at `/`: the addresses of the service, and how to call it. It loads nothing."""

from html import escape
from typing import Any

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>bukva</title></head>
<body>
<h1>bukva</h1>
<p>Recognises a handwritten Ukrainian letter or digit in an image. What shows no symbol that it
knows, or more than one, is answered with <code>is_symbol: false</code> and no symbol.</p>
<pre>curl -F file=@letter.png {address}/v1/predict</pre>
<dl>
{rows}
</dl>
<p>In full: <a href="/openapi.json">/openapi.json</a></p>
</body>
</html>
"""


def render_index(openapi: dict[str, Any], address: str) -> str:
    """The page of the service at `address`, with one row for each path in `openapi`."""
    rows = [
        f"<dt><code>{method.upper()} {escape(path)}</code></dt>"
        f"<dd>{escape(operation['summary'])}</dd>"
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    ]
    return _PAGE.format(address=escape(address), rows="\n".join(rows))
