"""Strict TOML: whatever is wrong is found on its line."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from debate_tui.domain.errors import ConfigError
from debate_tui.domain.toml import decode_toml


class Wheel(Struct, forbid_unknown_fields=True):
    size: int
    kind: Literal["front", "rear"] = "front"


class Bike(Struct, forbid_unknown_fields=True):
    name: str = ""
    wheels: tuple[Wheel, ...] = ()
    lamp: Wheel | None = None
    tags: dict[str, int] = {}


BROKEN = "This line is not valid TOML."


def error_of(text: str) -> tuple[str, str]:
    with pytest.raises(ConfigError) as caught:
        decode_toml(text, Bike, file_name="bike.toml")
    return caught.value.message, caught.value.hint


def test_what_is_right_is_read() -> None:
    bike = decode_toml('name = "b"\n[[wheels]]\nsize = 28\n[lamp]\nsize = 1', Bike, file_name="bike.toml")
    assert bike == Bike("b", (Wheel(28),), Wheel(1))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("name = 3", "bike.toml:1: `name`: expected text, got a whole number", ""),
        ("\n\nnaem = 3", "bike.toml:3: unknown key `naem`", "Did you mean `name`?"),
        (
            '[[wheels]]\nsize = 1\n# size = "x"\n[[wheels]]\nsize = "x"',
            "bike.toml:5: `size`: expected a whole number, got text",
            "",
        ),
        (
            '[[wheels]]\nsize = 1\nkind = "raer"',
            "bike.toml:3: `kind` cannot be `raer`",
            "Did you mean `rear`?",
        ),
        (
            'name = """\nwheels = 3\n"""\nlamp.size = true',
            "bike.toml:4: `size`: expected a whole number, got true or false",
            "",
        ),
        ("[lamp]\nszie = 1", "bike.toml:2: unknown key `szie`", "Did you mean `size`?"),
        ("\n[[wheel]]\nsize = 1", "bike.toml:2: unknown key `wheel`", "Did you mean `wheels`?"),
        ("[lamp]", "bike.toml:1: the key `size` is missing", ""),
        ("wheels = [\n  {size = 'x'},\n]", "bike.toml:2: `size`: expected a whole number, got text", ""),
        ("[tags]\na = 1\nb = 'x'", "bike.toml:1: `tags`: expected a whole number, got text", ""),
        ('"odd key" = 1', "bike.toml:1: unknown key `odd key`", "Known here: name, wheels, lamp, tags."),
        ("name = 'a'\nname = ", "bike.toml:2: Invalid value", "The file is not valid TOML up to its end."),
        ("a = 1 2\nb = 2", "bike.toml:1: Expected newline or end of document after a statement", BROKEN),
    ],
)
def test_what_is_wrong_is_found_on_its_line(text: str, message: str, hint: str) -> None:
    assert error_of(text) == (message, hint)


@given(st.text(max_size=80))
def test_any_text_is_read_or_explained_in_one_line(text: str) -> None:
    found = problem_of(text)
    assert not found or (found.startswith("bike.toml:") and len(found.splitlines()) == 1)


def problem_of(text: str) -> str:
    try:
        decode_toml(text, Bike, file_name="bike.toml")
    except ConfigError as error:
        return error.message
    return ""
