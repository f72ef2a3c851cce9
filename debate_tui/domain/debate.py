"""Debaters, formats and phases: who speaks when, what they see, and when the debate ends."""

# Annotations are not strings here: msgspec would have to compile strings at start-up.
import itertools
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, Self, TypeVar

import msgspec
from msgspec import Meta, Struct

from debate_tui.domain.errors import UsageError
from debate_tui.domain.sanitise import MASK, has_mask, mask_secrets, secret_values

T = TypeVar("T")

MIN_DEBATERS = 2
MAX_DEBATERS = 4

SpeakingOrder = Literal["parallel", "turns", "reverse"]
Visibility = Literal["none", "own", "previous", "all"]
OutcomeKind = Literal["none", "swing", "panel", "consensus", "ranking"]

VERDICT_PHASE = "verdict"
"""The phase in which the judges read. It has no turns, and no format may use its name."""

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
SpeakerNumber = Annotated[int, Meta(ge=1, le=MAX_DEBATERS)]
DebaterCount = Annotated[int, Meta(ge=MIN_DEBATERS, le=MAX_DEBATERS)]


_RESERVED_FIELDS = frozenset({"model", "messages", "input", "stream", "background", "store"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

# JSON nested at most four levels deep: everything a file or a host sends has bounds.
_Scalar = str | int | float | bool | None
_Json1 = _Scalar | list[_Scalar] | dict[str, _Scalar]
_Json2 = _Scalar | list[_Json1] | dict[str, _Json1]
_Json3 = _Scalar | list[_Json2] | dict[str, _Json2]
JsonValue = _Scalar | list[_Json3] | dict[str, _Json3]

ParameterValue = _Scalar | list[str] | dict[str, _Scalar]
"""A parameter as recorded; values nested deeper are JSON text."""

Effort = Literal["none", "minimal", "low", "medium", "high"]


class ModelParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is sent to a model besides its prompt. Unset parameters are not sent."""

    effort: Annotated[
        Effort | None, Meta(description="how much a model reasons before answering, from `none` to `high`")
    ] = None
    temperature: Annotated[
        Annotated[float, Meta(ge=0, le=2)] | None,
        Meta(description="randomness of a model's answers, 0 to 2"),
    ] = None
    seed: Annotated[int | None, Meta(description="makes the answers of some models repeatable")] = None
    max_output_tokens: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="longest answer per turn, including reasoning", extra={"unit": "tokens"}),
    ] = None
    system: Annotated[str, Meta(description="text added to a model's instructions")] = ""
    extra_body: Annotated[
        dict[str, JsonValue],
        Meta(description="fields added to the body of each request, as named by the provider"),
    ] = {}
    headers: Annotated[dict[str, str], Meta(description="HTTP headers added to each request to a model")] = {}

    def __post_init__(self) -> None:
        if taken := sorted(_RESERVED_FIELDS & self.extra_body.keys()):
            raise ValueError(f"`extra_body` cannot set `{taken[0]}`, which debate-tui sends itself")
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"`{name}` in `headers` is not the name of an HTTP header")
            if value != MASK and not (value.isascii() and value.isprintable()):
                raise ValueError(f"the header `{name}` has characters that are not allowed in headers")

    @property
    def parameters(self) -> "ModelParameters":
        """These parameters alone, without the other fields of a subclass."""
        return ModelParameters(**{name: getattr(self, name) for name in ModelParameters.__struct_fields__})

    def over(self, other: "ModelParameters") -> "ModelParameters":
        """Return these parameters, with unset ones taken from `other`."""
        unset = ModelParameters()
        values = {name: getattr(self, name) for name in ModelParameters.__struct_fields__}
        return ModelParameters(
            **{
                name: getattr(other, name) if value == getattr(unset, name) else value
                for name, value in values.items()
            }
        )

    def to_public(self) -> dict[str, ParameterValue]:
        """Return the set parameters as they may be recorded and shown.

        Headers appear by name only; secrets are masked.
        """
        public: dict[str, ParameterValue] = msgspec.to_builtins(self.parameters)
        if self.headers:
            public["headers"] = [*sorted(self.headers)]
        if self.extra_body:
            public["extra_body"] = {
                name: msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value
                for name, value in mask_secrets(self.extra_body).items()
            }
        return public

    def without_secrets(self) -> Self:
        """Return a copy with all headers and secrets masked, to be written to a file."""
        return msgspec.structs.replace(
            self,
            headers=dict.fromkeys(self.headers, MASK),
            extra_body=mask_secrets(self.extra_body),
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no message may repeat."""
        return (*secret_values(self.headers), *secret_values(self.extra_body))

    @property
    def has_masked_secrets(self) -> bool:
        """Whether any value is masked, so that the original is not known."""
        return has_mask((self.headers, self.extra_body))


NO_PARAMETERS = ModelParameters()


_PARAMETER_HINTS = {
    "effort": "Use none, minimal, low, medium or high.",
    "temperature": "Use a number from 0 to 2.",
    "seed": "Use a whole number.",
    "max_output_tokens": "Use a whole number above 0.",
    "extra_body": 'Use a JSON object such as {"top_k": 3}, without fields that debate-tui sets itself.',
    "headers": 'Use a JSON object of strings, such as {"X-Team": "red"}.',
}


def parse_parameter(name: str, text: str) -> Any:
    """Return the value of a parameter from what was typed, or its default if `text` is empty.

    `extra_body` and `headers` are typed as JSON. Raise `UsageError` if the text is not a valid value.
    """
    if not text:
        return getattr(NO_PARAMETERS, name)
    try:
        value = msgspec.json.decode(text) if name in ("extra_body", "headers") else text
        return getattr(msgspec.convert({name: value}, ModelParameters, strict=False), name)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise UsageError(f"'{name}' cannot be '{text}'.", _PARAMETER_HINTS.get(name, "")) from None


def format_parameter(parameters: ModelParameters, name: str) -> str:
    """Return a parameter as it would be typed; empty if it is not set."""
    value = getattr(parameters, name)
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode() if value else ""
    return "" if value is None else str(value)


class Debater(Struct, frozen=True, kw_only=True):
    """One debater: its name, side, persona and source.

    `source` is the specification as typed (``openai:gpt-5.2``) and never holds a key. `parameters` are the
    model's, as returned by `ModelParameters.to_public`.
    """

    id: str
    name: str
    side: str
    source: str
    persona: str = ""
    parameters: dict[str, ParameterValue] = {}

    def masked(self, name: str) -> "Debater":
        """Return the debater as a blind debate shows it: under another name, without its source."""
        return msgspec.structs.replace(self, name=name, source="", parameters={})


LETTERS = "ABCDEFGH"
"""Names for debaters in blind debates, and for speakers and answers where names are left out."""


def mask_debaters(debaters: Iterable[Debater]) -> tuple[Debater, ...]:
    """Return the debaters as a blind debate shows them: under the letters of their places."""
    return tuple(debater.masked(letter) for debater, letter in zip(debaters, LETTERS, strict=False))


def free_letters(names: Container[str]) -> Iterator[str]:
    """Yield letters that no debater has as a name, so that none is mistaken for another."""
    return (letter for letter in LETTERS if letter not in names)


class Phase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One phase of a format, repeated for `rounds` rounds.

    `speakers` are places from 1, in speaking order; empty means all debaters. `sees` is what a speaker is
    shown: nothing, its own earlier turns, all earlier rounds, or also what was already said in this round.
    `words` is the length asked for; 0 means no length. `stop_when` ends the phase early, once all speakers
    agree. With `anonymous`, the answers are shown without names, in a shuffled order.
    """

    name: Slug
    title: str
    instruction: str = ""
    speakers: tuple[SpeakerNumber, ...] = ()
    order: SpeakingOrder = "parallel"
    sees: Visibility = "previous"
    words: Annotated[int, Meta(ge=0, le=5000)] = 0
    rounds: Annotated[int, Meta(ge=1, le=50)] = 1
    stop_when: Literal["", "agreement"] = ""
    anonymous: bool = False

    def __post_init__(self) -> None:
        if self.name == VERDICT_PHASE:
            raise ValueError(f"a phase cannot be named `{VERDICT_PHASE}`: the judges use that name")
        if len(set(self.speakers)) < len(self.speakers):
            raise ValueError(f"the phase `{self.name}` names a speaker twice")
        if self.sees == "all" and self.order == "parallel":
            raise ValueError(
                f"in the phase `{self.name}` all speak at once, so they cannot see each other: "
                'use sees = "previous" or order = "turns"'
            )


class Format(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A debate format, as read from a TOML file.

    `sides` are assigned to the debaters in order, starting over when there are fewer sides than debaters.
    `outcome` is how the debate is settled: not at all, by the larger swing of opinion, by a panel of
    judges, by consensus among the debaters, or by how they rank each other.
    """

    name: Slug
    title: str
    description: str
    phases: Annotated[tuple[Phase, ...], Meta(min_length=1)] = msgspec.field(name="phase")
    sides: tuple[str, ...] = ()
    outcome: OutcomeKind = "none"
    min_debaters: DebaterCount = MIN_DEBATERS
    max_debaters: DebaterCount = MAX_DEBATERS

    def __post_init__(self) -> None:
        names = [phase.name for phase in self.phases]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two phases are named `{twice}`")
        if self.min_debaters > self.max_debaters:
            raise ValueError("`min_debaters` is more than `max_debaters`")
        for phase in self.phases:
            if phase.speakers and max(phase.speakers) > self.min_debaters:
                raise ValueError(
                    f"the phase `{phase.name}` needs a speaker {max(phase.speakers)}, "
                    f"but `min_debaters` is {self.min_debaters}"
                )


def format_hash(format_: Format) -> str:
    """Return 12 hexadecimal digits that tell formats of the same name apart.

    They are a hash of everything in the format.
    """
    from hashlib import blake2b  # loads OpenSSL, which start-up does not need

    return blake2b(msgspec.json.encode(format_), digest_size=6).hexdigest()


class Round(Struct, frozen=True):
    """Round `number` of `total` in `phase`; both count from 1."""

    phase: Phase
    number: int
    total: int

    def with_words(self, words: int) -> "Round":
        """Return this round with another length in words."""
        return Round(msgspec.structs.replace(self.phase, words=words), self.number, self.total)


def iter_rounds(format_: Format) -> Iterator[Round]:
    """Yield the rounds of a debate in order."""
    for phase in format_.phases:
        for number in range(1, phase.rounds + 1):
            yield Round(phase, number, phase.rounds)


def with_round_count(format_: Format, count: int) -> Format:
    """Return the format with every repeated phase set to `count` rounds.

    Raise `UsageError` if the format repeats no phase, or `count` is below 1.
    """
    if all(phase.rounds == 1 for phase in format_.phases):
        raise UsageError(
            f"The format '{format_.name}' repeats no phase, so its number of rounds cannot be set.",
            "Leave out the number of rounds, or choose a format such as oxford.",
        )
    if count < 1:
        raise UsageError(f"The number of rounds cannot be {count}.", "Use 1 or more.")
    return msgspec.structs.replace(
        format_,
        phases=tuple(
            msgspec.structs.replace(phase, rounds=count) if phase.rounds > 1 else phase
            for phase in format_.phases
        ),
    )


def check_debater_count(format_: Format, count: int) -> None:
    """Raise `UsageError` unless the format takes `count` debaters."""
    least, most = format_.min_debaters, format_.max_debaters
    if least <= count <= most:
        return
    needed = f"{least}" if least == most else f"{least} to {most}"
    raise UsageError(
        f"The format '{format_.name}' takes {needed} debaters, not {count}.",
        "Name each debater with -d, or choose another format with -f.",
    )


def fill_debaters(debaters: Sequence[T], format_: Format) -> tuple[T, ...]:
    """Repeat `debaters` in order until there are as many as the format needs."""
    count = max(len(debaters), format_.min_debaters)
    return tuple(itertools.islice(itertools.cycle(debaters), count))


def assign_sides(format_: Format, count: int) -> tuple[str, ...]:
    """Return the sides of `count` debaters, in order; all empty if the format has none."""
    if not format_.sides:
        return ("",) * count
    return tuple(itertools.islice(itertools.cycle(format_.sides), count))


def speaking_groups(
    round_: Round, debaters: tuple[Debater, ...], absent: Container[str] = ()
) -> Iterator[tuple[Debater, ...]]:
    """Yield the groups of a round in speaking order; the debaters of a group speak at the same time.

    `debaters` are all who ever took part, so that places keep their meaning; `absent` holds the ids of
    those who left.
    """
    phase = round_.phase
    places = phase.speakers or range(1, len(debaters) + 1)
    called = (debaters[place - 1] for place in places if place <= len(debaters))
    speakers = tuple(debater for debater in called if debater.id not in absent)
    if phase.order == "parallel":
        if speakers:
            yield speakers
        return
    for speaker in reversed(speakers) if phase.order == "reverse" else speakers:
        yield (speaker,)


def may_see(sees: Visibility, *, own: bool, this_round: bool) -> bool:
    """Return whether a speaker sees a finished turn.

    `own` says whether the turn is the speaker's own, `this_round` whether it belongs to the current round.
    """
    match sees:
        case "none":
            return False
        case "own":
            return own and not this_round
        case "previous":
            return not this_round
        case "all":
            return True
