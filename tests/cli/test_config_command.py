"""``debate-tui config``: every setting with its origin, no secret, and a settings file that loads."""

from __future__ import annotations

import re
import sys
import tomllib
from typing import TYPE_CHECKING

import msgspec
import pytest

from debate_tui import config
from debate_tui.cli.config_command import settings_template
from debate_tui.config import Settings, user_file
from debate_tui.domain.stream import RecoveryPolicy
from tests.cli.process import run_program

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-proj-abcdefghijklmnop1234"


def write_user_file(text: str) -> None:
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_text(text)


async def printed_rows(*arguments: str, **environment: str) -> dict[str, tuple[str, str]]:
    """Value and origin of each setting."""
    run = await run_program("config", *arguments, **environment)
    assert (run.code, run.err) == (0, "")
    table, _, _ = run.out.partition("\n\n")
    cells = [re.split(r" {2,}", line) for line in table.splitlines()]
    assert cells[0] == ["SETTING", "VALUE", "FROM"]
    return {name: (value, origin) for name, value, origin in cells[1:]}


async def test_every_setting_is_listed_with_its_default() -> None:
    rows = await printed_rows()
    plain = [name for name in Settings.__struct_fields__ if name != "recovery"]
    assert set(rows) == {*plain, *(f"recovery.{name}" for name in RecoveryPolicy.__struct_fields__)}
    assert {origin for _, origin in rows.values()} == {"default"}
    assert rows["window"] == ("100 ms", "default")
    assert rows["record"] == ("true", "default")
    assert rows["rounds"] == ("not set", "default")


async def test_each_origin_is_named(tmp_path: Path) -> None:
    config.save_remembered(theme="ember", mode="staggered")
    write_user_file("window = 50\nmode = 'hybrid'\n[recovery]\ncap = 30.0\n")
    debate_file = tmp_path / "debate.toml"
    debate_file.write_text("topic = 'Q?'\nwindow = 60\n[[debater]]\nsource = 'demo'\nname = 'Ada'\n")
    rows = await printed_rows(
        *("--config", str(debate_file), "-r", "3", "--judge", "demo"),
        DEBATE_TUI_MAX_COST="2",
    )
    assert rows["theme"] == ("ember", "remembered")
    assert rows["mode"] == ("hybrid", "~/config/debate-tui/config.toml")
    assert rows["recovery.cap"] == ("30 s", "~/config/debate-tui/config.toml")
    assert rows["recovery.jitter"] == ("0.3", "default")
    assert rows["window"] == ("60 ms", str(debate_file))
    assert rows["debater.1.name"] == ("Ada", str(debate_file))
    assert rows["max_cost"] == ("2 US$", "DEBATE_TUI_MAX_COST")
    assert rows["rounds"] == ("3", "--rounds")
    assert rows["judge.1"] == ("demo", "--judge")


async def test_no_secret_is_printed() -> None:
    write_user_file(
        f"""
        [[debater]]
        source = "https://me:{KEY}@example.org/x?api_key={KEY}"
        headers = {{ X-Team = "hidden-1" }}
        extra_body = {{ user = {{ token = "hidden-2" }}, top_k = 3 }}

        [provider.work]
        base_url = "https://llm.example.org/v1"
        key_env = "WORK_KEY"
        key_command = "print hidden-3"
        headers = {{ Authorization = "Bearer hidden-4" }}
        """
    )
    run = await run_program("config")
    assert run.code == 0
    assert KEY not in run.out
    assert "hidden-" not in run.out
    for text in (
        "X-Team",
        "Authorization",
        "top_k",
        "llm.example.org",
        "WORK_KEY",
        "provider.work.key_command",
    ):
        assert text in run.out


async def test_the_files_are_named_and_how_to_create_one() -> None:
    assert "debate-tui config init" in (await run_program("config")).out
    assert (await run_program("config", "path")).out == f"{user_file()}\n"


async def test_a_new_settings_file_changes_nothing() -> None:
    run = await run_program("config", "init")
    assert (run.code, run.out) == (0, f"{user_file()}\n")
    assert config.load_settings({}, environment={}) == Settings()
    again = await run_program("config", "init")
    assert again.code == 2
    assert "already exists" in again.err
    assert "debate-tui config edit" in again.err
    assert "create it" not in (await run_program("config")).out


def test_the_settings_file_holds_every_default() -> None:
    """With all comment signs in front of settings removed it loads, and its values are the defaults."""
    text = re.sub(r"^# (?=[a-z_0-9]+ = |\[)", "", settings_template(), flags=re.MULTILINE)
    table = tomllib.loads(text)
    loaded = msgspec.convert(table, Settings)
    simple = [
        name for name in Settings.__struct_fields__ if name not in ("topic", "debater", "price", "provider")
    ]
    assert set(simple) | {"debater", "price", "provider"} == set(table)
    unset = {name for name in simple if getattr(Settings(), name) is None}
    assert all(getattr(loaded, name) is not None for name in unset)
    assert all(getattr(loaded, name) == getattr(Settings(), name) for name in simple if name not in unset)
    assert set(table["recovery"]) == set(RecoveryPolicy.__struct_fields__)
    assert len(loaded.debater) == 2


def editor(script: str) -> str:
    return f"{sys.executable} -c '{script}'"


async def test_the_editor_gets_the_file_and_the_result_is_checked() -> None:
    write = 'import sys; open(sys.argv[1], "a").write(sys.argv[2] if sys.argv[2:] else "")'
    created = await run_program("config", "edit", VISUAL=editor(write), EDITOR="false")
    assert (created.code, created.err) == (0, "")
    assert user_file().read_text() == settings_template()
    wrong = 'import sys; open(sys.argv[1], "w").write("widnow = 5")'
    edited = await run_program("config", "edit", VISUAL="", EDITOR=editor(wrong))
    assert edited.code == 4
    assert "config.toml:1: unknown key `widnow`" in edited.err
    assert (await run_program("config", "edit", VISUAL=editor("pass"))).code == 4


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("/nowhere/editor", "Cannot run the editor '/nowhere/editor': No such file or directory."),
        ("false", "The editor 'false' failed with exit code 1."),
    ],
)
async def test_an_editor_that_fails_is_named(command: str, message: str) -> None:
    run = await run_program("config", "edit", VISUAL=command)
    assert run.code == 1
    assert message in run.err


async def test_without_an_editor_the_variables_are_named() -> None:
    run = await run_program("config", "edit", VISUAL="", EDITOR="", PATH="/nowhere")
    assert run.code == 2
    assert "VISUAL" in run.err
    assert str(user_file()) in run.err
