"""An exported page in a browser, opened as a file: it plays, and stays a document."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from debate_tui.domain.events import (
    DebateFinished,
    DebaterRemoved,
    DebaterReturned,
    DebateStarted,
    Event,
    Interjection,
    MaterialInfo,
    PhaseStarted,
    Report,
    StreamStatus,
    TurnDelta,
    TurnStarted,
    TurnSuperseded,
    Verdict,
    Vote,
)
from debate_tui.domain.exports import export_debate
from debate_tui.domain.exports.player import player_script
from tests.domain.exports.sample_speeches import HOSTILE, NOVEMBER_2023, speech_deltas, turn_finished
from tests.sample_debates import ADA, BOB
from tests.server.chromium import Browser, needs_browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path


def timed_events() -> list[Event]:
    """A debate of two rounds: at second 0 to 10, after a wait of a minute played in 3 s, at 13 to 20."""
    turns = [TurnStarted(turn=turn, debater="ab"[turn % 2 - 1], phase="opening") for turn in (1, 2)]
    turns += [TurnStarted(turn=turn, debater="ab"[turn % 2 - 1], phase="rebuttal") for turn in (3, 4)]
    timed: list[tuple[float, Event]] = [
        (0, DebateStarted(debate="d1", topic=f"Tea? {HOSTILE}", format="oxford", debaters=(ADA, BOB))),
        (0, Vote(when="before", voter="Jo", debater="a")),
        (0, PhaseStarted(phase="opening", round=1, rounds=1)),
        (0, turns[0]),
        (0, turns[1]),
        (1, StreamStatus(debater="a", state="streaming", attempt=1)),
        *((at, delta) for at, delta in enumerate(speech_deltas(1, "a", "Tea ", "is **calm**", "."), 2)),
        (5, TurnDelta(turn=2, debater="b", attempt=1, offset=0, text="Let me think.", reasoning=True)),
        *((5, delta) for delta in speech_deltas(2, "b", "Dropped.")),
        (6, TurnSuperseded(turn=2, debater="b", attempt=2)),
        *((7, delta) for delta in speech_deltas(2, "b", HOSTILE, "\n\n</script><!-- 茶 👋🏽", attempt=2)),
        (8, StreamStatus(debater="a", state="finished", attempt=1)),
        (8, turn_finished(1, "a")),
        (10, turn_finished(2, "b", "length")),
        (70, PhaseStarted(phase="rebuttal", round=1, rounds=2)),
        (70, Interjection(text="Be brief.", to="b")),
        (70, turns[2]),
        (71, turns[3]),
        *((72, delta) for delta in speech_deltas(3, "a", "- one\n- two")),
        (74, turn_finished(3, "a")),
        *((75, delta) for delta in speech_deltas(4, "b", "Coffee wins.")),
        (76, turn_finished(4, "b")),
        (76, Verdict(judge="j1", model="m", winner="b", agreed=True, controlled=True, why=HOSTILE)),
        (77, Report(judge="j1", model="m", agreed=("Both are warm.",))),
        (77, DebateFinished(reason="complete")),
    ]
    return [
        msgspec.structs.replace(event, seq=seq, at=NOVEMBER_2023 + at)
        for seq, (at, event) in enumerate(timed, 1)
    ]


# Playback asks this clock for the time, which tests set.
CLOCK = "window.time = 1000; performance.now = () => window.time;"
ROOT = "document.getElementById('player').shadowRoot"


class PlayerPage:
    """An exported page in a browser, and the controls of its player."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    async def js(self, expression: str) -> Any:
        """The value of an expression in which `root` is the player's shadow root."""
        return await self.browser.js(f"((root) => {expression})({ROOT})")

    async def until(self, expression: str) -> None:
        await self.browser.until(f"((root) => {expression})({ROOT})")

    async def click(self, control: str) -> None:
        await self.js(f"root.getElementById('{control}').click()")

    async def press(self, *keys: str) -> None:
        """Press keys as a user does, wherever the focus is."""
        for key in keys:
            text = {"text": key} if len(key) == 1 else {}
            await self.browser.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
            await self.browser.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def wait(self, seconds: float) -> None:
        """Let seconds of the page's own time pass."""
        await self.browser.js(f"window.time += {1000 * seconds}")

    async def seek(self, position: float) -> None:
        await self.js(
            f"(root.getElementById('position').value = {position}, "
            "root.getElementById('position').dispatchEvent(new Event('input')))"
        )

    async def shows(self, clock: str, *panes: list[str]) -> None:
        """Wait until the player is at a position, and each pane has these turns."""
        await self.until(f"root.getElementById('clock').textContent === '{clock} / 0:20'")
        if panes:
            texts = (
                "[...root.querySelectorAll('.pane')].map((pane) => "
                "[...pane.querySelectorAll('.turn > .prose')].map((prose) => prose.innerText.trim()))"
            )
            await self.until(f"JSON.stringify({texts}) === JSON.stringify({json.dumps(panes)})")


@contextlib.asynccontextmanager
async def exported_page(tmp_path: Path, events: Sequence[Event]) -> AsyncIterator[PlayerPage]:
    file = tmp_path / "debate.html"
    file.write_text(export_debate(events, "html"), "utf-8")
    async with Browser(tmp_path / "profile") as browser:
        await browser.call("Page.addScriptToEvaluateOnNewDocument", source=CLOCK)
        await browser.go(file.as_uri())
        page = PlayerPage(browser)
        await page.until("!root.host.hidden")
        yield page
        assert await browser.js("performance.getEntriesByType('resource').length") == 0
        assert browser.problems == []


HOSTILE_SHOWN = "<script>alert(1)</script> reversed [a](javascript:alert(1)) !i\n\n</script><!-- 茶 👋🏽"


def test_the_modules_make_one_script() -> None:
    script = player_script()
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    assert "</" not in script
    assert "<!--" not in script
    modules = [file.read_text("utf-8") for file in (resources.files("debate_tui") / "page").iterdir()]
    declared = re.findall(
        r"^(?:export )?(?:class|function|const|let) (\w+)", "\n".join(modules), re.MULTILINE
    )
    assert len(declared) == len(set(declared))


@needs_browser
async def test_it_is_a_document_until_it_plays(tmp_path: Path) -> None:
    async with exported_page(tmp_path, timed_events()) as page:
        assert await page.js("root.getElementById('stage').hidden")
        assert await page.js("root.getElementById('clock').textContent") == "0:00 / 0:20"
        assert (await page.browser.text("main")).startswith("Verdict")
        assert await page.browser.js("document.querySelectorAll('main article').length") == 4
        # Space scrolls a document.
        await page.press(" ", "End")
        assert await page.js("root.getElementById('stage').hidden")
        await page.browser.js("scrollTo(0, document.documentElement.scrollHeight)")
        below = "document.querySelector('footer').getBoundingClientRect().bottom"
        assert await page.js(f"{below} <= root.host.getBoundingClientRect().top")


@needs_browser
async def test_it_plays_in_the_original_timing_with_short_waits(tmp_path: Path) -> None:
    async with exported_page(tmp_path, timed_events()) as page:
        await page.click("play")
        await page.until("root.querySelectorAll('.pane').length === 2")
        await page.wait(3.5)
        await page.shows("0:03", ["Tea is calm"], [""])
        assert await page.js("root.querySelector('#pane-a strong').textContent") == "calm"
        assert await page.js("root.querySelector('#pane-a .badge').textContent") == "▸ streaming"
        assert await page.js("root.getElementById('phase').textContent") == "Opening"
        await page.wait(2)
        await page.shows("0:05", ["Tea is calm."], [""])
        await page.wait(7)
        await page.shows("0:12", ["Tea is calm."], [HOSTILE_SHOWN])
        assert await page.js("root.querySelector('#pane-b .note').textContent") == "✂ cut"
        await page.wait(2.5)
        await page.shows("0:15", ["Tea is calm.", "one\ntwo"], [HOSTILE_SHOWN, ""])
        assert await page.js("root.getElementById('phase').textContent") == "Rebuttal 1/2"
        assert await page.js("root.getElementById('notes').innerText") == "❯ to Bob Be brief."
        await page.wait(60)
        await page.shows("0:20")
        assert await page.js("root.getElementById('play').textContent") == "↻ Again"
        assert await page.js("root.getElementById('report').innerText.includes('Both are warm.')")
        assert await page.js("root.querySelectorAll('script, img').length") == 0
        assert await page.js("[...root.querySelectorAll('a')].map(({ href }) => href)") == ["http://t/x.png"]
        await page.click("play")
        await page.shows("0:00", [""], [""])
        assert await page.js("root.getElementById('report').hidden")


@needs_browser
async def test_any_place_can_be_gone_to_and_shows_what_playing_would(tmp_path: Path) -> None:
    opening = (["Tea is calm."], [HOSTILE_SHOWN])
    end = (["Tea is calm.", "one\ntwo"], [HOSTILE_SHOWN, "Coffee wins."])
    async with exported_page(tmp_path, timed_events()) as page:
        for position, clock, panes in (
            (20, "0:20", end),
            (4.5, "0:04", (["Tea is calm."], [""])),
            (12.5, "0:12", opening),
            (0, "0:00", ([""], [""])),
            (20, "0:20", end),
        ):
            await page.seek(position)
            await page.shows(clock, *panes)
            assert await page.js("root.getElementById('notes').children.length") == (
                2 if position == 20 else 0
            )
        await page.js("root.querySelectorAll('.phases button')[1].click()")
        await page.shows("0:13")
        assert await page.js("root.getElementById('position').ariaValueText") == "0:13 of 0:20, Rebuttal 1/2"
        lanes = await page.js(
            "[...root.querySelectorAll('.lane')].map((lane) => [...lane.children].map((bar) => "
            "[bar.style.left, bar.style.width].map((text) => Math.round(parseFloat(text)))))"
        )
        assert lanes == [[[0, 40], [65, 20]], [[0, 50], [70, 25]]]


@needs_browser
async def test_the_speed_changes_where_playback_is(tmp_path: Path) -> None:
    async with exported_page(tmp_path, timed_events()) as page:
        speeds = await page.js("[...root.getElementById('speed').options].map(({ text }) => text)")
        assert speeds == ["½×", "1×", "2×", "4×", "8×", "16×"]
        await page.click("play")
        await page.wait(2)
        await page.shows("0:02")
        await page.js(
            "((speed) => (speed.value = 4, speed.dispatchEvent(new Event('change'))))"
            "(root.getElementById('speed'))"
        )
        await page.wait(1)
        await page.shows("0:06")
        await page.press(",", ",", ",", ",")
        assert await page.js("root.getElementById('speed').selectedOptions[0].text") == "½×"
        await page.wait(2)
        await page.shows("0:07")


@needs_browser
async def test_keys_while_it_is_open(tmp_path: Path) -> None:
    async with exported_page(tmp_path, timed_events()) as page:
        await page.click("play")
        assert await page.js("root.activeElement.id") == "play"
        await page.press(" ")
        assert await page.js("root.getElementById('play').textContent") == "▶ Play"
        for key, clock in (
            ("ArrowRight", "0:05"), ("]", "0:13"), ("]", "0:20"), ("ArrowLeft", "0:15"), ("[", "0:13"),
            ("[", "0:00"), ("End", "0:20"), ("Home", "0:00"),
        ):  # fmt: skip
            await page.press(key)
            await page.shows(clock)
        # Also where the slider has the focus, which has keys of its own.
        await page.js("root.getElementById('position').focus()")
        await page.press("ArrowRight", " ")
        await page.wait(1)
        await page.shows("0:06")
        await page.press("Escape")
        assert await page.js("root.getElementById('stage').hidden")
        assert await page.js("root.getElementById('play').textContent") == "▶ Play"
        assert not await page.browser.js("document.querySelector('main').inert")


@needs_browser
async def test_it_prints_the_whole_debate_wherever_it_is(tmp_path: Path) -> None:
    async with exported_page(tmp_path, timed_events()) as page:
        printed = [await page.browser.call("Page.printToPDF")]
        await page.seek(4)
        assert await page.browser.js("document.querySelector('main').inert")
        printed.append(await page.browser.call("Page.printToPDF"))
        pages = [base64.b64decode(each["data"]).count(b"/Type /Page\n") for each in printed]
        assert pages[0] == pages[1] > 0
        await page.browser.call("Emulation.setEmulatedMedia", media="print")
        assert await page.js("getComputedStyle(root.host).display") == "none"
        shown = await page.browser.text("body")
        assert "Coffee wins." in shown
        assert "Both are warm." in shown
        assert "0:20" not in shown


@needs_browser
@pytest.mark.parametrize("width", [390, 1400])
async def test_it_fits_light_and_dark_screens(tmp_path: Path, width: int) -> None:
    phone = width < 500
    async with exported_page(tmp_path, timed_events()) as page:
        await page.browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=phone
        )
        grounds = set()
        for scheme in ("light", "dark"):
            features = [
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ]
            await page.browser.call("Emulation.setEmulatedMedia", features=features)
            await page.seek(4)
            await page.shows("0:04")
            grounds.add(await page.js("getComputedStyle(root.querySelector('.pane')).backgroundColor"))
            assert await page.js("root.getElementById('panes').getBoundingClientRect().height > 400")
            assert await page.browser.js("document.documentElement.scrollWidth") == width
            assert await page.js("root.querySelector('.controls').scrollWidth") == width
            assert await page.js("getComputedStyle(root.getElementById('tabs')).display") == (
                "flex" if phone else "none"
            )
            assert await page.browser.js("document.getAnimations().length") == 0
        assert len(grounds) == 2


@needs_browser
async def test_a_debate_that_was_killed_plays_as_far_as_it_came(tmp_path: Path) -> None:
    hidden = MaterialInfo("secret.txt", "0" * 64, 9, "a")
    started, *events = timed_events()[:12]
    events.insert(0, msgspec.structs.replace(started, material=(hidden,)))
    roster = [
        DebaterRemoved(debater="b", reason="no money left", remaining=("a",)),
        DebaterReturned(debater="b", reason="x", remaining=("a", "b"), source="openai:g", model="g"),
    ]
    events += [msgspec.structs.replace(event, seq=99, at=events[-1].at) for event in roster]
    async with exported_page(tmp_path, events) as page:
        await page.seek(20)
        await page.until("root.getElementById('clock').textContent === '0:06 / 0:06'")
        await page.until("root.querySelector('#pane-a strong')")
        assert await page.js("root.getElementById('state').hidden")
        assert await page.js("root.querySelector('#pane-b .side').textContent") == "against · g"
        assert await page.js("[...root.querySelectorAll('.notes b')].map(({ innerText }) => innerText)") == [
            "Bob was removed",
            "Bob returned",
        ]
        assert "secret" not in await page.browser.js("document.getElementById('recording').textContent")
