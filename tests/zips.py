"""Studies as zips, made by hand."""

import hashlib
import io
import json
import zipfile


def zipped(
    files: dict[str, bytes], *, name: str = "hand", listed=None, compress=zipfile.ZIP_STORED
):
    """An archive whose manifest tells the truth about files that may be anything."""
    listed = files if listed is None else listed
    about = {
        "format": 1, "kind": "foxnas-study", "study": name,
        "files": [
            {"name": n, "bytes": len(c), "sha256": hashlib.sha256(c).hexdigest()}
            for n, c in listed.items()
        ],
    }  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compress) as target:
        for own, content in {**files, "manifest.json": json.dumps(about).encode()}.items():
            target.writestr(zipfile.ZipInfo(own, (1980, 1, 1, 0, 0, 0)), content, compress)
    return buffer.getvalue()
