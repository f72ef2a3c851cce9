"""What is sent is what the screen shows, in every size of the terminal; and nothing else is."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import partial
from typing import TYPE_CHECKING

from debate_tui.domain.sanitise import sanitise
from tests.stored_debate import stored_texts
from tests.terminal.controlled_endpoints import ControlledEndpoints
from tests.terminal.pty_terminal import run_in_terminal

if TYPE_CHECKING:
    from tests.terminal.pty_terminal import Terminal
    from tests.terminal.terminal_emulator import EmulatedDisplay

TEXTS = {
    "latin": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, und zwar in «fünf» Runden. "
    * 3,
    "cjk": "都市は車を禁止すべきか。私は賛成です。我认为应该。车祸、噪音与污染都是理由。한국어도 됩니다. "
    * 3,
    "emoji": "family 👨‍👩‍👧‍👦, flag 🇧🇷, skin 👍🏽, heart ❤️, keycap 1️⃣, plain 🙂🚗🚲, 🏳️‍🌈 " * 3,
    "marks": "e\u0301le\u0301phant a\u0308\u0323 zalgo h\u0335\u0321\u0322e\u0340\u0341 ไทย עברית العربية "
    * 3,
}
ATTACKS = (
    "\x1b[38;5;213mcolour",
    "\x1b[2J\x1b[Hclear",
    "\x1b]0;owned\x07title",
    "\x1b]52;c;ZXZpbA==\x07clipboard",
    "\x1b]8;;http://evil.example/\x1b\\link\x1b]8;;\x1b\\",
    "\x9b38;5;213mcontrol \x9d0;owned\x9csequence",
    "\x1bPq#0\x1b\\device",
    "\x1b_Gf=24;AAAA\x1b\\graphics",
    "\x1b[?1049lleave\x1b[?2026lframe",
    "\x1b[6n\x1b[c\x05query",
    "\x1b\x1b[21t\x08\x07\x00\x0e\x0fbell",
    "\u202eright\u2066left",
    "[bold red]loud[/] [@click=app.quit]quit[/] [link=http://evil.example]y[/link]",
    "[click](javascript:alert) [there](http://evil.example/) <http://evil.example/>",
)
OF_THE_PROGRAM = re.compile(
    r"\x1b\[(?:\d+;\d+H|2J|[\d;]*m|\?(?:7|25|1000|1003|1004|1006|1015|1049|2004|2026)[hl]|\?\d+\$p|[<>]\d*u)"
    r"|\x1b\]22;[a-z]+\x07|\r\n"
)
"""All that the program has to tell a terminal."""

PAGE_DOWN = "\x1b[6~"


def panes(display: EmulatedDisplay) -> list[str]:
    """What the panes that stand side by side show, from the first row under their headings to their last."""
    columns, rows = display.cells.columns, range(7, display.cells.lines - 2)
    edges = [x for x in range(columns) if all(display.row(y, x, x + 1) == "│" for y in rows)]
    starts, ends = [0, *(x + 1 for x in edges)], [*edges, columns]
    return [
        "\n".join(display.row(y, start, end) for y in rows) for start, end in zip(starts, ends, strict=True)
    ]


def unspaced(text: str) -> str:
    """The text without what wrapping adds and takes."""
    return "".join(text.split())


async def test_four_panes_show_what_four_endpoints_send() -> None:
    async with (
        ControlledEndpoints(*TEXTS, split=True) as feeds,
        run_in_terminal("Which script?", *feeds.debater_options) as terminal,
    ):
        for name, text in TEXTS.items():
            feeds.say(name, *(text[place : place + 7] for place in range(0, len(text), 7)))
        feeds.end()
        await terminal.wait_until(lambda display: "✓ complete" in display.row(0))
        shown = [unspaced(text) for text in panes(terminal.display)]
        assert shown == [unspaced(sanitise(text)) for text in TEXTS.values()]
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    assert stored_texts(reason="complete") == TEXTS


async def test_hostile_text_never_reaches_the_terminal_as_such() -> None:
    async with ControlledEndpoints("calm", "bad", "worse") as feeds:
        named = [option.replace("worse=", f"{ATTACKS[2]}=") for option in feeds.debater_options]
        topic = "".join(("Q ", *ATTACKS)).replace("\0", "")
        async with run_in_terminal(topic, *named) as terminal:
            feeds.say("calm", "peace")
            for attack in ATTACKS:
                feeds.say("bad", *attack, "\n\n")
                feeds.send("worse", attack.join(("event: strange\ndata: ", "\n\n")).encode())
            feeds.send("worse", b'event: error\ndata: {"error": {"type": "invalid", "message": "')
            feeds.send("worse", json.dumps("".join(ATTACKS))[1:].encode() + b"}}\n\n")
            await terminal.wait_for_text(
                "peace", "[bold red]loud[/] [@click=app.quit]quit[/]", "frame", "failed"
            )
            terminal.press("q")
            await terminal.wait_for_exit()
            assert terminal.is_restored()
            assert terminal.text_after_exit.startswith("Debate ")
    raw = bytes(terminal.display.raw)
    assert raw.count(b"\x1b[?1049l") == 1
    assert raw.count(b"\x1b[2J") == 1  # when the screen is given back
    assert b"38;5;213" not in raw
    rest = OF_THE_PROGRAM.sub("", raw.decode().removesuffix("\r\n"))
    assert [char for char in rest if unicodedata.category(char) == "Cc"] == []
    assert not set(rest) & set("\u202e\u2066")


async def test_resizing_while_text_streams_loses_nothing() -> None:
    words = {name: [f"{name}{number:04}" for number in range(600)] for name in "abc"}
    texts = {name: " ".join(own) for name, own in words.items()}
    async with (
        ControlledEndpoints(*words) as feeds,
        run_in_terminal("How large?", *feeds.debater_options) as terminal,
    ):
        sizes = ((100, 30), (45, 12), (200, 50), (60, 20), (160, 45))
        for part, size in enumerate(sizes):
            for name, text in texts.items():
                share = len(text) // len(sizes)
                end = (part + 1) * share if part + 1 < len(sizes) else len(text)
                feeds.say(name, *(text[at : min(at + 5, end)] for at in range(part * share, end, 5)))
            terminal.resize(*size)
            await terminal.wait_for_text(words["a"][(part + 1) * len(words["a"]) // len(sizes) - 2])
        feeds.end()
        await terminal.wait_until(lambda display: "✓ complete" in display.row(0))
        for name, own in words.items():
            assert await read_through(terminal, name, own[0], own[-1]) == own
            terminal.press("\t")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    assert stored_texts(reason="complete") == texts


async def read_through(terminal: Terminal, name: str, first: str, last: str) -> list[str]:
    """Scroll through the pane that has the keys, from top to bottom; returns its words in their order."""

    def words(display: EmulatedDisplay) -> list[str]:
        return re.findall(rf"{name}\d{{4}}", display.text)

    terminal.press("g")
    seen = dict.fromkeys(words(await terminal.wait_for_text(first)))
    while (lowest := words(terminal.display)[-1]) != last:
        terminal.press(PAGE_DOWN)
        await terminal.wait_until(partial(lambda lowest, display: words(display)[-1] > lowest, lowest))
        seen.update(dict.fromkeys(words(terminal.display)))
    return list(seen)
