"""The page in a browser: live text, a cut and its healing, hostile text that stays text, a vote."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec
import pytest

from debate_tui.domain.events import (
    ChangedMind,
    DebateFinished,
    DebaterRemoved,
    DebateStarted,
    Difference,
    Interjection,
    Quote,
    Report,
    StreamStatus,
    StrongestArgument,
    TurnDelta,
    TurnFinished,
    Vote,
)
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.stream import Citation, FaultReport
from debate_tui.record.log import MemoryLog
from debate_tui.record.stores import open_store
from debate_tui.server import viewer
from debate_tui.server.asgi_servers import bind_socket
from debate_tui.server.auth import AccessControl
from debate_tui.session.commands import Pause
from tests.sample_debates import opening_events
from tests.sample_material import sample_material
from tests.server.chromium import Browser, needs_browser
from tests.server.command_recorder import CommandRecorder
from tests.server.generated_debates import WORDS
from tests.server.running_server import hosted_example, live_debate, running_server
from tests.server.test_material import debate_with_material

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from debate_tui.domain.events import Event

pytestmark = needs_browser

ADA = "#pane-a .turn > .prose"
HOSTILE = (
    '<img src=x onerror="document.title=1"><script>document.title=2</script>\x1b[2J\u202egnp.exe\x00\n\n'
    "[click](javascript:document.title=3) [data](data:text/html,x) <b>bold</b> &amp; `<i>`\n\n"
    "| <td> | b |\n|--|--|\n| <s> | x |"
)


@contextlib.asynccontextmanager
async def watched_debate(
    tmp_path: Path, events: Sequence[Event] = ()
) -> AsyncIterator[tuple[Browser, CommandRecorder, str]]:
    """A debate under way, and its page open in a browser."""
    async with live_debate(events) as (here, chair), Browser(tmp_path / "profile") as browser:
        url = f"{here.url}/debates/d1"
        await browser.go(url)
        await browser.until("document.querySelectorAll('.pane').length === 2")
        yield browser, chair, url


def say(chair: CommandRecorder, text: str, offset: int = 0, attempt: int = 1) -> None:
    chair.log.append(TurnDelta(turn=1, debater="a", attempt=attempt, offset=offset, text=text))


async def test_text_comes_live_into_panes_side_by_side(tmp_path: Path) -> None:
    async with watched_debate(tmp_path) as (browser, chair, _):
        say(chair, "First, **tea**.")
        await browser.until("document.querySelector('#pane-a strong')?.textContent === 'tea'")
        assert await browser.text("#topic") == "Tea or coffee?"
        assert await browser.text("#pane-a h2") == "Ada"
        say(chair, " Then\n\n- one\n- two", 15)
        await browser.until("document.querySelectorAll('#pane-a li').length === 2")
        left, right = await browser.js(
            "[...document.querySelectorAll('.pane')].map((pane) => pane.getBoundingClientRect().left)"
        )
        assert left < right
        chair.log.append(StreamStatus(debater="a", state="streaming", attempt=1))
        await browser.until("document.querySelector('#pane-a .badge').textContent === '▸ streaming'")
        busy = FaultReport("rate_limited", "Slow down.", 429)
        chair.log.append(
            StreamStatus(debater="a", state="reconnecting", attempt=1, retry=2, max_retries=5, error=busy)
        )
        await browser.until("document.querySelector('#pane-a .badge').textContent === '↻ rate limited 2/5'")
        assert browser.problems == []


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "So \\(a_1 *b*\\), `\\(` *c* `\\)`",
            "<p>So \\(a_1 *b*\\), <code>\\(</code> <em>c</em> <code>\\)</code></p>",
        ),
        ("*a \\(b*c\\) d*", "<p><em>a \\(b*c\\) d</em></p>"),
        ("so\n\\[\nx_1\n- y_1\n= z\n\\]\n*a*", "<p>so</p><p>\\[\nx_1\n- y_1\n= z\n\\]</p><p><em>a</em></p>"),
        ("$$ a_i b_i $$ is $5 and $6", "<p>$$ a_i b_i $$ is $5 and $6</p>"),
        ("- a\n  $$\n  - b\n  $$\n- \\[ ] c", "<ul><li>a\n$$\n- b\n$$</li><li>[ ] c</li></ul>"),
        ("\\*a\\* a<br>b<br x>", "<p>*a* a<br>b&lt;br x&gt;</p>"),
        (
            "|a|\n|-|\n|b<br/>c|",
            '<div class="table"><table><tr><th>a</th></tr><tr><td>b<br>c</td></tr></table></div>',
        ),
        ("これは**「強調」**の例", "<p>これは<strong>「強調」</strong>の例</p>"),
    ],
    ids=["inline", "emphasis around", "display", "dollars", "list", "line break", "cell", "cjk"],
)
async def test_the_markdown_that_models_write(tmp_path: Path, text: str, html: str) -> None:
    async with watched_debate(tmp_path) as (browser, chair, _):
        say(chair, text)
        chair.log.append(TurnFinished(turn=1, debater="a", reason="complete"))
        await browser.until("document.querySelector('#pane-a .turn > .prose')?.textContent")
        assert (
            await browser.js(f"document.querySelector({msgspec.json.encode(ADA).decode()}).innerHTML") == html
        )


async def test_quotes_are_marked_and_sources_listed_when_the_turn_ends(tmp_path: Path) -> None:
    text = "👋 *So “one two three”* and\n\n> “four five six”.\ufdd0\ufdd1"
    async with watched_debate(tmp_path) as (browser, chair, _):
        say(chair, text)
        await browser.until("document.querySelector('#pane-a .turn > .prose')?.textContent.includes('six')")
        assert await browser.js("document.querySelector('.quote') === null"), "a speaker forged a mark"
        cited = (
            Citation("https://example.com/a?<b>", "A <b>page</b>"),
            Citation("javascript:document.title=1", "Bad"),
            Citation("https://example.com/c"),
        )
        quotes = (
            Quote("one two three", 6, 21, found=True),
            Quote("four five six", 30, 45, found=False),
            Quote("beyond the end", 90, 99, found=True),
        )
        chair.log.append(TurnFinished(turn=1, debater="a", reason="complete", quotes=quotes, citations=cited))
        await browser.until("document.querySelector('#pane-a .quote.missing')")
        await browser.until("document.querySelector('#pane-b .turn')")
        assert await browser.js(f"document.querySelector({msgspec.json.encode(ADA).decode()}).innerHTML") == (
            '<p>👋 <em>So “one two three”<span class="quote found" role="img" title="quote found" '
            'aria-label="quote found">✓</span></em> and</p><blockquote><p>“four five six”<span '
            'class="quote missing" role="img" title="quote not found" aria-label="quote not found">✗</span>'
            ".\ufffd\ufffd</p></blockquote>"
        )
        assert await browser.js(
            "[...document.querySelectorAll('#pane-a .sources li')].map(({ textContent, firstChild }) => "
            "[textContent, firstChild.href ?? null])"
        ) == [
            ["A <b>page</b>", "https://example.com/a?%3Cb%3E"],
            ["Bad", None],
            ["https://example.com/c", "https://example.com/c"],
        ]
        assert await browser.js("document.querySelector('#pane-b .sources').hidden")
        assert browser.problems == []


async def test_hostile_text_stays_text(tmp_path: Path) -> None:
    async with watched_debate(tmp_path) as (browser, chair, _):
        say(chair, HOSTILE)
        chair.log.append(Interjection(text=HOSTILE, to=None))
        chair.log.append(
            StreamStatus(debater="b", state="failed", attempt=1, error=FaultReport("network", HOSTILE, None))
        )
        await browser.until("document.querySelector('#pane-b .badge')?.dataset.state === 'failed'")
        await browser.until("document.querySelector('#notes p')")
        await browser.until("document.querySelector('#pane-a td')")
        shown = await browser.js(f"document.querySelector({msgspec.json.encode(ADA).decode()}).textContent")
        assert "<script>document.title=2</script>" in shown
        assert "\u202e" not in shown
        assert "\x1b" not in shown
        assert (
            await browser.js("document.querySelectorAll('main img, main script, main b, main a').length") == 0
        )
        assert await browser.js("document.title") == "Tea or coffee?"
        assert browser.problems == []


REPORT = Report(
    judge="openai:x",
    model="x",
    agreed=("Both drink something warm.",),
    differences=(Difference("Whether tea is calm.", "A tasting."), Difference("The price.")),
    changed_minds=(ChangedMind("b", HOSTILE),),
    strongest=(
        StrongestArgument("a", "Tea calms.", "tea is calm", found=True),
        StrongestArgument("b", "Coffee wakes.", "coffee rules", found=False),
    ),
    unanswered=("Who pays?",),
)


async def test_the_report_stands_above_the_panes_live_and_for_later_viewers(tmp_path: Path) -> None:
    async with watched_debate(tmp_path) as (browser, chair, url):
        assert await browser.js("document.querySelector('#report').hidden")
        chair.log.append(REPORT)
        chair.log.append(DebateFinished(reason="complete"))
        await browser.until("!document.querySelector('#report').hidden")
        live = await browser.text("#report")
        await browser.go(f"{url}?again")
        await browser.until("document.querySelector('#report h2')")
        assert await browser.text("#report") == live
        lines = [line for line in live.splitlines() if line]
        assert lines[:3] == ["Report", "Written by openai:x.", "What they agree on"]
        assert "Whether tea is calm. What would settle it: A tasting." in live
        assert "Ada (for): Tea calms. “tea is calm”\n" in live
        assert "Bob (against): Coffee wakes. “coffee rules” (not found in the debate)" in live
        assert await browser.js("document.querySelectorAll('#report :is(img, script, i)').length") == 0
        assert browser.problems == []


async def test_why_there_is_no_report_is_told(tmp_path: Path) -> None:
    async with watched_debate(tmp_path) as (browser, chair, _):
        chair.log.append(Report(judge="openai:x", model="x", problem="its answer could not be read"))
        await browser.until("!document.querySelector('#report').hidden")
        assert "No report from openai:x: its answer could not be read." in await browser.text("#report")


DEPTH = """(() => {
  let most = 0;
  for (const node of document.querySelectorAll("#pane-a .prose *")) {
    let depth = 0;
    for (let each = node; each.matches(".prose *"); each = each.parentNode) depth++;
    most = Math.max(most, depth);
  }
  return most;
})()"""


@pytest.mark.parametrize(
    "text",
    [
        ">" * 5000 + " deep",
        "\n".join(" " * depth + "- deep" for depth in range(0, 1000, 2)),
        "> " * 5000 + "deep",
    ],
    ids=["quotes", "lists", "spaced quotes"],
)
async def test_there_is_an_end_to_what_is_within_each_other(tmp_path: Path, text: str) -> None:
    async with watched_debate(tmp_path) as (browser, chair, _):
        say(chair, text)
        await browser.until("document.querySelector('#pane-a .turn > .prose')?.textContent.includes('deep')")
        assert 20 <= await browser.js(DEPTH) <= 42
        assert browser.problems == []


@pytest.mark.parametrize(
    "text",
    [
        "~~a " * 50_000,
        "**a " * 50_000,
        "__a " * 50_000,
        "`a``b" * 50_000,
        "- " * 100_000,
        "[a](" * 50_000,
        "|-" * 100_000,
        "---\n" * 150_000,
        "> ---\n" * 150_000,
        "$$a " * 50_000,
        "\\(`" * 50_000,
        "\\[\n" * 100_000,
    ],
    ids=lambda text: text[:6],
)
async def test_no_text_keeps_the_page_busy(tmp_path: Path, text: str) -> None:
    async with watched_debate(tmp_path) as (browser, _, _):
        given = msgspec.json.encode(text).decode()
        took = await browser.js(
            "import('/page/markdown.js').then(({ Prose }) => {"
            "  const prose = new Prose(document.createElement('div')), began = performance.now();"
            f"  prose.show({given});"
            "  return performance.now() - began;"
            "})"
        )
        assert took < 2000


@pytest.mark.parametrize(
    "unit",
    [
        "a *b* ",
        "**a ",
        "_a ",
        "* ",
        "`a``b ",
        "[a](",
        "~~a",
        "\x1b]0;x",
        "x",
        "- a *b*\n",
        "|a|b|\n",
        "> a\n",
    ],
)
async def test_a_block_that_grows_without_end_leaves_the_page_free(tmp_path: Path, unit: str) -> None:
    """Its cost grows with its length, and not with its length times the pieces it comes in."""
    async with watched_debate(tmp_path) as (browser, _, _):
        given = msgspec.json.encode(unit).decode()
        worst, took, shown = await browser.js(
            "import('/page/markdown.js').then(({ Prose }) => {"
            "  const parent = document.body.appendChild(document.createElement('div'));"
            f"  const prose = new Prose(parent), unit = {given};"
            "  const text = unit.repeat(100_000 / unit.length);"
            "  let worst = 0, took = 0;"
            "  for (let end = 0; end < text.length; end += 200) {"
            "    const began = performance.now();"
            "    prose.show(text.slice(0, end + 200));"
            "    void parent.offsetHeight;"
            "    worst = Math.max(worst, performance.now() - began);"
            "    took += performance.now() - began;"
            "  }"
            "  return [worst, took, parent.textContent.length];"
            "})"
        )
        assert worst < 1000
        assert took < 20_000
        assert shown > 10_000 or "\x1b" in unit


async def test_a_long_paragraph_is_shown_literally(tmp_path: Path) -> None:
    async with watched_debate(tmp_path) as (browser, chair, _):
        say(chair, "*a* " * 3000 + "\n\n*b*")
        await browser.until("document.querySelector('#pane-a em')?.textContent === 'b'")
        literal = "document.querySelectorAll('#pane-a .turn > .prose .literal')"
        assert await browser.js(f"[...{literal}].map((node) => node.textContent).join('')") == "*a* " * 3000
        assert await browser.js("document.querySelectorAll('#pane-a em').length") == 1


async def test_much_text_is_parsed_over_several_frames(tmp_path: Path) -> None:
    async with watched_debate(tmp_path) as (browser, _, _):
        steps = await browser.js(
            "import('/page/markdown.js').then(({ Prose }) => {"
            "  const parent = document.createElement('div'), prose = new Prose(parent);"
            "  const text = 'A *paragraph* of some words.\\n\\n'.repeat(3000);"
            "  let steps = 1;"
            "  while (!prose.show(text, 0)) steps++;"
            "  return [steps, parent.querySelectorAll('em').length];"
            "})"
        )
        assert steps[0] > 10
        assert steps[1] == 3000


async def test_what_assistive_technology_is_told(tmp_path: Path) -> None:
    async with watched_debate(tmp_path) as (browser, chair, _):
        say(chair, "Hello.")
        await browser.until("document.querySelectorAll('.pane [role=log][aria-label]').length === 2")
        stops = "[...document.querySelectorAll('#modes button')].filter((each) => each.tabIndex === 0)"
        assert await browser.js(f"{stops}.map((each) => each.dataset.mode)") == ["hybrid"]
        await browser.js(
            f"{stops}[0].dispatchEvent(new KeyboardEvent('keydown', {{ key: 'ArrowRight', bubbles: true }}))"
        )
        assert await browser.js(f"{stops}.map((each) => each.dataset.mode)") == ["synchronized"]
        assert await browser.js("document.activeElement.dataset.mode") == "synchronized"


async def test_a_pane_that_fails_keeps_no_other_from_being_painted(tmp_path: Path) -> None:
    async with watched_debate(tmp_path) as (browser, _, _):
        painted = await browser.js(
            "import('/page/painter.js').then(({ Painter }) => {"
            "  const painted = [];"
            "  const painter = new Painter((id) => {"
            "    if (id === 'a') throw new RangeError('too deep');"
            "    painted.push(id);"
            "  });"
            "  painter.dirty = new Set(['a', 'b', 'c']);"
            "  painter.flush();"
            "  return painted;"
            "})"
        )
        assert painted == ["b", "c"]
        await browser.until("true")
        assert len(browser.problems) == 1


@pytest.mark.parametrize(
    "text", ["".join(WORDS), HOSTILE, "a\x9b31mb\x1b]0;x\x07c\ud800d".encode("utf-8", "replace").decode()]
)
async def test_text_is_sanitised_as_everywhere(tmp_path: Path, text: str) -> None:
    async with watched_debate(tmp_path) as (browser, _, _):
        given = msgspec.json.encode(text).decode()
        made = await browser.js(f"import('/page/text.js').then((text) => text.sanitise({given}))")
        assert made == sanitise(text)


async def test_a_cut_heals_without_a_gap(tmp_path: Path) -> None:
    """The server goes away in the middle of a turn, misses some of it, and comes back."""
    store = open_store(tmp_path / "debates.sqlite3")
    log = await store.create("d1")
    for event in opening_events():
        log.append(event)
    chair = CommandRecorder(log)  # type: ignore[arg-type]
    at = bind_socket("127.0.0.1", 0)
    port = at.getsockname()[1]
    at.close()
    browser = Browser(tmp_path / "profile")
    stack = contextlib.AsyncExitStack()
    await stack.enter_async_context(browser)
    async with running_server(store, port=port) as here:
        here.hub.host("d1", log, chair.handle, known_seq=4)
        await browser.go(f"{here.url}/debates/d1")
        say(chair, "one ")
        await browser.until(f"document.querySelector('{ADA}')?.textContent === 'one '")
    await browser.until("document.getElementById('line').dataset.line === 'reconnecting'")
    say(chair, "two 👋 ", 4)
    await log.flush()
    async with running_server(store, port=port) as here:
        here.hub.host("d1", log, chair.handle, known_seq=6)
        await browser.js("dispatchEvent(new Event('online'))")
        await browser.until("document.getElementById('line').dataset.line === 'live'")
        say(chair, "three", 10, attempt=2)
        await browser.until(f"document.querySelector('{ADA}').textContent === 'one two 👋 three'")
        chair.log.append(TurnFinished(turn=1, debater="a", reason="complete"))
        chair.log.append(DebateFinished(reason="complete"))
        await browser.until("document.getElementById('line').dataset.line === 'over'")
        assert await browser.text("#pane-a .note") == "recovered once"
        assert await browser.text("#state") == "✓ complete"
    await stack.aclose()
    await log.aclose()
    await store.aclose()


LINES = """
window.lines = [];
new MutationObserver(() => {
  const line = document.getElementById("line")?.textContent;
  if (line && line !== lines.at(-1)) lines.push(line);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


async def test_a_debate_that_is_over_is_shown_as_recorded_and_not_as_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "RETRY_MS", (20, 40))
    async with hosted_example() as (here, _), Browser(tmp_path / "profile") as browser:
        await browser.call("Page.addScriptToEvaluateOnNewDocument", source=LINES)
        await browser.go(f"{here.url}/debates/d1")
        await browser.until("lines.at(-1) === 'stream ended'")
        assert "reconnecting" not in await browser.js("lines")
        assert "recorded" in await browser.js("lines")
        assert browser.problems == []


async def test_a_viewer_votes(tmp_path: Path) -> None:
    async with watched_debate(tmp_path) as (browser, chair, _):
        await browser.until("document.querySelectorAll('.choice').length === 3")
        await browser.js("document.querySelectorAll('.choice')[1].click()")
        await browser.js("document.querySelector('.cast').click()")
        await browser.until("document.querySelector('#tally .part')")
        assert await browser.text("#tally .part") == "against 1"
        votes = [(v.when, v.debater, v.side) for v in chair.log._events if isinstance(v, Vote)]
        assert votes == [("before", None, "against")]
        chair.log.append(TurnFinished(turn=1, debater="a", reason="complete"))
        await browser.until("document.querySelectorAll('.choice').length === 3")
        assert "agree with now" in await browser.text("#question")


async def test_a_debater_who_left_unheard_gets_no_votes(tmp_path: Path) -> None:
    started, *rest = opening_events()
    assert isinstance(started, DebateStarted)
    debaters = tuple(msgspec.structs.replace(each, side="") for each in started.debaters)
    events = [msgspec.structs.replace(started, debaters=debaters), *rest]
    async with watched_debate(tmp_path, events) as (browser, chair, _):
        await browser.until("document.querySelectorAll('.choice').length === 3")
        await browser.js("document.querySelectorAll('.choice')[1].click()")
        assert await browser.js("document.querySelector('.cast') !== null")
        chair.log.append(DebaterRemoved(debater="b", reason="Gone.", remaining=("a",)))
        await browser.until("document.querySelectorAll('.choice').length === 2")
        assert await browser.js(
            "[...document.querySelectorAll('.choice')].map((each) => each.textContent)"
        ) == [
            "Ada",
            "undecided",
        ]
        assert await browser.js("document.querySelector('.cast') === null"), "a vote for who left can be cast"


async def test_a_pane_follows_until_its_reader_scrolls_up(tmp_path: Path) -> None:
    body = "document.querySelector('#pane-a .body')"
    async with watched_debate(tmp_path) as (browser, chair, _):
        text = "line\n\n" * 200
        say(chair, text)
        await browser.until(
            f"{body}.scrollTop > 500 && {body}.scrollHeight - {body}.scrollTop - {body}.clientHeight < 2"
        )
        await browser.js(f"{body}.scrollTop = 100")
        await browser.until(
            f"new Promise((done) => requestAnimationFrame(() => done({body}.scrollTop === 100)))"
        )
        say(chair, "more", len(text))
        await browser.until("!document.querySelector('#pane-a .more').hidden")
        assert await browser.js(f"{body}.scrollTop") == 100
        assert await browser.text("#pane-a .more") == "↓ 4 new"
        await browser.js("document.querySelector('#pane-a .more').click()")
        await browser.until(f"{body}.scrollHeight - {body}.scrollTop - {body}.clientHeight < 2")


async def test_the_host_steers_from_the_page(tmp_path: Path) -> None:
    async with (
        running_server(access=AccessControl("host", viewers_need_token=True)) as here,
        Browser(tmp_path / "profile") as browser,
    ):
        log = MemoryLog()
        for event in opening_events():
            log.append(event)
        chair = CommandRecorder(log)
        here.hub.host("d1", log, chair.handle, known_seq=4)
        headers = {"authorization": "Bearer host"}
        link = (await here.client.post("/links", json={"role": "host"}, headers=headers)).json()["link"]
        await browser.call("Page.navigate", url=link)
        await browser.until("document.getElementById('asked')?.hidden === true")
        await browser.js("document.querySelector('form').requestSubmit()")
        await browser.until("location.pathname === '/debates'")
        assert await browser.js("document.cookie") == ""
        await browser.go(f"{here.url}/debates/d1")
        await browser.until("document.getElementById('host')?.hidden === false")
        await browser.js("document.getElementById('remark').value = 'Please.'")
        await browser.js("document.getElementById('host').requestSubmit()")
        await browser.until("document.querySelector('#notes p')?.textContent.includes('Please.')")
        await browser.js("document.getElementById('pause').click()")
        await browser.until("true")
        while not chair.heard:
            await browser.js("1")
        assert chair.heard == [Pause()]


@pytest.mark.parametrize("width", [390, 800, 1400])
async def test_nothing_is_wider_than_the_screen(tmp_path: Path, width: int) -> None:
    phone = width < 500
    async with watched_debate(tmp_path) as (browser, chair, _):
        await browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=phone
        )
        say(chair, "unbreakable" * 100 + "\n\n```\n" + "code " * 100 + "\n```\n")
        await browser.until("document.querySelector('#pane-a pre')")
        assert await browser.js("document.documentElement.scrollWidth") == width
        tabs = await browser.js("getComputedStyle(document.getElementById('tabs')).display")
        assert (tabs == "flex") is phone


@pytest.mark.parametrize("mode", ["synchronized", "staggered", "hybrid"])
async def test_modes_show_the_same_text(tmp_path: Path, mode: str) -> None:
    async with watched_debate(tmp_path) as (browser, chair, _):
        await browser.js(f"document.querySelector('[data-mode={mode}]').click()")
        assert await browser.js("document.querySelector('[aria-checked=true]').dataset.mode") == mode
        chair.log.append(StreamStatus(debater="a", state="streaming", attempt=1))
        chair.log.append(StreamStatus(debater="b", state="streaming", attempt=1))
        for number in range(50):
            say(chair, "word ", 5 * number)
        await browser.until(f"document.querySelector('{ADA}')?.textContent.length === 250")


async def test_the_list_leads_to_debates(tmp_path: Path) -> None:
    async with watched_debate(tmp_path) as (browser, _, url):
        await browser.go(url.removesuffix("/d1"))
        await browser.until("document.querySelector('#debates a h2')?.textContent === 'Tea or coffee?'")
        await browser.js("document.querySelector('#debates a').click()")
        await browser.until("document.querySelectorAll('.pane').length === 2")


async def test_a_link_lets_in_once(tmp_path: Path) -> None:
    access = AccessControl("host", viewers_need_token=True)
    async with hosted_example(access=access) as (here, _), Browser(tmp_path / "profile") as browser:
        link = f"{here.url}/enter?code={access.create_link('viewer')}"
        await browser.call("Page.navigate", url=link)
        await browser.until("document.querySelector('#why')?.textContent.startsWith('You are invited')")
        assert await browser.js("location.search") == "", "no code is left in the history"
        assert await browser.js("document.querySelector('#asked').hidden")
        await browser.js("document.querySelector('form').requestSubmit()")
        await browser.until("document.querySelectorAll('.debates a').length === 1")
        await browser.js("document.querySelector('.debates a').click()")
        await browser.until("document.querySelectorAll('.pane').length === 2")
        assert await browser.js("document.cookie") == "", "the cookie is none of a script's business"
        await browser.call("Page.navigate", url=link)
        await browser.until("document.querySelector('#why')?.textContent.startsWith('You are invited')")
        await browser.js("document.querySelector('form').requestSubmit()")
        await browser.until("document.querySelector('#why')?.textContent.includes('Links work once')")


async def test_a_token_leads_to_where_one_wanted_to_go(tmp_path: Path) -> None:
    access = AccessControl("host", viewers_need_token=True)
    async with hosted_example(access=access) as (here, _), Browser(tmp_path / "profile") as browser:
        await browser.go(f"{here.url}/debates/d1")
        await browser.js(f"document.querySelector('[name=token]').value = '{access.viewer_token}'")
        await browser.js("document.querySelector('form').requestSubmit()")
        await browser.until("document.querySelectorAll('.pane').length === 2")
        assert await browser.js("location.pathname") == "/debates/d1"


async def test_the_material_opens_by_key_and_each_text_when_it_is_asked_for(tmp_path: Path) -> None:
    async with running_server() as here, Browser(tmp_path / "profile") as browser:
        here.hub.host("d1", MemoryLog(debate_with_material(), material=sample_material("a")))
        await browser.go(f"{here.url}/debates/d1")
        await browser.until("document.querySelectorAll('#material details').length === 3")
        assert not await browser.js("document.querySelector('#material').open")
        await browser.js(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'c', bubbles: true }))"
        )
        assert await browser.js("document.activeElement.matches('#material > summary')")
        await browser.js("document.querySelector('#material-1 summary').click()")
        await browser.until("document.querySelector('#material-1 pre').textContent")
        assert (await browser.text("#material-1 summary")).startswith("[1] policy.md · ")
        assert "A permit costs **forty euros** a year." in await browser.text("#material-1 pre")
        await browser.js("document.querySelector('#material-3 summary').click()")
        await browser.until("document.querySelector('#material-3 pre').textContent")
        assert "<script>alert(1)</script>" in await browser.text("#material-3 pre")
        assert "wombat" not in await browser.js("document.documentElement.outerHTML")
        assert browser.problems == []
        await browser.js("document.querySelector('#material').open = false")
        assert await browser.js("document.querySelector('#panes').getBoundingClientRect().height > 200")


async def test_a_debate_without_material_does_not_show_any(tmp_path: Path) -> None:
    async with watched_debate(tmp_path) as (browser, _, _):
        assert await browser.js("document.querySelector('#material').hidden")
