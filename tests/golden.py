"""Comparison with golden files; ``GOLDEN=write`` writes them again."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_CODE = re.compile(
    r"""(?<=<style>).*?(?=</style>) | '[^']*sha256-[^']*' | ^<div[ ]id="player".*(?=^</body>)""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


def check_golden(path: Path, text: str) -> None:
    """Compare a text with a file, of an exported page its document only."""
    text = page_document(text)
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def page_document(page: str) -> str:
    """Return an exported page without its style sheets and its player; any other text as it is."""
    return _CODE.sub("", page) if page.startswith("<!doctype html>") else page
