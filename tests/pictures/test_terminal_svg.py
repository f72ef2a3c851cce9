"""Pictures of a terminal are well-formed, keep text at its columns, and write what repeats once."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from tests.pictures.terminal_svg import BACKGROUND, SvgWriter, take_picture
from tests.terminal.terminal_emulator import EmulatedDisplay

SVG = "{http://www.w3.org/2000/svg}"


def shown(*written: str) -> EmulatedDisplay:
    display = EmulatedDisplay(20, 3)
    for text in written:
        assert list(display.feed(text.encode())) == []
    return display


def test_text_stands_at_its_columns_in_its_colours() -> None:
    display = shown(
        "a <b> ", "\x1b[38;2;255;0;0m\x1b[1mred & 中文\x1b[0m", "\r\n\x1b[48;2;0;0;255m  x  \x1b[0m"
    )
    picture = take_picture(display)
    assert [(run.start, run.width, run.text.strip()) for run in picture[0]] == [
        (0, 6, "a <b>"),
        (6, 10, "red & 中文"),
    ]
    assert (picture[0][1].style.colour, picture[0][1].style.bold) == ("#ff0000", True)
    assert picture[1][0].style.background == "#0000ff"
    assert picture[2] == ()
    root = ET.fromstring(SvgWriter(20, 3, "title").still(picture, "two lines"))
    assert [text.text for text in root.iter(f"{SVG}text")][:-1] == ["a <b>", "red & 中文", "x"]
    assert root.get("aria-label") == "two lines"
    assert BACKGROUND in ET.tostring(root, "unicode")


def test_a_film_shows_each_picture_for_its_share_and_writes_a_row_once() -> None:
    first, second = take_picture(shown("same\r\none")), take_picture(shown("same\r\ntwo"))
    film = SvgWriter(20, 3, "title").film([(1.0, first), (3.0, second)], "a film")
    root = ET.fromstring(film)
    assert film.count(">same<") == 1
    frames = [group for group in root.iter(f"{SVG}g") if "f" in group.get("class", "").split()]
    assert [group.get("class") for group in frames] == ["f", "f k"]
    assert [re.findall(r"-?\d+\.\d\ds", group.get("style", "")) for group in frames] == [
        ["4.00s", "-4.00s"],
        ["4.00s", "-3.00s"],
    ]
    assert "25.000%" in film
    assert "75.000%" in film
