"""The description of the HTTP interface says what the code does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from debate_tui.server import commands, event_window, hosted_debate, routes
from tests.server.running_server import hosted_example, running_server

if TYPE_CHECKING:
    from typing import Any


@pytest.fixture
async def described() -> dict[str, Any]:
    async with running_server() as here:
        document: dict[str, Any] = (await here.client.get("/openapi.json")).json()
        return document


def schema(described: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = described["components"]["schemas"][name]
    return found


async def test_every_path_answers_as_described(described: dict[str, Any]) -> None:
    async with hosted_example() as (here, _):
        for path, operations in described["paths"].items():
            address = path.replace("{debate}", "d1").replace("{debater}", "a").replace("{number}", "1")
            for method in {"get", "post"} & set(operations):
                answer = await here.client.request(method.upper(), address)
                known = set(operations[method]["responses"])
                assert str(answer.status_code) in known | {"415"}, (method, path, answer.text)


@pytest.mark.parametrize(
    ("name", "struct"),
    [
        ("Listed", routes.DebateListEntry),
        ("EventPage", routes.EventPage),
        ("Turn", event_window.SnapshotTurn),
        ("Order", commands.DebateRequest),
        ("MaterialText", hosted_debate.MaterialText),
    ],
)
async def test_objects_have_the_fields_that_are_described(
    described: dict[str, Any], name: str, struct: type[msgspec.Struct]
) -> None:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    assert set(schema(described, name)["properties"]) == set(fields)
    assert set(schema(described, name)["required"]) == {n for n, field in fields.items() if field.required}


async def test_a_snapshot_is_as_described(described: dict[str, Any]) -> None:
    async with hosted_example() as (here, _):
        told = (await here.client.get("/debates/d1")).json()
    assert set(told) == set(schema(described, "Snapshot")["properties"])
    turn = schema(described, "Turn")
    for each in told["turns"]:
        assert set(turn["required"]) <= set(each) <= set(turn["properties"])


async def test_every_command_is_described(described: dict[str, Any]) -> None:
    known = {
        command
        for kind in schema(described, "Command")["oneOf"]
        for command in [
            kind["properties"]["command"].get("const"),
            *kind["properties"]["command"].get("enum", []),
        ]
    } - {None}
    kinds = msgspec.inspect.multi_type_info([commands.CommandRequest])[0]
    assert isinstance(kinds, msgspec.inspect.UnionType)
    assert known == {kind.tag for kind in kinds.types if isinstance(kind, msgspec.inspect.StructType)}


async def test_what_is_referred_to_is_there(described: dict[str, Any]) -> None:
    text = json.dumps(described)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "#/')[1:]}:
        place: Any = described
        for step in reference.split("/"):
            place = place[step]
        assert place
