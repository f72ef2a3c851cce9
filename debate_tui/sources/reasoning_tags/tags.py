"""Tags and control tokens that separate reasoning from an answer, and prefixes of them.

Taken from the chat templates of Qwen, DeepSeek, EXAONE and Seed-OSS (XML style), Magistral (``[THINK]``),
Kimi-VL (``◁think▷``), Cohere's and OpenThinker's models (``<|…|>``), and from OpenAI's harmony format.
"""

from __future__ import annotations

import re

MAX_TAG_LENGTH = 256
"""Maximum length of text held back because it may become a tag, in characters."""

_NAMES = ("think", "thinking", "thought", "thoughts", "reasoning", "antthinking")
TAG = re.compile(
    # <think>, </Thinking >, <reasoning effort="high">, <seed:think>, <|think|>
    rf"<\s{{0,4}}(?P<slash>/?)\s{{0,4}}[|｜]?(?:[\w.-]{{1,32}}:)?(?P<name>{'|'.join(_NAMES)})"
    r"(?P<rest>[\s|｜/][^<>]{0,200})?>"
    # <|begin_of_thought|>, <|END_THINKING|>
    r"|<[|｜](?P<edge>begin|start|end)[_▁](?:of[_▁])?(?:think(?:ing)?|thoughts?|reasoning)[|｜]>"
    r"|(?P<mistral>(?-i:\[/?THINK\]))|(?P<kimi>◁/?think▷)",
    re.IGNORECASE,
)
_PARTIAL_TAG = re.compile(r"<\s{0,4}/?\s{0,4}[|｜]?(?P<word>[\w.▁:-]*)(?P<rest>[\s|｜/][^<>]*)?\Z")
_TAGS_WITHOUT_ANGLES = ("[think]", "[/think]", "◁think▷", "◁/think▷")

HARMONY_TOKEN = re.compile(r"<\|(?P<token>start|channel|constrain|message|end|return|call)\|>")
TAG_OR_TOKEN = re.compile(f"{TAG.pattern}|{HARMONY_TOKEN.pattern}", re.IGNORECASE)
_HARMONY_FINAL = re.compile(
    r"(?:<\|end\|>\s{0,4})?(?:<\|start\|>assistant)?<\|channel\|>\s?final\s?<\|message\|>"
)
_HARMONY_FINAL_FORMS = tuple(
    end + start + "<|channel|>final<|message|>"
    for end in ("<|end|>", "")
    for start in ("<|start|>assistant", "")
)
# The same without tokens, as decoders that skip them write it: analysisWe need…assistantfinalYes.
BARE_ANALYSIS = re.compile(r"analysis(?=[A-Z\"'“‘])")
BARE_FINAL = "assistantfinal"
BARE_FINAL_PATTERN = re.compile(BARE_FINAL)


class HarmonyState:
    """The state of a text in the harmony format; `channel` is that of the current message."""

    def __init__(self, channel: str = "") -> None:
        self.channel = channel
        self.in_header = False
        self._header = ""
        self._trims = False
        """Whether white space is dropped, as it is between messages."""

    def read_token(self, name: str) -> None:
        """Process a control token by its name."""
        match name:
            case "start":
                self.channel, self._header, self.in_header = "", "", True
            case "channel":
                self.channel, self._header, self.in_header = "?", "", True
            case "message":
                named = self._header.split() if self.channel == "?" else []
                self.channel = named[0].lower() if named else "final"
                if "to=" in self._header:
                    self.channel = "tool"  # tool input is not shown to the reader
                self.in_header = False
            case "end" | "return" | "call":
                self.channel, self.in_header, self._trims = "final", False, True

    def read_text(self, text: str) -> str:
        """Return the part of the text between two tokens that belongs to a message."""
        if self.in_header:
            self._header += text
            if len(self._header) <= MAX_TAG_LENGTH:
                return ""
            self.in_header, text = False, self._header  # too long to be a header
        if self._trims:
            text = text.lstrip()
            self._trims = not text
        return text


def is_opening(tag: re.Match[str]) -> bool:
    if tag["edge"]:
        return tag["edge"].lower() != "end"
    return not tag["slash"] and tag[0][1] != "/"


def tag_name(tag: re.Match[str]) -> str:
    """Return the name shared by an opening tag and its closing tag."""
    return (tag["name"] or tag["mistral"] or tag["kimi"] or "edge").lower().replace("/", "")


def line_ending(text: str, at: int, is_end: bool) -> int:
    """Return the end of the line if only blanks follow `at`; 0 if more follows, -1 if undecided."""
    end = at
    while end < len(text) and text[end] in " \t\r":
        end += 1
    if end == len(text):
        return end if is_end else -1 if end - at < MAX_TAG_LENGTH else 0
    return end if text[end] == "\n" else 0


def harmony_ending(text: str, at: int, is_end: bool) -> int:
    """Return the end of the tokens at `at` if they begin the final channel; else like `line_ending`."""
    if (final := _HARMONY_FINAL.match(text, at)) is not None:
        return final.end()
    tail = text[at : at + MAX_TAG_LENGTH]
    return -1 if not is_end and any(form.startswith(tail) for form in _HARMONY_FINAL_FORMS) else 0


def may_become_tag(text: str) -> bool:
    """Return whether a text that begins with a bracket could be the start of a tag."""
    if len(text) > MAX_TAG_LENGTH:
        return False
    if text[0] != "<":
        return any(form.startswith(text.lower()) for form in _TAGS_WITHOUT_ANGLES)
    found = _PARTIAL_TAG.match(text)
    if found is None:
        return False
    # A control token such as <|end|> may lack only its last character.
    is_token = len(text) > 2 and text[1] in "|｜" and text[-1] in "|｜"
    return found["rest"] is None or found["word"].lower().rpartition(":")[2] in _NAMES or is_token


def partial_mark_start(text: str, start: int, closing: str) -> int:
    """Return where a mark cut by the end of `text` begins, from `start`; the text's length if none does."""
    if closing == BARE_FINAL:
        cuts = range(max(start, len(text) - len(closing) + 1), len(text))
        return next((at for at in cuts if closing.startswith(text[at:])), len(text))
    at = max(text.rfind(bracket, max(start, len(text) - MAX_TAG_LENGTH)) for bracket in "<[◁")
    return at if at >= 0 and may_become_tag(text[at:]) else len(text)
