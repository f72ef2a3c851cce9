"""The report on a debate: its prompt, how answers are read, and what is shown of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct

from debate_tui.domain.events import ChangedMind, Difference, Report, StrongestArgument
from debate_tui.domain.judging.prompt import fenced_speeches, reading_message
from debate_tui.domain.judging.reply import decode_object, normalise_label, replace_labels
from debate_tui.domain.prompts import fence_text, on_one_line
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.stream import Message
from debate_tui.domain.text import join_names
from debate_tui.domain.wording import debater_label, format_quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from debate_tui.domain.debate import Format
    from debate_tui.domain.events import Verdict
    from debate_tui.domain.judging.prompt import ReadingOrder
    from debate_tui.domain.material import Material
    from debate_tui.domain.transcript import Transcript

MAX_POINTS: Final = 12
"""Maximum number of points in each part of a report; further ones are dropped."""

MAX_POINT_LENGTH: Final = 1000
"""Maximum number of characters in a point, and in a quote."""

# The prompt


_PARTS: Final = (
    "- agreed: what all speakers agree on, as they said it\n"
    "- differences: where they still differ, and which fact or test would settle each point\n"
    "- changed_minds: who conceded a point or took another view, and which; often no one did\n"
    "- strongest: the strongest argument of each of {speakers}, with one line of that speaker "
    "copied word for word\n"
    "- unanswered: questions and objections that no one answered"
)


def build_report_prompt(
    topic: str,
    format_: Format,
    order: ReadingOrder,
    verdicts: Iterable[Verdict] = (),
    material: Iterable[Material] = (),
) -> tuple[Message, ...]:
    """Build the prompt for a report: the material, speeches and verdicts, and what to say about them."""
    speakers = [f"Speaker {label}" for label in order.labels]
    strongest = ", ".join(
        f'{{"speaker": "{label}", "argument": "…", "quote": "…"}}' for label in order.labels
    )
    shape = (
        '{"agreed": ["…"], "differences": [{"point": "…", "settled_by": "…"}], '
        f'"changed_minds": [{{"speaker": "{next(iter(order.labels), "A")}", "change": "…"}}], '
        f'"strongest": [{strongest}], "unanswered": ["…"]}}'
    )
    judged = list(_fenced_reasons(verdicts, order))
    asked = (
        f"The topic: {on_one_line(topic)}",
        "The debate:",
        *fenced_speeches(format_, order),
        *(("What its judges decided:", *judged) if judged else ()),
        f"Report what the debate came to:\n{_PARTS.format(speakers=join_names(speakers))}",
        "Write each point as one or two short sentences, in the language of the topic. Call speakers by "
        "their labels, such as Speaker A. Report only what was said, and do not judge it again. A list "
        "may be empty.",
        f"Answer with one JSON object and nothing else, in this shape:\n{shape}",
    )
    return (reading_message(_REPORTER, material), Message("user", "\n\n".join(asked)))


_REPORTER: Final = "You write an impartial report on a debate for people who did not follow it."


def _fenced_reasons(verdicts: Iterable[Verdict], order: ReadingOrder) -> Iterator[str]:
    """Yield each verdict with its reasons, under a number and with labels in place of names."""
    labels = {debater: f"Speaker {label}" for label, debater in order.labels.items()}
    for number, verdict in enumerate((each for each in verdicts if not each.problem), 1):
        decided_by = f"Judge {number}" if verdict.model else "The debaters"
        winner = labels.get(verdict.winner or "", "no one")
        reasons = _replace_names(verdict.why, order)
        yield fence_text(reasons, f"{decided_by}, in favour of {winner}, with these reasons:")


def _replace_names(text: str, order: ReadingOrder) -> str:
    """Replace names with labels; a single letter stays, as it may be a word."""
    labels = {
        entry.name: label
        for label, entry in zip(order.labels, order.debaters, strict=True)
        if len(entry.name) > 1
    }
    longest_first = sorted(map(re.escape, labels), key=len, reverse=True)
    if not longest_first:
        return text
    names = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)")
    return names.sub(lambda found: f"Speaker {labels[found[0]]}", text)


# The answer


T = TypeVar("T")


class _DifferenceReply(Struct, frozen=True):
    point: str
    settled_by: str | None = None


class _ChangeReply(Struct, frozen=True):
    speaker: str
    change: str


class _ArgumentReply(Struct, frozen=True):
    speaker: str
    argument: str
    quote: str | None = None


class _ReportReply(Struct, frozen=True):
    """An answer; models write ``null`` or a word such as “none” for an empty list."""

    agreed: tuple[str, ...] | str | None = None
    differences: tuple[_DifferenceReply | str, ...] | str | None = None
    changed_minds: tuple[_ChangeReply, ...] | str | None = None
    strongest: tuple[_ArgumentReply, ...] | str | None = None
    unanswered: tuple[str, ...] | str | None = None


def parse_report(text: str, order: ReadingOrder, is_said: Callable[[str, str], bool]) -> Report | None:
    """Parse an answer into a report without its author; return `None` if it has no point.

    The JSON object may be surrounded by other text, and any part of it may be missing. Labels are replaced
    with names. Points of unknown speakers are dropped, and all but the first argument of each speaker.
    `is_said` returns whether a quote was said by the debater with an id.
    """
    reply = decode_object(text, _ReportReply)
    if reply is None:
        return None
    report = Report(
        judge="",
        model="",
        agreed=tuple(_points(_listed(reply.agreed), order)),
        differences=tuple(_differences(_listed(reply.differences), order)),
        changed_minds=tuple(_changed_minds(_listed(reply.changed_minds), order)),
        strongest=tuple(_strongest_arguments(_listed(reply.strongest), order, is_said)),
        unanswered=tuple(_points(_listed(reply.unanswered), order)),
    )
    return None if report == Report(judge="", model="") else report


def _listed(items: tuple[T, ...] | str | None) -> tuple[T, ...]:
    return items[:MAX_POINTS] if isinstance(items, tuple) else ()


def _point(text: str, order: ReadingOrder) -> str:
    return replace_labels(" ".join(text.split())[:MAX_POINT_LENGTH], order)


def _points(texts: Iterable[str], order: ReadingOrder) -> Iterator[str]:
    return filter(None, (_point(text, order) for text in texts))


def _differences(items: Iterable[_DifferenceReply | str], order: ReadingOrder) -> Iterator[Difference]:
    for item in items:
        known = item if isinstance(item, _DifferenceReply) else _DifferenceReply(item)
        if point := _point(known.point, order):
            yield Difference(point, _point(known.settled_by or "", order))


def _changed_minds(items: Iterable[_ChangeReply], order: ReadingOrder) -> Iterator[ChangedMind]:
    for item in items:
        debater, change = order.labels.get(normalise_label(item.speaker)), _point(item.change, order)
        if debater is not None and change:
            yield ChangedMind(debater, change)


def _strongest_arguments(
    items: Iterable[_ArgumentReply], order: ReadingOrder, is_said: Callable[[str, str], bool]
) -> Iterator[StrongestArgument]:
    """Yield the first argument of each speaker, in the order of the speakers."""
    arguments = {order.labels.get(normalise_label(item.speaker)): item for item in reversed(list(items))}
    for debater in order.labels.values():
        item = arguments.get(debater)
        if item is not None and (argument := _point(item.argument, order)):
            quote = " ".join((item.quote or "").split())[:MAX_POINT_LENGTH]
            yield StrongestArgument(debater, argument, quote, is_said(quote, debater))


# The report as it is shown


class ReportPoint(Struct, frozen=True):
    """One point of a report, sanitised.

    `debater` is the id of the debater it is about, if any, and `label` that debater's name and side. `detail`
    says what would settle the point, or is a quote; `is_found` is false for a quote that was not found.
    """

    text: str
    debater: str = ""
    label: str = ""
    detail: str = ""
    is_found: bool = True


class ReportPart(Struct, frozen=True):
    """The points of a report under one heading."""

    title: str
    points: tuple[ReportPoint, ...]


class ReportSummary(Struct, frozen=True):
    """A report ready to be shown, sanitised; `author` says who wrote it, or why there is none."""

    author: str
    parts: tuple[ReportPart, ...]
    failed: bool


def summarise_report(transcript: Transcript) -> ReportSummary | None:
    """Return the latest report on a debate; `None` if none was asked for."""
    report = transcript.report
    if report is None:
        return None
    author = one_line(report.judge)
    if report.problem:
        return ReportSummary(f"No report from {author}: {one_line(report.problem)}.", (), failed=True)
    parts = (
        ReportPart("What they agree on", tuple(map(_shown_point, report.agreed))),
        ReportPart(
            "Where they differ",
            tuple(
                ReportPoint(
                    _shown(each.point),
                    detail=f"What would settle it: {_shown(each.settled_by)}" if each.settled_by else "",
                )
                for each in report.differences
            ),
        ),
        ReportPart(
            "Who changed their mind",
            tuple(
                ReportPoint(_shown(each.change), each.debater, debater_label(transcript, each.debater))
                for each in report.changed_minds
            ),
        ),
        ReportPart(
            "The strongest arguments",
            tuple(_shown_argument(transcript, each) for each in report.strongest),
        ),
        ReportPart("What no one answered", tuple(map(_shown_point, report.unanswered))),
    )
    return ReportSummary(f"Written by {author}.", tuple(part for part in parts if part.points), failed=False)


def describe_point(point: ReportPoint) -> str:
    """Return a point on one line: ``Ada (for): …``."""
    text = f"{point.label}: {point.text}" if point.label else point.text
    return " ".join(filter(None, (text, point.detail)))


def describe_report(transcript: Transcript) -> Iterator[str]:
    """Yield the paragraphs of the latest report, its parts as lists; nothing if none was asked for."""
    summary = summarise_report(transcript)
    if summary is None:
        return
    yield summary.author
    for part in summary.parts:
        yield "\n".join((f"{part.title}:", *(f"- {describe_point(point)}" for point in part.points)))


def _shown(text: str) -> str:
    return one_line(text, MAX_POINT_LENGTH)


def _shown_point(text: str) -> ReportPoint:
    return ReportPoint(_shown(text))


def _shown_argument(transcript: Transcript, argument: StrongestArgument) -> ReportPoint:
    return ReportPoint(
        _shown(argument.argument),
        argument.debater,
        debater_label(transcript, argument.debater),
        format_quote(_shown(argument.quote), found=argument.found),
        is_found=argument.found,
    )
