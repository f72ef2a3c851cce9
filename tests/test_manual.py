"""The manual says what the code does: its tables, the keys, the keys of formats, every example."""

from __future__ import annotations

import re
import tomllib

import msgspec
import pytest
from textual.keys import format_key

from debate_tui.cli.manual import FOLDER
from debate_tui.config import ENVIRONMENT_PREFIX, Settings
from debate_tui.domain.debate import Format, ModelParameters, Phase
from debate_tui.domain.formats import parse_format
from debate_tui.sources.providers import configure_providers
from debate_tui.sources.registry import TYPED_PARAMETERS, parse_source
from debate_tui.tui.screens.debate import DebateScreen
from debate_tui.tui.screens.replay import ReplayScreen
from tests import quirk_table
from tests.manual_tables import TABLES, marked
from tests.sources.deviations import DEVIATIONS

PROVIDERS = (FOLDER / "providers.md").read_text("utf-8")
FORMATS = (FOLDER / "formats.md").read_text("utf-8")
KEYS = (FOLDER / "keys.md").read_text("utf-8")
TOML = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    example for file in sorted(FOLDER.glob("*.md")) for example in TOML.findall(file.read_text("utf-8"))
]


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_those_of_the_code(name: str) -> None:
    """If they are not: `python -m tests.manual_tables`."""
    page, make = TABLES[name]
    found = marked(name).search((FOLDER / f"{page}.md").read_text("utf-8"))
    assert found is not None
    assert found.group() == make()


def test_every_tested_quirk_has_one_row() -> None:
    rows = [name for table in quirk_table.TABLES.values() for row in table for name in row.cases]
    assert sorted(rows) == sorted({case.what for case in DEVIATIONS})


def test_every_parameter_is_explained() -> None:
    explained = re.findall(r"^\| `(\w+)`[^|]*\| [^|]+ \| [^|]+ \| [^|]+ \|$", PROVIDERS, re.MULTILINE)
    assert tuple(explained) == ModelParameters.__struct_fields__
    assert tuple(explained[: len(TYPED_PARAMETERS)]) == TYPED_PARAMETERS


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_used(example: str) -> None:
    settings = msgspec.convert(tomllib.loads(example), Settings)
    configure_providers({name: table.fields for name, table in settings.provider.items()})
    for source in (*settings.provider, *(seat.source for seat in settings.debater)):
        assert parse_source(source).kind in ("provider", "endpoint")
    configure_providers({})


def test_the_clouds_have_an_example_each() -> None:
    tables = {name for example in EXAMPLES for name in tomllib.loads(example).get("provider", {})}
    assert {"azure", "bedrock", "vertex", "litellm"} <= tables


def test_the_keys_of_formats_are_explained_and_their_example_is_one() -> None:
    explained = {
        name for row in re.findall(r"^\| (`.+?) \|", FORMATS, re.MULTILINE) for name in row.split("`")
    }
    for struct in (Format, Phase):
        assert set(struct.__struct_encode_fields__) <= explained
    example = re.search(r"^```toml format\n(.*?)^```", FORMATS, re.MULTILINE | re.DOTALL)
    assert example is not None
    assert parse_format(example.group(1), "duel.toml").name == "duel"


@pytest.mark.parametrize("screen", [DebateScreen, ReplayScreen])
def test_every_key_is_explained(screen: type[DebateScreen]) -> None:
    explained = set(re.findall(r"`([^`]+)`", KEYS)) | set("0123456789")
    explained |= {"escape", "question_mark", "f1", "shift+enter"}
    for binding in screen.BINDINGS:
        names = {name for key in binding.key.split(",") for name in (key, format_key(key))}
        assert names & explained, binding.key


def test_the_prefix_of_variables_is_the_programs() -> None:
    text = (FOLDER / "configuration.md").read_text("utf-8")
    assert f"`{ENVIRONMENT_PREFIX}` and the key in capitals" in text
