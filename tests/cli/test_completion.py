"""Completion: what is offered where, and that bash, zsh and fish insert it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from asyncio.subprocess import PIPE
from contextlib import aclosing
from pathlib import Path

import pytest

from debate_tui import config
from debate_tui.cli.options import COMMAND_NAMES
from debate_tui.domain.events import DebateStarted
from debate_tui.record.stores import SqliteStore
from tests.cli.process import run_program

PROGRAM_FOLDER = Path(sys.executable).parent


async def offered(*words: str) -> list[str]:
    """What is offered for the last of the words."""
    line = " ".join(("debate-tui", *words))
    run = await run_program(_DEBATE_TUI_COMPLETE="bash_complete", COMP_WORDS=line, COMP_WORDBREAKS="")
    assert (run.code, run.err) == (0, "")
    lines = [line.split(",", 1) for line in run.out.splitlines()]
    return [value if type_ == "plain" else type_ for type_, value in lines]


async def record_debate(name: str) -> None:
    async with aclosing(SqliteStore(config.record_file())) as store:
        log = await store.create(name)
        log.append(DebateStarted(debate=name, topic="Q?", format="oxford", debaters=()))
        await log.aclose()


async def test_commands_and_options_are_offered() -> None:
    assert await offered("") == list(COMMAND_NAMES)
    assert await offered("hi") == ["history"]
    assert {"--debater", "--side", "--format"} <= set(await offered("--"))
    assert "--help" in await offered("replay", "--")
    assert "--speed" in await offered("replay", "--sp")
    assert await offered("Q?", "") == []


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("-f", "ox"), {"oxford"}),
        (("--format=ox",), {"oxford"}),
        (("formats", "ox"), {"oxford"}),
        (("-m", "s"), {"synchronized", "staggered"}),
        (("--theme", "emb"), {"ember"}),
        (("--theme", "textual-l"), {"textual-light"}),
        (("-d", "anth"), {"anthropic:claude-sonnet-5-5"}),
        (("-d", "Ada=olla"), {"Ada=ollama"}),
        (("--judge", "loc"), {"local"}),
        (("serve", "--allow-source", "gro"), {"groq:openai/gpt-oss-120b"}),
        (("completion", "z"), {"zsh"}),
        (("config", ""), {"path", "edit", "init"}),
        (("export", "--to", "h"), {"html"}),
        (("help", "reco"), {"recovery"}),
        (("--config", ""), {"file"}),
    ],
)
async def test_values_are_offered(words: tuple[str, ...], values: set[str]) -> None:
    assert set(await offered(*words)) == values


async def test_providers_of_the_settings_are_offered() -> None:
    config.user_file().parent.mkdir(parents=True)
    config.user_file().write_text("[provider.work]\nbase_url = 'https://llm.example.org/v1'\nmodel = 'm'\n")
    assert await offered("-d", "wor") == ["work:m"]
    config.user_file().write_text("widnow = 5")
    assert await offered("-d", "anth") == ["anthropic:claude-sonnet-5-5"]


@pytest.mark.parametrize(
    "words", [("export", "d"), ("replay", ""), ("--continue", "d"), ("history", "--delete", "")]
)
async def test_recorded_debates_are_offered(words: tuple[str, ...]) -> None:
    await record_debate("d1")
    assert await offered(*words) == ["d1"]


async def test_an_unknown_request_is_exit_2() -> None:
    run = await run_program("Q?", _DEBATE_TUI_COMPLETE="nonsense")
    assert run.code == 2
    assert "debate-tui completion" in run.err


# In the shells


async def run_shell(shell: str, script: str) -> list[str]:
    """The words that a script prints in a shell that knows the program."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    flags = {"bash": ["--norc", "-c"], "zsh": ["-f", "-c"], "fish": ["--no-config", "-c"]}[shell]
    process = await asyncio.create_subprocess_exec(
        *(shell, *flags, script),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "PATH": f"{PROGRAM_FOLDER}:{os.environ['PATH']}"},
    )
    out, err = await process.communicate()
    assert err == b"", err
    return out.decode().split()


async def complete_in_bash(line: str, *words: str) -> list[str]:
    """What bash inserts at the end of a line, for the last of the words that it takes it for."""
    return await run_shell(
        "bash",
        f"""
        eval "$(debate-tui completion bash)"
        COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}
        COMP_WORDS=({" ".join(map(repr, words))}); COMP_CWORD={len(words) - 1}
        _debate_tui_completion debate-tui
        printf '%s\\n' "${{COMPREPLY[@]}}"
        """,
    )


async def test_bash_inserts_what_follows_the_last_colon_or_equals_sign() -> None:
    for line, inserted in (
        ("debate-tui hist", "history"),
        ("debate-tui -d anth", "anthropic:claude-sonnet-5-5"),
        ("debate-tui -d anthropic:cl", "claude-sonnet-5-5"),
        ("debate-tui -d Ada=olla", "ollama"),
        ("debate-tui --format=ox", "oxford"),
    ):
        assert await complete_in_bash(line, *re.findall(r"[^ :=]+|[:=]", line)) == [inserted]


async def test_fish_offers_values_with_descriptions() -> None:
    words = await run_shell("fish", 'debate-tui completion fish | source; complete -C "debate-tui -f ox"')
    assert words[0] == "oxford"
    assert len(words) > 1


async def test_zsh_takes_the_script() -> None:
    script = """
    autoload -U compinit; compinit -u -D
    eval "$(debate-tui completion zsh)"
    print $_comps[debate-tui]
    """
    assert await run_shell("zsh", script) == ["_debate_tui_completion"]
