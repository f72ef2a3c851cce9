"""Every prompt of a debate as it was sent, built again from its record, as Markdown.

A prompt is a function of the debate and of its log (see `domain.briefs`), so none is recorded. A few requests
leave no trace in the log, and are not listed: those to a judge whose stream broke or whose answer could not
be read, and those that a server refused because of a parameter that the program adds itself. A server that
resumes its own answer (llama.cpp, OpenAI in the background) is listed like one that is asked to continue.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import structs

from debate_tui import __version__
from debate_tui.domain import briefs, prompts
from debate_tui.domain.debate import VERDICT_PHASE, Debater, Round
from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import (
    DebateResumed,
    DebaterReplaced,
    DebatersRevealed,
    DebateStarted,
    PhaseStarted,
    Report,
    StreamStatus,
    TurnStarted,
    TurnSuperseded,
    Verdict,
)
from debate_tui.domain.exports import outline
from debate_tui.domain.exports.text import escape_markdown
from debate_tui.domain.judging.prompt import build_judge_prompt, build_reading_orders, build_stance_prompt
from debate_tui.domain.material import Material, material_for
from debate_tui.domain.report import build_report_prompt
from debate_tui.domain.sanitise import one_line, sanitise
from debate_tui.domain.stream import INTERRUPTED_STREAM_STATES, MIN_CONTINUED_LENGTH
from debate_tui.domain.text import to_datetime
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.wording import debater_label, describe_dropped, round_title

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from debate_tui.domain.debate import ParameterValue
    from debate_tui.domain.events import DebaterInfo, Event
    from debate_tui.domain.stream import Message, StreamState


class SentPrompt(NamedTuple):
    """One request: when it was sent (in seconds since the epoch), to whom, and what.

    `source` and `model` are the debater's or the judge's at that time. `note` says why a prompt was sent
    again; it may be empty.
    """

    title: str
    at: float
    source: str
    model: str
    parameters: Mapping[str, ParameterValue]
    messages: tuple[Message, ...]
    note: str = ""


def sent_prompts(
    events: Sequence[Event], setup: briefs.StoredSetup, material: Sequence[Material] = ()
) -> Iterator[SentPrompt]:
    """Yield the prompts of a debate in the order they were sent; hidden material is left out of them."""
    history = _PromptHistory(events, setup, material)
    for event in events:
        yield from history.read(event)


_NOT_MODELS: Final = frozenset({"demo", "http", "https", "me", "ws", "wss"})
"""Kinds of sources that resume by an event id or start over: they are never asked to continue."""


class _OpenTurn:
    """What is known of a debater's requests for its latest turn."""

    def __init__(self, title: str, turn: int, messages: tuple[Message, ...]) -> None:
        self.title = title
        self.turn = turn
        self.messages = messages
        self.last_request: SentPrompt | None = None
        self.attempt = 0
        self.stream_state: StreamState = "waiting"
        self.starts_over = False

    def reopen(self) -> None:
        """Forget the stream, as a program that resumes the debate does; attempts may count from 1 again."""
        self.attempt = 0
        self.stream_state = "waiting"
        self.starts_over = False


class _PromptHistory:
    """A fold over the events that yields the requests between them."""

    def __init__(
        self, events: Sequence[Event], setup: briefs.StoredSetup, material: Sequence[Material]
    ) -> None:
        self._setup = setup
        self._material = {each.number: each for each in material}
        self._verdicts = {event.judge: event for event in events if isinstance(event, Verdict)}
        revealed = (event.debaters for event in events if isinstance(event, DebatersRevealed))
        self._revealed = {info.id: info for infos in revealed for info in infos}
        self._transcript = Transcript()
        self._spec: briefs.DebateSpec | None = None
        self._turns: dict[str, _OpenTurn] = {}
        self._dropped: dict[str, tuple[str, ...]] = {}
        self._reading_judges: Counter[str] = Counter()
        """The judges who have been asked for a verdict and not given one."""

    def read(self, event: Event) -> Iterator[SentPrompt]:
        """Yield what was sent at this event, and apply it."""
        match event:
            case DebateStarted():
                self._spec = self._make_spec(event)
                yield from self._stance_prompts(self._pending_judges(), event.at)
            case DebateResumed(reason="continued"):
                self._reading_judges.clear()
                self._dropped.clear()
                for turn in self._turns.values():
                    turn.reopen()
                yield from self._stance_prompts(self._pending_judges(), event.at)
            case TurnStarted() if event.turn not in self._transcript.turns:
                self._open_turn(event)
            case TurnSuperseded() if open_turn := self._turns.get(event.debater):
                open_turn.starts_over = False
            case StreamStatus() if open_turn := self._turns.get(event.debater):
                yield from self._read_status(event, open_turn)
            case DebaterReplaced():
                self._dropped.pop(event.debater, None)
            case PhaseStarted() if event.phase == VERDICT_PHASE:
                self._reading_judges = Counter(self._pending_judges())
                yield from self._verdict_prompts(self._pending_judges(), event.at)
            case Verdict() if event.model:
                yield from self._read_verdict(event)
            case Report():
                yield from self._report_prompt(event)
        self._transcript.apply(event)

    def _make_spec(self, started: DebateStarted) -> briefs.DebateSpec:
        """Return the debate as the session knew it: names, sides and sources as in the log."""
        personas = {chair.debater.id: chair.debater.persona for chair in self._setup.chairs}
        debaters = tuple(
            Debater(
                id=info.id,
                name=info.name,
                side=info.side,
                source=info.source,
                persona=personas.get(info.id, ""),
            )
            for info in started.debaters
        )
        names = {debater.id: debater.name for debater in debaters}
        material: list[Material] = []
        for number, info in enumerate(started.material, 1):
            known = self._material.get(number) or Material(number, info.name, "[not recorded]", info.debater)
            if known.debater:
                name = names.get(known.debater, known.debater)
                text = f"[hidden material for {name} left out]"
                known = structs.replace(known, name="hidden", text=text)
            material.append(known)
        return briefs.DebateSpec(
            debate=started.debate,
            topic=started.topic,
            format=self._setup.format,
            debaters=debaters,
            material=tuple(material),
        )

    # Debaters

    def _open_turn(self, started: TurnStarted) -> None:
        """Build the prompt of a turn; a damaged record may lack what it is built from."""
        self._turns.pop(started.debater, None)
        spec, step = self._spec, self._transcript.phase
        if spec is None or step is None:
            return
        phase = next((phase for phase in spec.format.phases if phase.name == step.phase), None)
        debater = next((debater for debater in spec.debaters if debater.id == started.debater), None)
        if phase is None or debater is None:
            return
        round_ = Round(phase, step.round, step.rounds).with_words(step.words)
        brief = briefs.build_brief(spec, self._transcript, debater, round_, started.turn)
        title = f"{round_title(step)}: {debater_label(self._transcript, debater.id)}, turn {started.turn}"
        self._turns[debater.id] = _OpenTurn(title, started.turn, prompts.build_messages(brief))

    def _read_status(self, event: StreamStatus, open_turn: _OpenTurn) -> Iterator[SentPrompt]:
        # A debater that is paused and resumed while connecting logs its state again: that is no new attempt.
        # Nothing is sent to a person.
        is_new = event.state == "connecting" and event.attempt > open_turn.attempt
        if is_new and self._debater_info(event.debater).source != "me":
            open_turn.last_request = self._turn_prompt(event, open_turn)
            open_turn.attempt = event.attempt
            yield open_turn.last_request
        if event.dropped and open_turn.last_request is not None:
            self._dropped[event.debater] = (*self._dropped.get(event.debater, ()), *event.dropped)
            open_turn.last_request = open_turn.last_request._replace(
                at=event.at,
                parameters=_without_dropped(open_turn.last_request.parameters, event.dropped),
                note=f"Sent again. {describe_dropped(event.dropped)}",
            )
            yield open_turn.last_request
        if event.state != "paused":
            open_turn.stream_state = event.state

    def _turn_prompt(self, event: StreamStatus, open_turn: _OpenTurn) -> SentPrompt:
        turn = self._transcript.turns[open_turn.turn]
        has_text = bool(turn.length or turn.reasoning_length)
        if has_text and open_turn.stream_state not in ("waiting", *INTERRUPTED_STREAM_STATES):
            open_turn.starts_over = True  # until new text replaces the old one
        info = self._debater_info(event.debater)
        is_model = info.source.partition(":")[0] not in _NOT_MODELS
        continues = is_model and turn.length > MIN_CONTINUED_LENGTH
        partial = turn.text if continues and not open_turn.starts_over else ""
        return _make_prompt(
            f"{open_turn.title}, attempt {event.attempt}" if event.attempt > 1 else open_turn.title,
            event.at,
            (info.source, info.model),
            _without_dropped(info.parameters, self._dropped.get(event.debater, ())),
            open_turn.messages,
            partial,
        )

    def _debater_info(self, debater: str) -> DebaterInfo:
        """Return a debater as at this point of the debate, or as it was revealed at the end."""
        return self._revealed.get(debater) or self._transcript.debaters[debater]

    # Judges

    def _pending_judges(self) -> tuple[str, ...]:
        """Return the planned judges without a verdict."""
        given = Counter(verdict.judge for verdict in self._transcript.verdicts)
        return tuple((Counter(self._setup.judges) - given).elements())

    def _stance_prompts(self, judges: Sequence[str], at: float) -> Iterator[SentPrompt]:
        if self._spec is None:
            return
        messages = build_stance_prompt(self._spec.topic)
        for judge in judges:
            yield self._judge_prompt(f"Before the debate: {one_line(judge)}, judge", at, judge, messages)

    def _verdict_prompts(self, judges: Sequence[str], at: float) -> Iterator[SentPrompt]:
        if self._spec is None:
            return
        entries, rounds = briefs.public_record(self._spec, self._transcript)
        orders = build_reading_orders(self._spec.format, entries, rounds)
        material = material_for(self._spec.material)
        for judge in judges:
            for number, order in enumerate(orders, 1):
                messages = build_judge_prompt(self._spec.topic, self._spec.format, order, material)
                title = f"Verdict: {one_line(judge)}, judge"
                yield self._judge_prompt(
                    f"{title}, reading {number} of {len(orders)}" if len(orders) > 1 else title,
                    at,
                    judge,
                    messages,
                )

    def _read_verdict(self, verdict: Verdict) -> Iterator[SentPrompt]:
        """Yield the prompts of a judge that was not planned: it was asked after the debate."""
        if self._reading_judges[verdict.judge]:
            self._reading_judges[verdict.judge] -= 1
            return
        yield from self._stance_prompts([verdict.judge], verdict.at)
        yield from self._verdict_prompts([verdict.judge], verdict.at)

    def _report_prompt(self, report: Report) -> Iterator[SentPrompt]:
        if self._spec is None:
            return
        entries, rounds = briefs.public_record(self._spec, self._transcript)
        order = build_reading_orders(self._spec.format, entries, rounds)[0]
        spec, verdicts = self._spec, self._transcript.verdicts
        material = material_for(spec.material)
        messages = build_report_prompt(spec.topic, spec.format, order, verdicts, material)
        source = (report.judge, report.model)
        yield _make_prompt(
            f"Report: {one_line(report.judge)}, judge", report.at, source, report.parameters, messages
        )

    def _judge_prompt(self, title: str, at: float, judge: str, messages: tuple[Message, ...]) -> SentPrompt:
        verdict = self._verdicts.get(judge)
        model, parameters = (verdict.model, verdict.parameters) if verdict else ("", {})
        return _make_prompt(title, at, (judge, model), parameters, messages)


def _make_prompt(
    title: str,
    at: float,
    source: tuple[str, str],
    parameters: Mapping[str, ParameterValue],
    messages: tuple[Message, ...],
    partial: str = "",
) -> SentPrompt:
    system = parameters.get("system", "")
    return SentPrompt(
        title,
        at,
        *source,
        {name: value for name, value in parameters.items() if name != "system"},
        prompts.messages_to_send(messages, system if isinstance(system, str) else "", partial),
        f"The answer was interrupted after {len(partial):,} characters; this asks to continue it."
        if partial
        else "",
    )


def _without_dropped(
    parameters: Mapping[str, ParameterValue], dropped: Sequence[str]
) -> dict[str, ParameterValue]:
    """Return the parameters without those that the server refused: ``temperature``, ``extra_body.top_k``."""
    kept = {name: value for name, value in parameters.items() if name not in dropped}
    for name, value in kept.items():
        if isinstance(value, dict):
            kept[name] = {key: inner for key, inner in value.items() if f"{name}.{key}" not in dropped}
    return kept


# The document


_FENCE = re.compile(r"`{3,}")
_MAX_FACT: Final = 2000
"""Longest parameter shown, in characters."""


def render_prompts(events: Sequence[Event], setup: str, material: Sequence[Material] = ()) -> str:
    """Render all prompts; `setup` is the debate's as stored. Raise `DebateError` if it cannot be read."""
    decoded = briefs.decode_setup(setup)
    if decoded is None:
        raise DebateError(
            "The prompts cannot be built again: the setup of this debate is not in the record.",
            "Choose another file type.",
        )
    return "\n\n".join(_paragraphs(events, decoded, material)) + "\n"


def _paragraphs(
    events: Sequence[Event], setup: briefs.StoredSetup, material: Sequence[Material]
) -> Iterator[str]:
    transcript = Transcript(events)
    yield f"# Prompts: {escape_markdown(outline.document_title(transcript))}"
    yield escape_markdown(outline.document_subtitle(transcript))
    yield "\n".join(f"- {escape_markdown(speaker)}" for speaker in outline.speaker_lines(transcript))
    yield "Every prompt in the order it was sent, with its parameters, built again from the record."
    yield from _warnings(events, transcript)
    for number, sent in enumerate(sent_prompts(events, setup, material), 1):
        yield f"## {number}. {escape_markdown(sent.title)}"
        yield f"*{' · '.join(_facts(sent))}*"
        if sent.note:
            yield escape_markdown(sent.note)
        for message in sent.messages:
            yield f"{message.role}:"
            yield _fence(sanitise(message.content))


def _warnings(events: Sequence[Event], transcript: Transcript) -> Iterator[str]:
    version = next((event.version for event in events if isinstance(event, DebateStarted)), "")
    if version != __version__:
        was = f"debate-tui {one_line(version)}" if version else "another version"
        yield (
            f"The debate was run by {escape_markdown(was)}; this is debate-tui {__version__}, "
            "whose prompts may be worded differently."
        )
    if any(info.debater for info in transcript.material):
        yield "Hidden material is left out."
    if transcript.is_blind:
        yield "Until the vote, the debate is blind: sources, parameters and added instructions are left out."


def _facts(sent: SentPrompt) -> Iterator[str]:
    """Yield time, source, model and parameters, escaped."""
    if when := to_datetime(sent.at):
        yield f"{when:%Y-%m-%d %H:%M:%S} UTC"
    model = "" if sent.source.endswith(sent.model) else sent.model
    for fact in (sent.source, model, *_parameter_facts(sent.parameters)):
        if fact:
            yield escape_markdown(one_line(fact, _MAX_FACT))


def _parameter_facts(parameters: Mapping[str, ParameterValue]) -> Iterator[str]:
    """Yield each parameter with its value, those in a body of their own by name: ``extra_body.top_k 3``."""
    for name, value in parameters.items():
        if isinstance(value, dict):
            yield from (f"{name}.{key} {inner}" for key, inner in value.items())
        else:
            yield f"{name} {', '.join(value) if isinstance(value, list) else value}"


def _fence(text: str) -> str:
    """Return text as a code block, with a fence longer than any in it."""
    longest = max(map(len, _FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{text}\n{fence}"
