#!/usr/bin/env bash
# PDFium cannot open the PDF without pages that it wrote itself, and says why of another file.
#
# Expected: a document that PDFium has saved opens again, with no pages; or, if it does not, the error
#   says what is wrong with it.
# What happens: loading it fails, and the error is `Success`. After any other file has failed in the
#   same process, it is that file's error: a document without pages is then said to be broken, or to
#   want a password. FPDF_GetLastError is not set by this failure, and keeps what was there.
# So: do not tell people of a password by the code alone; look into the file as well.
# Versions: pypdfium2 5.15.2 with the PDFium in it. Source: FPDF_LoadMemDocument64, FPDF_GetLastError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pypdfium2==5.15.2
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import io
from importlib.metadata import version

from pypdfium2 import PdfDocument, PdfiumError


def error_of(content: bytes) -> tuple[int, str]:
    try:
        PdfDocument(content)
    except PdfiumError as error:
        return error.err_code, str(error)
    return -1, "opened"


saved = io.BytesIO()
PdfDocument.new().save(saved)
first = error_of(saved.getvalue())
other = error_of(b"a text")
second = error_of(saved.getvalue())
print(f"pypdfium2 {version('pypdfium2')}")
print(f"no pages: {first}; a text: {other}; no pages again: {second}")
assert first[0] == 0 and "Success" in first[1], "this has changed"
assert second == other and other[0] == 3, "this has changed"
PYTHON
