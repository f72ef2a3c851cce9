"""The scripted debaters: deterministic, grammatical, resumable, and never the same sentence twice."""

from __future__ import annotations

import itertools
import random
import re
from importlib.resources import files

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debate_tui.domain.debate import (
    Debater,
    Format,
    Phase,
    Round,
    assign_sides,
    iter_rounds,
    may_see,
    speaking_groups,
    with_round_count,
)
from debate_tui.domain.errors import UsageError
from debate_tui.domain.formats import parse_format
from debate_tui.domain.judging.scoring import find_agreement, parse_answer, parse_ranking
from debate_tui.domain.prompts import Brief, Speech, build_messages
from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Cursor,
    Finished,
    Message,
    ResumePoint,
    StreamItem,
    StreamOrigin,
    TurnRequest,
)
from debate_tui.sources.demo import (
    DEMO_NOTICE,
    READABLE_SPEED,
    VOICES,
    DemoSource,
    Pace,
    add_delays,
    pick_voices,
    split_tokens,
)
from debate_tui.sources.demo.script import phase_role
from debate_tui.sources.demo.topic import parse_topic, side_stance
from debate_tui.sources.demo.vocabulary import FIELD_NAMES, GENERAL_FIELD, find_field, load_field, load_voice

TOPICS = (
    "Should cities ban cars?",
    "This house would abolish homework",
    "Is a hot dog a sandwich?",
    "Tabs or spaces?",
    "Universal basic income",
    "Why do we dream?",
    "猫は犬より良いですか？",
    "Sollte man Autos in Städten verbieten?",
)


async def no_sleep(_: float) -> None:
    """Every pause is over at once."""


def source(voice_name: str, seed: int = 0) -> DemoSource:
    return DemoSource(voice_name, seed=seed, sleep=no_sleep)


async def read_items(
    demo: DemoSource, request: TurnRequest, resume: ResumePoint | None = None
) -> list[StreamItem]:
    async with demo.open(request, resume) as stream:
        return [item async for item in stream]


def text_of(stream: list[StreamItem], *, reasoning: bool = False) -> str:
    return "".join(i.text for i in stream if isinstance(i, Chunk) and i.reasoning is reasoning)


def load_format(name: str) -> Format:
    text = (files("debate_tui.domain.formats") / f"{name}.toml").read_text(encoding="utf-8")
    return parse_format(text, f"{name}.toml")


async def hold_debate(
    topic: str, count: int = 2, *, seed: int = 0, rebuttals: int = 0, name: str = "oxford"
) -> list[Speech]:
    """A whole debate between scripted debaters, prompts and all."""
    form = load_format(name)
    form = with_round_count(form, rebuttals) if rebuttals else form
    debaters = tuple(
        Debater(id=name, name=VOICES[name], side=side, source=f"demo:{name}")
        for name, side in zip(pick_voices(count, seed), assign_sides(form, count), strict=True)
    )
    said: list[Speech] = []
    for step in iter_rounds(form):
        heard, turn = tuple(said), len(said)
        for wave in speaking_groups(step, debaters):
            for me in wave:
                turn += 1
                brief = Brief(
                    topic=topic,
                    format=form.title,
                    debater=me,
                    opponents=tuple(other for other in debaters if other is not me),
                    round=step,
                    speeches=tuple(
                        s for s in heard if may_see(step.phase.sees, own=s.name == me.name, this_round=False)
                    ),
                )
                request = TurnRequest(topic, step.phase.name, turn, build_messages(brief))
                stream = await read_items(source(me.id, seed), request)
                said.append(Speech(me.name, me.side, step.phase.title, text_of(stream)))
    return said


def sentences(text: str) -> list[str]:
    plain = re.sub(r"```.*?```|^\|.*\|$|“[^”]*”|^>.*$", " ", text, flags=re.DOTALL | re.MULTILINE)
    return [s.strip() for s in re.split(r"(?<=[.!?])\s+", plain) if len(s.split()) > 4]


REQUEST = TurnRequest("Should cities ban cars?", "opening", 1, ())


async def test_a_stream_begins_connected_and_ends_with_usage() -> None:
    first, *chunks, last = await read_items(source("engineer"), REQUEST)
    assert isinstance(first, Connected)
    assert first.origin is StreamOrigin.START
    assert all(isinstance(chunk, Chunk) and 1 <= len(chunk.text) <= 8 for chunk in chunks)
    assert isinstance(last, Finished)
    assert last.reason == "complete"
    assert last.usage is not None
    assert last.usage.output_tokens == len(chunks)


async def test_the_same_seed_says_the_same_and_another_seed_or_voice_something_else() -> None:
    said = text_of(await read_items(source("sceptic", 1), REQUEST))
    assert said == text_of(await read_items(source("sceptic", 1), REQUEST))
    others = [text_of(await read_items(source("sceptic", seed), REQUEST)) for seed in range(2, 6)]
    assert set(others) - {said}
    assert said != text_of(await read_items(source("orator", 1), REQUEST))


async def test_one_voice_thinks_before_it_speaks() -> None:
    thinking = {name: text_of(await read_items(source(name), REQUEST), reasoning=True) for name in VOICES}
    assert [name for name, thought in thinking.items() if thought] == ["philosopher"]
    stream = await read_items(source("philosopher"), REQUEST)
    flags = [item.reasoning for item in stream if isinstance(item, Chunk)]
    assert flags == sorted(flags, reverse=True)
    last = stream[-1]
    assert isinstance(last, Finished)
    assert last.usage is not None
    assert last.usage.reasoning_tokens == flags.count(True)


@pytest.mark.parametrize("name", ["philosopher", "historian"])
async def test_it_goes_on_behind_any_cursor_without_losing_or_doubling_a_character(name: str) -> None:
    demo = source(name)
    whole = await read_items(demo, REQUEST)
    chunks = [item for item in whole if isinstance(item, Chunk)]
    for at in (0, 1, len(chunks) // 2, len(chunks) - 1):
        before, cursor = chunks[: at + 1], chunks[at].cursor
        again = await read_items(demo, REQUEST, ResumePoint(2, cursor, text_of(list(before))))
        assert again[0] == Connected(StreamOrigin.CURSOR, transport="script")
        for reasoning in (True, False):
            joined = text_of(list(before), reasoning=reasoning) + text_of(again, reasoning=reasoning)
            assert joined == text_of(whole, reasoning=reasoning)


@given(st.integers(0, 4000))
@settings(max_examples=20, deadline=None)
async def test_a_cursor_may_stand_inside_a_piece(position: int) -> None:
    whole = text_of(await read_items(source("engineer"), REQUEST))
    again = await read_items(
        source("engineer"), REQUEST, ResumePoint(2, Cursor(str(position)), whole[:position])
    )
    origin = StreamOrigin.CURSOR if position <= len(whole) else StreamOrigin.START
    assert again[0] == Connected(origin, transport="script")
    assert text_of(again) == (whole[position:] if origin is StreamOrigin.CURSOR else whole)


@pytest.mark.parametrize("cursor", [None, Cursor("elsewhere"), Cursor("-1"), Cursor("")])
async def test_without_a_usable_cursor_it_starts_over(cursor: Cursor | None) -> None:
    whole = await read_items(source("orator"), REQUEST)
    again = await read_items(source("orator"), REQUEST, ResumePoint(2, cursor, "Friends"))
    assert again == whole


async def test_a_token_limit_cuts_it_and_says_so() -> None:
    stream = await read_items(source("orator"), msgspec.structs.replace(REQUEST, max_output_tokens=10))
    assert sum(isinstance(item, Chunk) for item in stream) == 10
    last = stream[-1]
    assert isinstance(last, Finished)
    assert last.reason == "length"


async def test_leaving_early_is_fine() -> None:
    async with source("orator").open(REQUEST) as stream:
        async for item in stream:
            if isinstance(item, Chunk):
                break
    assert isinstance(item, Chunk)


def test_an_unknown_voice_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        DemoSource("tenor")
    assert all(name in caught.value.hint for name in VOICES)


def test_it_is_called_what_it_is() -> None:
    assert source("orator").model == "scripted"
    assert "no model is speaking" in DEMO_NOTICE
    assert "OPENAI_API_KEY" in DEMO_NOTICE


def test_a_lineup_has_different_voices_and_every_voice_its_chance() -> None:
    for count in (2, 3, 4):
        assert len(set(pick_voices(count, 7))) == count
    assert {name for seed in range(40) for name in pick_voices(2, seed)} == set(VOICES)
    assert len(set(VOICES.values())) == len(VOICES) >= 6


# --- what is said


@pytest.mark.parametrize(("topic", "count"), zip(TOPICS, itertools.cycle((2, 3, 4)), strict=False))
async def test_nobody_says_a_sentence_twice_in_a_debate(topic: str, count: int) -> None:
    said = await hold_debate(topic, count, seed=count, rebuttals=4)
    for name in {speech.name for speech in said}:
        own = [s for speech in said if speech.name == name for s in sentences(speech.text)]
        claims = {parse_topic(topic).claim, parse_topic(topic).denial}
        repeated = {
            s
            for s in own
            if own.count(s) > 1 and not any(claim in s.lower() for claim in map(str.lower, claims))
        }
        assert not repeated


@pytest.mark.parametrize("topic", TOPICS)
async def test_every_speech_is_near_its_length_and_leaves_no_slot_open(topic: str) -> None:
    targets = {"Opening": 200, "Rebuttal": 150, "Closing": 120}
    for speech in await hold_debate(topic, 3, seed=5):
        assert 0.5 <= len(speech.text.split()) / targets[speech.phase] <= 1.6
        assert not re.search(r"\{\w+\}", speech.text)
        assert "  " not in re.sub(r"```.*?```", "", speech.text, flags=re.DOTALL)
        assert speech.text.count("```") in (0, 2)


@pytest.mark.parametrize(
    "name", [file.name[:-5] for file in files("debate_tui.domain.formats").iterdir() if ".toml" in file.name]
)
async def test_every_format_is_a_show(name: str) -> None:
    said = await hold_debate(TOPICS[0], max(2, load_format(name).min_debaters), name=name)
    assert all(speech.text and "{" not in speech.text for speech in said)
    assert len({speech.text for speech in said}) == len(said)


@pytest.mark.parametrize("seed", range(6))
async def test_a_rebuttal_answers_an_opponent_by_name(seed: int) -> None:
    said = await hold_debate("Should cities ban cars?", 2, seed=seed)
    names = {speech.name for speech in said}
    for speech in said:
        if speech.phase != "Opening":
            (other,) = names - {speech.name}
            assert other in speech.text


async def test_topics_and_seeds_make_different_debates() -> None:
    one = {s for speech in await hold_debate(TOPICS[0], seed=1) for s in sentences(speech.text)}
    other = {s for speech in await hold_debate(TOPICS[2], seed=1) for s in sentences(speech.text)}
    again = {s for speech in await hold_debate(TOPICS[0], seed=2) for s in sentences(speech.text)}
    assert len(one & other) < len(one) * 0.6
    assert len(one & again) < len(one) * 0.6


async def test_debaters_of_one_side_do_not_tell_the_same_story() -> None:
    said = await hold_debate("Should cities ban cars?", 4, seed=3)
    told = [
        (fact.text[:60], speech.name)
        for speech in said
        for name in (find_field("Should cities ban cars?"), GENERAL_FIELD)
        for fact in load_field(name).facts
        if fact.text[:60] in speech.text
    ]
    assert told
    assert len({fact for fact, _ in told}) == len(told)


async def test_the_moderator_is_answered_first() -> None:
    me = Debater(id="orator", name="Cato", side="For", source="demo:orator")
    phase = load_format("oxford").phases[1]
    brief = Brief(
        topic=TOPICS[0],
        format="Oxford debate",
        debater=me,
        opponents=(),
        round=Round(phase, 1, 2),
        interjections=("And the buses?",),
    )
    said = text_of(
        await read_items(source("orator"), TurnRequest(TOPICS[0], "rebuttal", 3, build_messages(brief)))
    )
    assert any(said.startswith(remark.split(":")[0][:25]) for remark in load_voice("orator").remarks)


async def test_a_foreign_prompt_still_gets_a_speech_on_its_topic() -> None:
    request = TurnRequest("Is water wet?", "opening", 1, (Message("user", "Say something."),))
    said = text_of(await read_items(source("historian"), request))
    assert "“is water wet?”" in said.lower()


def test_every_voice_has_enough_to_say_for_every_stance_and_kind() -> None:
    for name in VOICES:
        for stance, kind in itertools.product(("for", "against", "third"), ("proposal", "judgement")):
            fitting = [a for a in load_voice(name).arguments if a.fits(stance, kind)]  # type: ignore[arg-type]
            assert len(fitting) >= (3 if stance == "third" else 4)
            assert any(w.fits(stance, kind) for w in load_voice(name).weighings)  # type: ignore[arg-type]


def test_every_text_uses_only_slots_there_are() -> None:
    known = {"thesis", "counter", "opponent", "quote"}
    known |= {"people", "place", "measure", "stake", "first", "last"}
    for name in VOICES:
        used = re.findall(r"\{(\w+)\}", msgspec.json.encode(load_voice(name)).decode())
        assert {slot.lower() for slot in used} <= known
    for name in (*FIELD_NAMES, GENERAL_FIELD):
        assert "{" not in "".join(fact.text for fact in load_field(name).facts)


# --- the topic in a sentence


@pytest.mark.parametrize(
    ("topic", "claim", "denial"),
    [
        ("Should cities ban cars?", "cities should ban cars", "cities should not ban cars"),
        ("Can machines think?", "machines can think", "machines cannot think"),
        ("Would you rather fly?", "you would rather fly", "you would not rather fly"),
        (
            "Should the voting age be lowered to 16?",
            "the voting age should be lowered to 16",
            "the voting age should not be lowered to 16",
        ),
        (
            "Should public transport be free",
            "public transport should be free",
            "public transport should not be free",
        ),
        ("Should there be a tax?", "there should be a tax", "there should not be a tax"),
        ("Are cats better than dogs?", "cats are better than dogs", "cats are not better than dogs"),
        ("Is it wrong to eat meat?", "it is wrong to eat meat", "it is not wrong to eat meat"),
        (
            "This house would abolish the monarchy.",
            "we should abolish the monarchy",
            "we should not abolish the monarchy",
        ),
        ("Tea or coffee?", "the right answer is “Tea”", "the right answer is “coffee”"),
    ],
)
def test_simple_topics_become_clauses(topic: str, claim: str, denial: str) -> None:
    read = parse_topic(topic)
    assert (read.claim, read.denial) == (claim, denial)


@pytest.mark.parametrize(
    "topic",
    [
        "Should tennis players earn more?",
        "Should children under 12 have phones?",
        "Should cities not ban cars?",
        "Should a parent let kids be bored?",
        "Should I learn Rust?",
        "Is a hot dog a sandwich?",
        "Why do we dream?",
        "Universal basic income",
        "THW not pay ransoms",
        "猫は犬より良いですか？",
        "¿Deben las ciudades prohibir los coches?",
    ],
)
def test_other_topics_are_quoted(topic: str) -> None:
    read = parse_topic(topic)
    assert f"“{topic}”" in read.claim
    assert f"“{topic}”" in read.denial


def test_a_long_topic_is_shortened_where_it_is_quoted() -> None:
    assert len(parse_topic("猫" * 5000).claim) < 200


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_topic_can_be_read(topic: str) -> None:
    read = parse_topic(topic)
    assert read.claim.strip()
    assert read.denial.strip()
    assert read.claim != read.denial


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("Should cities ban cars?", "streets"),
        ("Is AI conscious?", "machines"),
        ("Tabs or spaces?", "code"),
        ("Pineapple on pizza", "food"),
        ("The sound of one hand", GENERAL_FIELD),
    ],
)
def test_a_topic_is_found_its_field(topic: str, name: str) -> None:
    assert find_field(topic) == name


@pytest.mark.parametrize(
    ("side", "stance"),
    [
        ("For", "for"),
        ("Affirmative", "for"),
        ("Opening Government", "for"),
        ("Against", "against"),
        ("Closing Opposition", "against"),
        ("Tabs", "for"),
        ("spaces", "against"),
        ("Only on Sundays", "third"),
        ("", None),
    ],
)
def test_a_side_is_a_stance(side: str, stance: str | None) -> None:
    assert side_stance(side, "Tabs or spaces?") == stance


@pytest.mark.parametrize(
    ("phase", "spoken", "role"),
    [
        ("opening", 0, "opening"),
        ("rebuttal", 1, "rebuttal"),
        ("closing", 3, "closing"),
        ("negative-questions", 1, "question"),
        ("affirmative-answers", 1, "reply"),
        ("ranking", 1, "ranking"),
        ("argument", 0, "opening"),
        ("argument", 2, "rebuttal"),
    ],
)
def test_a_phase_asks_for_a_kind_of_speech(phase: str, spoken: int, role: str) -> None:
    assert phase_role(phase, spoken) == role


# --- the pace


@given(st.text())
def test_pieces_join_to_the_text_again(text: str) -> None:
    cut = split_tokens(text)
    assert "".join(cut) == text
    assert all(1 <= len(piece) <= 8 for piece in cut)


async def test_a_speech_takes_as_long_as_a_model_would() -> None:
    said = text_of(await read_items(source("empiricist"), REQUEST))
    for name in VOICES:
        pace = Pace(load_voice(name).tokens_per_second)
        waits = [wait for wait, _ in add_delays(split_tokens(said), pace, random.Random(1))]
        assert 30 <= len(waits) / sum(waits) <= 80
        assert len(set(waits)) == len(waits)


@pytest.mark.parametrize("name", VOICES)
async def test_on_the_screen_it_speaks_at_a_pace_to_read_along(name: str) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    items = await read_items(DemoSource(name, speed=READABLE_SPEED, sleep=sleep), REQUEST)
    tokens = sum(isinstance(item, Chunk) for item in items)
    assert 15 <= tokens / sum(waits) <= 25


# --- formats that ask for more than a speech


async def test_a_search_for_consensus_ends_in_one() -> None:
    consensus = load_format("consensus")
    debaters = tuple(Debater(id=n, name=VOICES[n], side="", source="demo") for n in pick_voices(3, 2))
    said: list[Speech] = []
    votes: list[str | None] = []
    for step in iter_rounds(consensus):
        heard = tuple(said) if step.phase.sees != "none" else ()
        for me in debaters:
            others = tuple(other for other in debaters if other is not me)
            brief = Brief(
                topic=TOPICS[0], format="Consensus", debater=me, opponents=others, round=step, speeches=heard
            )
            stream = await read_items(
                source(me.id, 2), TurnRequest(TOPICS[0], step.phase.name, 1, build_messages(brief))
            )
            said.append(Speech(me.name, "", step.phase.title, text_of(stream)))
        votes.append(find_agreement([speech.text for speech in said[-3:]]))
    assert all(parse_answer(speech.text) for speech in said)
    assert votes[0] is None
    assert votes[-1] is not None


async def test_a_ballot_ranks_every_answer_once() -> None:
    phase = Phase(name="ranking", title="Ranking", anonymous=True)
    heard = tuple(Speech(name, "", "Proposal", f"I am {name}.") for name in ("Mara", "Bo", "Ines"))
    me, *others = (Debater(id=n, name=n, side="", source="demo") for n in ("Mara", "Bo", "Ines"))
    brief = Brief(
        topic=TOPICS[0],
        format="Council",
        debater=me,
        opponents=tuple(others),
        round=Round(phase, 1, 1),
        speeches=heard,
    )
    said = text_of(
        await read_items(source("empiricist"), TurnRequest(TOPICS[0], "ranking", 4, build_messages(brief)))
    )
    assert parse_ranking(said, ("A", "B", "C")) is not None
