"""The player in an exported page: the served page's own code as one script, its style, and the recording.

Modules cannot be loaded from a file, so those in `debate_tui/page` become one script. That needs names that
are unique across them, imports on lines of their own, and no template literals of several lines.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

from debate_tui.domain.exports.json import ESCAPES
from debate_tui.domain.playback import make_recording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.domain.events import Event

_MAIN_MODULE: Final = "player.js"
_IMPORT = re.compile(r'^import .* from "\./([a-z]+\.js)";\n', re.MULTILINE)
_NOT_CODE = re.compile(r"^[ ]*//.*\n|^[ ]+|^\n", re.MULTILINE)
_COMMENT_IN_STYLE = re.compile(r"/\*.*?\*/\n", re.DOTALL)

# Within a script, "<" could start its end or a comment.
_SCRIPT_ESCAPES: Final = ESCAPES | {ord("<"): "\\u003c"}


def player_lines(events: Iterable[Event]) -> Iterator[str]:
    """Yield the elements of the player, which needs `player_script` and the style of `player_style`."""
    recording = msgspec.json.encode(make_recording(events)).decode().translate(_SCRIPT_ESCAPES)
    yield '<div id="player" hidden><template shadowrootmode="open">'
    yield f"<style>{player_style()}</style>"
    yield f"{_read('player.html')}</template></div>"
    yield f'<script type="application/json" id="recording">{recording}</script>'
    yield f'<script type="module">{player_script()}</script>'


@cache
def page_colors() -> str:
    """Return the style sheet with the colors of all pages."""
    return _read_style("colors.css")


@cache
def player_style() -> str:
    """Return the style sheet of the player."""
    return _read_style("page.css") + _read_style("player.css")


@cache
def player_script() -> str:
    """Return the code of the player and of all modules it imports, each after those it needs."""
    modules: dict[str, str] = {}

    def add(name: str) -> None:
        code = _read(name)
        for needed in _IMPORT.findall(code):
            if needed not in modules:
                add(needed)
        modules[name] = re.sub(r"^export ", "", _NOT_CODE.sub("", _IMPORT.sub("", code)), flags=re.MULTILINE)

    add(_MAIN_MODULE)
    return "".join(modules.values())


def hash_source(text: str) -> str:
    """Return the source expression by which a content security policy allows a script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _read_style(name: str) -> str:
    return _COMMENT_IN_STYLE.sub("", _read(name))


def _read(name: str) -> str:
    return files("debate_tui").joinpath("page", name).read_text("utf-8")
