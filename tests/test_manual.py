"""The manual says what the code does: the tables of providers and quirks, the parameters, every example."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

import debate_tui
from debate_tui.config import Settings
from debate_tui.domain.debate import ModelParameters
from debate_tui.sources.providers import configure_providers, providers
from debate_tui.sources.registry import TYPED_PARAMETERS, parse_source
from tests import quirk_table
from tests.sources.deviations import DEVIATIONS

PAGE = Path(debate_tui.__file__).parent / "manual" / "providers.md"
TEXT = PAGE.read_text("utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
APIS = {"chat": "Chat Completions", "responses": "Responses", "messages": "Messages"}


def provider_table() -> str:
    lines = ["| name | provider | API | address | key | default model |", "|---|---|---|---|---|---|"]
    for name, entry in providers().items():
        key = " or ".join(f"`{variable}`" for variable in entry.key_env)
        lines.append(
            f"| `{name}` | {entry.title} | {APIS[entry.api]} | `{entry.base_url}` "
            f"| {key if entry.needs_key else 'none needed'} "
            f"| {f'`{entry.model}`' if entry.model else 'the first it lists'} |"
        )
    return "\n".join(lines)


def test_every_provider_is_in_the_table() -> None:
    assert f"<!-- providers -->\n{provider_table()}\n<!-- /providers -->" in TEXT


def test_every_parameter_is_explained() -> None:
    explained = re.findall(r"^\| `(\w+)`[^|]*\| [^|]+ \| [^|]+ \| [^|]+ \|$", TEXT, re.MULTILINE)
    assert tuple(explained) == ModelParameters.__struct_fields__
    assert tuple(explained[: len(TYPED_PARAMETERS)]) == TYPED_PARAMETERS


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_used(example: str) -> None:
    settings = msgspec.convert(tomllib.loads(example), Settings)
    configure_providers({name: table.fields for name, table in settings.provider.items()})
    for source in (*settings.provider, *(seat.source for seat in settings.debater)):
        assert parse_source(source).kind == "provider"
    configure_providers({})


def test_the_clouds_have_an_example_each() -> None:
    tables = {name for example in EXAMPLES for name in tomllib.loads(example).get("provider", {})}
    assert {"azure", "bedrock", "vertex", "litellm"} <= tables


def test_the_tables_of_quirks_are_those_of_the_tests() -> None:
    """If they are not: `python -m tests.quirk_table`."""
    marked = f"<!-- quirks -->\n{quirk_table.quirk_tables()}<!-- /quirks -->"
    assert marked in quirk_table.PAGE.read_text("utf-8")


def test_every_tested_quirk_has_one_row() -> None:
    rows = [name for table in quirk_table.TABLES.values() for row in table for name in row.cases]
    assert sorted(rows) == sorted({case.what for case in DEVIATIONS})


if __name__ == "__main__":
    marked = re.compile(r"(?<=<!-- providers -->\n).*?(?=<!-- /providers -->)", re.DOTALL)
    PAGE.write_text(marked.sub(lambda _: provider_table() + "\n", TEXT), "utf-8")
