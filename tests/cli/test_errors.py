"""Every error a user can cause: its exit code, and one or two lines that say what is wrong and what to do."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from debate_tui import config
from debate_tui.cli.debate import parse_debater_option
from debate_tui.cli.format_files import format_names
from debate_tui.domain.events import DebateStarted
from debate_tui.record.stores import SqliteStore
from tests.cli.process import run_program
from tests.fakes.provider_server import CHAT, ProviderReply, ProviderServer, error

if TYPE_CHECKING:
    from pathlib import Path

TWO = ("-d", "demo", "-d", "demo")

USAGE = {
    "one debater": (["Q?", "-d", "demo"], ["2 to 4 debaters", "not 1"]),
    "five debaters": (["Q?", *("-d", "demo") * 5], ["2 to 4 debaters", "not 5"]),
    "unknown provider": (
        ["Q?", "-d", "opanai:gpt", "-d", "demo"],
        ["No provider named 'opanai'", "Did you mean 'openai:gpt'?"],
    ),
    "unknown mode": (["Q?", "-m", "hybird", *TWO], ["hybird", "Did you mean 'hybrid'?"]),
    "unknown action": (["config", "pth"], ["'pth' is not one of", "Did you mean 'path'?"]),
    "no shell": (["completion"], ["Missing argument 'SHELL'.", "bash"]),
    "unknown option": (["Q?", "--plian", *TWO], ["--plian", "--plain"]),
    "unknown format": (["Q?", "-f", "oxfrod", *TWO], ["oxfrod", "oxford"]),
    "unknown voice": (["Q?", "-d", "demo:yodeller", "-d", "demo"], ["yodeller"]),
    "empty topic": (["", *TWO], ["The topic is empty"]),
    "blank topic": (["  \n ", *TWO], ["The topic is empty"]),
    "no topic": ([*TWO], ["The topic is empty", "debate-tui"]),
    "too few for the format": (["Q?", "-f", "british-parliamentary", *TWO], ["takes 4 debaters, not 2"]),
    "endless topic": (["why " * 2000, *TWO], ["more than 4,000"]),
    "misspelt command": (["histroy"], ["No command is named 'histroy'.", "Did you mean 'history'?"]),
    "misspelt command with options": (
        ["exprot", "-f", "oxford"],
        ["'exprot'", "'export'", "put -- before it"],
    ),
    "command in capitals": (["History"], ["Did you mean 'history'?"]),
    "command after options": (["--plain", "history"], ["'history' is a command", "put -- before it"]),
    "topic like a command": (
        ["replay", "of", "history"],
        [
            "Unexpected words: history.",
            "To debate a topic that begins with 'replay', quote it or put -- before it.",
        ],
    ),
    "model without provider": (["Q?", "-d", "gpt-4o", "-d", "demo"], ["Did you mean 'openai:gpt-4o'?"]),
    "side of nobody": (
        ["Q?", "--side", "Cy=for", "-d", "Ada=demo", "-d", "Ben=demo"],
        ["--side: no debater is named 'Cy'.", "The debaters are: Ada, Ben."],
    ),
    "sides without topic": (
        ["serve", "--side", "Ada=for"],
        ["--side, --persona and --context need a topic."],
    ),
    "side without name": (["Q?", "--side", "for", *TWO], ["'--side'", "'for'", "NAME=SIDE"]),
    "persona of a recorded debate": (
        ["--continue", "x1", "--persona", "Ada=calm"],
        ["--continue", "--persona"],
    ),
    "no address": (["Q?", "-d", "http://", "-d", "demo"], ["address"]),
    "both outputs": (["Q?", "--plain", "--json", *TWO], ["cannot be used together"]),
    "window out of range": (["Q?", "--window", "1", *TWO], ["--window", "10"]),
    "window below range": (
        ["Q?", "--window", "0", *TWO],
        ["--window: expected a whole number of at least 10, got `0`."],
    ),
    "no material": (
        ["Q?", "--max-context", "0", *TWO],
        ["--max-context: expected a whole number of at least 1, got `0`."],
    ),
    "no money": (["Q?", "--max-cost", "-1", *TWO], ["--max-cost: expected a number above 0, got `-1.0`."]),
    "long name": (
        ["Q?", "-d", f"{'n' * 41}=demo", "-d", "demo"],
        [f"--debater: `name`: expected text of at most 40 characters, got `{'n' * 41}`."],
    ),
    "no number": (["Q?", "--rounds", "many", *TWO], ["many"]),
    "no source": (["Q?", "-d", "", "-d", "demo"], ["A source is empty", "openai:MODEL"]),
    "a name alone": (["Q?", "-d", "Ada=", "-d", "demo"], ["A source is empty"]),
}


@pytest.mark.parametrize("case", USAGE)
async def test_wrong_usage_is_exit_2_in_two_lines(case: str) -> None:
    arguments, said = USAGE[case]
    done = await run_program(*arguments, **({} if "--json" in arguments else {"DEBATE_TUI_THEME": ""}))
    assert done.code == 2, done.err
    assert done.out == ""
    assert len(done.err.splitlines()) in (1, 2), done.err
    for words in said:
        assert words in done.err


FILES = {
    "missing": (None, ["missing.toml"]),
    "no TOML": ('topic = "x\nmode', ["wrong.toml:1"]),
    "unknown key": ('mode = "hybrid"\nwidnow = 5\n', ["wrong.toml:2", "widnow", "window"]),
    "unknown key inside": (
        '[[debater]]\nsource = "demo"\n\n[[debater]]\nsource = "demo"\nnmae = "Ada"\n',
        ["wrong.toml:6", "nmae", "name"],
    ),
    "wrong type": ('window = "fast"\n', ["wrong.toml:1", "window", "number"]),
    "wrong choice": ('\nmode = "hybird"\n', ["wrong.toml:2", "hybird", "hybrid"]),
    "out of range": ("[recovery]\nmax_retries = -1\n", ["wrong.toml:2", "max_retries"]),
    "marks crossed": ("high_mark = 8\nlow_mark = 9\n", ["low_mark", "high_mark"]),
}


@pytest.mark.parametrize("case", FILES)
async def test_a_wrong_file_is_exit_4_and_names_file_line_and_key(case: str, tmp_path: Path) -> None:
    text, said = FILES[case]
    file = tmp_path / ("missing.toml" if text is None else "wrong.toml")
    if text is not None:
        file.write_text(text)
    done = await run_program("Q?", "--plain", *TWO, "--config", str(file))
    assert done.code == 4, done.err
    assert done.out == ""
    assert len(done.err.splitlines()) in (1, 2), done.err
    for words in said:
        assert words in done.err


@pytest.mark.parametrize(
    ("variable", "value", "message", "hint"),
    [
        ("DEBATE_TUI_MODE", "hybird", "DEBATE_TUI_MODE cannot be `hybird`.", "Did you mean `hybrid`?"),
        (
            *("DEBATE_TUI_MODE", "x", "DEBATE_TUI_MODE cannot be `x`."),
            "Known here: hybrid, staggered, synchronized.",
        ),
        ("DEBATE_TUI_WINDOW", "abc", "DEBATE_TUI_WINDOW: expected a whole number, got `abc`.", ""),
        ("DEBATE_TUI_MAX_COST", "abc", "DEBATE_TUI_MAX_COST: expected a number, got `abc`.", ""),
    ],
)
async def test_a_wrong_variable_is_named_in_the_words_for_files(
    variable: str, value: str, message: str, hint: str
) -> None:
    done = await run_program("Q?", "--plain", *TWO, **{variable: value})
    assert done.code == 4
    assert done.err.splitlines() == [f"debate-tui: {message}", *([f"  {hint}"] if hint else [])]


async def test_a_misspelt_option_gets_one_suggestion() -> None:
    done = await run_program("Q?", "--bogus", *TWO)
    assert done.code == 2
    assert done.err.count("Did you mean") == 1, done.err


def test_a_debater_without_a_name_before_the_sign_is_given_one() -> None:
    assert parse_debater_option("=demo") == {"name": "", "source": "demo"}
    assert parse_debater_option("Ada=demo") == {"name": "Ada", "source": "demo"}
    assert parse_debater_option("https://host/?a=b") == {"source": "https://host/?a=b"}


@pytest.mark.parametrize(
    ("source", "variable"), [("openai:gpt-x", "OPENAI_API_KEY"), ("groq:llama", "GROQ_API_KEY")]
)
async def test_a_missing_key_is_exit_4_and_says_where_it_goes(source: str, variable: str) -> None:
    done = await run_program("Q?", "--plain", "-d", source, "-d", "demo")
    assert done.code == 4
    assert done.out == ""
    assert variable in done.err
    assert len(done.err.splitlines()) == 2


async def test_a_refused_key_is_exit_4_without_a_terminal_and_is_not_repeated() -> None:
    key = "sk-proj-abcdefghijklmnop1234"
    async with ProviderServer() as server:
        body = error("invalid_request_error", f"Incorrect API key provided: {key}.", "invalid_api_key")
        server.script(CHAT, ProviderReply(body, status=401, content_type="application/json"))
        done = await run_program(
            *("Q?", "--plain", "-d", "openai:gpt-x", "-d", "demo"),
            OPENAI_API_KEY=key,
            OPENAI_BASE_URL=server.base,
        )
    assert done.code == 4, done.err
    assert key not in done.out + done.err
    assert key[:12] not in done.out + done.err


async def test_a_wrong_format_is_named_with_its_line_and_the_others_are_listed() -> None:
    folder = config.config_folder() / "formats"
    folder.mkdir(parents=True)
    (folder / "duel.toml").write_text('name = "duel"\ntitle = "Duel"\ndescription = "x"\n\n[[phases]]\n')
    done = await run_program("formats")
    assert done.code == 4
    assert [line.split()[0] for line in done.out.splitlines() if line[:1].strip()] == [
        *(name for name in format_names() if name != "duel"),
        "debate-tui",
    ]
    assert "duel.toml:5: unknown key `phases`" in done.err
    assert "Did you mean `phase`?" in done.err
    assert len(done.err.splitlines()) == 2


@pytest.mark.parametrize("arguments", [["formats"], ["Q?", "-f", "duel", *TWO]])
async def test_a_format_that_is_no_text_is_named(arguments: list[str]) -> None:
    folder = config.config_folder() / "formats"
    folder.mkdir(parents=True)
    (folder / "duel.toml").write_bytes(b"\xff\xfe")
    done = await run_program(*arguments)
    assert done.code == 4
    assert "duel.toml is not a UTF-8 or UTF-16 text file" in done.err


async def test_a_debate_that_was_begun_by_another_version_is_not_continued() -> None:
    async with aclosing(SqliteStore(config.record_file())) as store:
        log = await store.create("d1", setup='{"format": 1}')
        log.append(DebateStarted(debate="d1", topic="Q?", format="oxford", debaters=()))
        await log.aclose()
    done = await run_program("--continue", "--json")
    assert (done.code, done.out) == (2, "")
    assert "d1" in done.err
    assert "debate-tui export d1" in done.err


async def test_an_undecodable_name_is_accepted() -> None:
    done = await run_program(
        "Q?", "-f", "nowhere", "-d", "A\udcff=demo", "-d", "demo", "--judge", "demo:\udcff"
    )
    assert done.code == 2, done.err
    assert "nowhere" in done.err
    started = (await run_program("Q?", "--json", "-d", "A\udcff=http://127.0.0.1:9/", "-d", "demo")).events[0]
    assert isinstance(started, DebateStarted)
    assert started.debaters[0].name == "A?"
