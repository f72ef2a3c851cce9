from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from debate_tui.domain.events import (
    DebaterInfo,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    DebateStarted,
    Event,
    Interjection,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnStarted,
    TurnSuperseded,
)
from debate_tui.domain.exports import EXPORT_TYPES, ExportType, export_debate, export_filename
from debate_tui.domain.exports.html import markdown_to_html
from debate_tui.domain.exports.text import embed_markdown
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.stream import FaultKind, FaultReport, Usage
from debate_tui.domain.transcript import Transcript
from tests.domain.exports.sample_speeches import HOSTILE, NOVEMBER_2023, speech_deltas, turn_finished
from tests.golden import check_golden, page_document
from tests.sample_debates import numbered_events

GOLDEN = Path(__file__).parent / "golden"
TEA = (
    "# Tea!\n\nTea is **best**:\n\n- hot\n- 茶 ",
    "👋🏽\n\nUnder\n=====\n\n> # quoted\n\n[1]: http://x.y\n\n",
    "```python\n# no heading <b>\nprint('x')\n",
)


def debate() -> list[Event]:
    """Everything that can happen to a turn, and text that wants to break out of each form."""
    ada = DebaterInfo("a", "Ada *A*", "for <b>", "demo:ada", "demo")
    bob = DebaterInfo("b", "Bob", "against", "openai:gpt", "gpt")
    return numbered_events(
        DebateStarted(debate="d1", topic=f"Tea or # coffee? {HOSTILE}", format="oxford", debaters=(ada, bob)),
        Interjection(text="Be *brief*.", to=None),
        PhaseStarted(phase="opening", round=1, rounds=1),
        TurnStarted(turn=1, debater="a", phase="opening"),
        TurnStarted(turn=2, debater="b", phase="opening"),
        TurnDelta(turn=1, debater="a", attempt=1, offset=0, text="Let me <think>.", reasoning=True),
        *speech_deltas(1, "a", *TEA),
        StreamStatus(
            debater="b",
            state="reconnecting",
            attempt=2,
            error=FaultReport(FaultKind.NETWORK, "connection reset"),
        ),
        *speech_deltas(2, "b", "Coffee wins, bec"),
        *speech_deltas(2, "b", "ause it does.\n\n", attempt=2, start=16),
        *speech_deltas(2, "b", "And so on.", attempt=3, start=31),
        turn_finished(1, "a", usage=Usage(10, 1234), cost=0.01234, duration_ms=4200),
        turn_finished(2, "b", "length"),
        PhaseStarted(phase="cross-examination", round=1, rounds=2),
        TurnStarted(turn=3, debater="a", phase="cross-examination"),
        TurnStarted(turn=4, debater="b", phase="cross-examination"),
        *speech_deltas(3, "a", "Dropped."),
        TurnSuperseded(turn=3, debater="a", attempt=2),
        *speech_deltas(3, "a", HOSTILE, attempt=2),
        Interjection(text=f"And milk? {HOSTILE}", to="a"),
        turn_finished(3, "a", "stopped"),
        StreamStatus(
            debater="b", state="failed", attempt=1, error=FaultReport(FaultKind.QUOTA, "no money left")
        ),
        turn_finished(4, "b", "failed"),
        DebaterRemoved(debater="b", reason="no money left", remaining=("a",)),
        DebaterReturned(
            debater="b", reason="asked for", remaining=("a", "b"), source="openai:gpt", model="gpt"
        ),
        DebaterReplaced(
            debater="b", reason="asked for", remaining=("a", "b"), source="demo:bob", model="demo"
        ),
        PhaseStarted(phase="cross-examination", round=2, rounds=2),
        TurnStarted(turn=5, debater="a", phase="cross-examination"),
        TurnStarted(turn=6, debater="b", phase="cross-examination"),
        turn_finished(5, "a", "refused"),
        turn_finished(6, "b", "skipped"),
        PhaseStarted(phase="closing", round=1, rounds=1),
        TurnStarted(turn=7, debater="a", phase="closing"),
        *speech_deltas(7, "a", "In the end I"),
        start=NOVEMBER_2023,
    )


@pytest.mark.parametrize("form", EXPORT_TYPES)
def test_documents_match_golden_files(form: ExportType):
    check_golden(GOLDEN / f"debate.{form}", export_debate(debate(), form))


@pytest.mark.parametrize("form", EXPORT_TYPES)
def test_an_empty_record_makes_a_document_too(form: ExportType):
    assert export_debate([], form).endswith("\n")


@pytest.mark.parametrize("form", EXPORT_TYPES)
def test_nothing_in_a_document_acts_on_a_terminal(form: ExportType):
    document = export_debate(debate(), form)

    assert sanitise(document) == document


@pytest.mark.parametrize("form", ["md", "html", "txt"])
@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("Format: Oxford debate · 2023-11-14", 1),
        ("Coffee wins, because it does.", 1),
        ("reconnected", 0),
        ("no longer counts", 0),
        ("cut off at the length limit", 1),
        ("stopped early", 1),
        ("failed: no money left", 1),
        ("refused to answer", 1),
        ("» skipped", 1),
        ("… unfinished", 1),
        ("The record ends here; the debate was not finished.", 1),
    ],
)
def test_what_happened_to_a_turn_is_said(form: ExportType, words: str, count: int):
    assert page_document(export_debate(debate(), form)).count(words) == count


@pytest.mark.parametrize("form", ["md", "txt"])
def test_reasoning_is_not_in_what_is_passed_on_as_text(form: ExportType):
    assert "Let me" not in export_debate(debate(), form)


# --- JSON -------------------------------------------------------------------------------------------


def test_json_holds_the_events_and_the_text_exactly_as_received():
    events = debate()
    document = json.loads(export_debate(events, "json"))

    assert msgspec.convert(document["events"], list[Event], strict=False) == events
    assert document["topic"].endswith(HOSTILE)
    said = {turn["turn"]: turn for turn in document["turns"]}
    assert said[3]["text"] == HOSTILE
    assert said[2]["seams"] == [{"offset": 16, "attempt": 2}, {"offset": 31, "attempt": 3}]
    assert [said[n]["reason"] for n in range(1, 8)] == [
        "complete",
        "length",
        "stopped",
        "failed",
        "refused",
        "skipped",
        None,
    ]


# --- Markdown ---------------------------------------------------------------------------------------

READER = MarkdownIt("commonmark", {"html": True, "maxNesting": 100}).enable(["table", "strikethrough"])
MARKUP = st.text("#=-`~<>![]():\\*_ \tab1.\n|&", max_size=60)


def parse_markdown(document: str) -> tuple[list[tuple[str, int]], set[str], dict[str, object]]:
    """Headings, kinds of tokens and link definitions, as a reader that allows HTML finds them."""
    env: dict[str, object] = {}
    tokens = READER.parse(document, env)
    headings = [
        (tokens[i + 1].content, int(token.tag[1]))
        for i, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    kinds = {child.type for token in tokens for child in (token, *(token.children or ()))}
    return headings, kinds, env


@given(st.lists(MARKUP | st.text(max_size=20), min_size=1, max_size=3))
@example(["[a]: x\n==="])
@example(["- ```\n<script>", "> ```\n<b>"])
@example(["~~~\nopen"])
@example(["1. # one\n   two\n   ---"])
@example(["\\`<i>\\`"])
@example(["a\n===\n    <b>"])
@example(["a\n===\n    ![x](y)"])
@example(["[a]: <y\n[b]: z"])
def test_no_speech_changes_the_structure_of_a_markdown_document(texts: list[str]):
    document = "\n\n".join(
        f"### Turn {n}\n\n{embed_markdown(sanitise(text))}" for n, text in enumerate(texts)
    )
    headings, kinds, env = parse_markdown(document + "\n\n### End\n")

    ours = [f"Turn {n}" for n in range(len(texts))] + ["End"]
    assert [content for content, level in headings if level <= 3] == ours
    assert kinds.isdisjoint({"html_block", "html_inline", "image"})
    assert not env.get("references")


def test_a_markdown_document_has_just_its_own_headings():
    headings, kinds, _ = parse_markdown(export_debate(debate(), "md"))

    assert [content for content, level in headings if level == 2] == [
        "Opening",
        "Cross-examination, round 1 of 2",
        "Cross-examination, round 2 of 2",
        "Closing",
        "Cost",
    ]
    assert [level for _, level in headings].count(1) == 1
    assert [level for _, level in headings].count(3) == 7
    assert kinds.isdisjoint({"html_block", "html_inline", "image"})


# --- HTML -------------------------------------------------------------------------------------------

TAGS = {
    *("a", "blockquote", "br", "code", "em", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s"),
    *("strong", "table", "tbody", "td", "th", "thead", "tr", "ul", "div"),
}


class Elements(html.parser.HTMLParser):
    """The tags of a page with their attributes, and whether they are balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.balanced = True
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "input"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.balanced = self.balanced and bool(self.open) and self.open.pop() == tag


@given(MARKUP | st.text(max_size=30))
@example("\\[\n<b>\n- \\( & \\]")
@example('[a](http://x "t\\"onload=1")')
@example("[a](JAVASCRIPT:x) <http://a.b> [b](data:text/html,x)")
@example("| a |\n|--:|\n| b |")
@example("```a b\nc")
@example("a&#13;b **&#x202e;** [c&#x2066;](http://d/&#x202e;)")
def test_speech_becomes_harmless_elements_alone(text: str):
    page = markdown_to_html(sanitise(text))
    elements = Elements(page)

    assert sanitise(page) == page
    assert elements.balanced
    assert not elements.open
    for tag, attributes in elements.found:
        assert tag in TAGS
        assert set(attributes) <= {"href", "rel", "start"} or (tag, attributes) == ("div", {"class": "table"})
        assert (attributes.get("href") or "http://").startswith(("http://", "https://", "HTTP"))


def test_formulas_line_breaks_and_cjk_emphasis_in_a_page():
    page = markdown_to_html(
        "So \\(a_1 < *b*\\):\n\\[\nx\n- y_1\n\\]\n\n| a |\n|---|\n| b<br>c |\n\nこれは**「強調」**の例"
    )

    assert page == (
        "<p>So \\(a_1 &lt; *b*\\):</p>\n<p>\\[<br />\nx<br />\n- y_1<br />\n\\]</p>\n"
        '<div class="table"><table>'
        "<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>b<br />\nc</td>\n</tr>\n</tbody>\n"
        "</table></div><p>これは<strong>「強調」</strong>の例</p>"
    )


def test_the_page_loads_nothing_and_runs_its_own_script_only():
    page = export_debate(debate(), "html")
    elements = Elements(page)
    tags = [tag for tag, _ in elements.found]
    policy = next(a["content"] for tag, a in elements.found if tag == "meta" and "http-equiv" in a) or ""

    assert elements.balanced
    assert not {"link", "img", "iframe", "object", "form", "base"} & set(tags)
    assert [attributes for tag, attributes in elements.found if tag == "script"] == [
        {"type": "application/json", "id": "recording"},
        {"type": "module"},
    ]
    assert not [attributes for _, attributes in elements.found if {"style", "src"} & set(attributes)]
    assert not [a for _, attributes in elements.found for a in attributes if a.startswith("on")]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "url(" not in page
    assert "@import" not in page


def test_script_and_styles_are_those_that_the_policy_allows():
    page = export_debate(debate(), "html")
    allowed = re.findall(r"'(sha256-[^']+)'", page)
    parts = re.findall(r'<(?:style|script type="module")>(.*?)</', page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts]

    assert len(parts) == 3
    assert sorted(allowed) == sorted(f"sha256-{digest}" for digest in digests)


def test_a_page_without_turns_has_nothing_to_play():
    assert "<script" not in export_debate(debate()[:3], "html")


# --- names and imports ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("Tea or coffee?", "debate-2023-11-14-tea-or-coffee.md"),
        ("../../etc/passwd", "debate-2023-11-14-etc-passwd.md"),
        ("茶か", "debate-2023-11-14.md"),
        ("word " * 50, "debate-2023-11-14-word-word-word-word-word-word-word-word-word-wor.md"),
    ],
)
def test_the_file_is_named_after_day_and_topic(topic: str, name: str):
    events = numbered_events(
        DebateStarted(debate="d", topic=topic, format="f", debaters=()), start=NOVEMBER_2023
    )

    assert export_filename(Transcript(events), "md") == name


@pytest.mark.parametrize(
    ("name", "title"), [("lincoln-douglas", "Lincoln–Douglas debate"), ("my own", "My own"), ("../x", "../x")]
)
def test_the_format_is_called_by_its_title(name: str, title: str) -> None:
    started = DebateStarted(debate="d", topic="x", format=name, debaters=())
    for form in ("md", "html", "txt"):
        assert f"Format: {title}".replace("_", "\\_") in export_debate(numbered_events(started), form)


@pytest.mark.parametrize("at", [1e300, -1e300, 253_402_300_800.0])
def test_a_time_that_is_no_date_is_left_out(at: float) -> None:
    started = DebateStarted(seq=1, at=at, debate="d", topic="Tea?", format="f", debaters=())
    for form in EXPORT_TYPES:
        assert "held" not in export_debate([started], form)
    assert export_filename(Transcript([started]), "md") == "debate-tea.md"


def test_export_formats_are_imported_lazily():
    code = (
        "import sys, debate_tui.domain.exports as e; "
        "sys.exit('markdown_it' in sys.modules); "
        "e.export([], 'txt'); sys.exit('markdown_it' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


DANGEROUS_TARGETS = (
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "<javascript:alert(1)>",
    "<java\tscript:alert(1)>",
    "java&#115;cript:alert(1)",
    "javascript&colon;alert(1)",
    "\n  javascript:alert(1)",
    "javascript:alert(1) 'title'",
    "vbscript:x",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
)


@pytest.mark.parametrize("target", DANGEROUS_TARGETS)
@pytest.mark.parametrize(
    "form", ["[x]({})", "![x]({})", "- a **[x]({})**", "| a | [x]({}) |", "[x]\n\n[x]: {}", "<{}>"]
)
def test_markdown_links_lead_to_nothing_dangerous(form: str, target: str) -> None:
    """Also for readers that take more for a link than others."""
    parser = MarkdownIt("commonmark")
    parser.validateLink = lambda _: True
    exported = embed_markdown(form.format(target) + "\n\n[fine](https://example.org)")
    tokens = [child for token in parser.parse(exported) for child in token.children or ()]
    targets = [
        str(token.attrs.get("href") or token.attrs.get("src") or "") for token in tokens if token.attrs
    ]
    assert "https://example.org" in targets
    assert all(each in ("https://example.org", "#") for each in targets), exported


@pytest.mark.parametrize(
    "text",
    [
        "> [x](\n> javascript:alert(1))",
        "- > [x](\n  > javascript:alert(1)) ````",
        "title\n===\n    [x](javascript:alert(1))",
        "title\n===\n    <a href='javascript:alert(1)'>x</a>",
        "[x]\n\n[y]: <z\n[x]: javascript:alert(1)",
    ],
)
def test_markdown_that_only_its_changes_make_dangerous_is_shown_as_code(text: str) -> None:
    fence, *lines, end = embed_markdown(text).split("\n")
    assert "\n".join(lines) == text
    assert fence == end == "`" * (5 if "`" in text else 3)


def test_line_breaks_in_cells_stay_in_a_markdown_document_and_no_other_tags() -> None:
    text = "<br>\n\n| a<br>b | <b>c</b> |\n|---|---|\n| d<BR /> | <br class=x> |"
    assert embed_markdown(text) == (
        "&lt;br>\n\n| a<br>b | &lt;b>c&lt;/b> |\n|---|---|\n| d<BR /> | &lt;br class=x> |"
    )


@pytest.mark.parametrize("form", ["md", "txt"])
def test_formulas_stay_as_they_are_in_documents_of_text(form: ExportType) -> None:
    formula = r"\(a_1 *b*\) and $$ c \\ d $$"
    events = numbered_events(
        DebateStarted(debate="d", topic="x", format="f", debaters=(DebaterInfo("a", "A", "", "demo:a", ""),)),
        TurnStarted(turn=1, debater="a", phase="p"),
        *speech_deltas(1, "a", formula),
    )
    assert formula in export_debate(events, form)


def test_markdown_without_dangerous_links_stays_as_it_is() -> None:
    links = "[web](http://a.b/c?d=e:f) [mail](mailto:a@b.c) [here](#part) [page](page.html 'title')"
    code = "    [code](javascript:1)\n\n```\n[code](javascript:1)\n```"
    text = f"{links}\n\n{code}\n\nAs for javascript: it is (javascript:) a scheme."
    assert embed_markdown(text) == text
