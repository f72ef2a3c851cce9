"""The shipped themes: complete, and readable by everybody.

Contrast is WCAG 2.2's: relative luminance of linearised sRGB, (lighter + 0.05) / (darker + 0.05). Colour
vision deficiencies are simulated with the matrices of Machado, Oliveira and Fernandes (2009), severity 1.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from msgspec import structs
from textual.theme import BUILTIN_THEMES

from debate_tui.domain.toml import decode_toml
from debate_tui.tui.themes import MarkdownColours, SyntaxColours, ThemeFile, ThemeTones, theme_variables

Linear = tuple[float, float, float]

FOLDER = Path(__file__).resolve().parents[1] / "themes"
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name: str) -> ThemeFile:
    return decode_toml(
        (FOLDER / f"{name}.toml").read_text(encoding="utf-8"), ThemeFile, file_name=f"{name}.toml"
    )


def linear(colour: str) -> Linear:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def luminance(light: Linear) -> float:
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(linear(one)), luminance(linear(other))))
    return (lighter + 0.05) / (darker + 0.05)


def debaters(theme: ThemeFile) -> list[str]:
    """The colours of the debaters, first to last."""
    assert theme.debaters is not None
    return list(structs.astuple(theme.debaters))


def texts(theme: ThemeFile) -> dict[object, str]:
    """Every colour that text is written in, outside fenced code."""
    tones = {key: getattr(theme.tones, key) for key in ThemeTones.__struct_fields__ if key != "faint"}
    markdown = {
        key: getattr(theme.markdown, key)
        for key in MarkdownColours.__struct_fields__
        if key not in ("border", "code_background")
    }
    own = {
        key: getattr(theme.colors, key) for key in ("foreground", "success", "warning", "error", "primary")
    }
    return own | tones | markdown | dict(enumerate(debaters(theme)))


def test_there_are_enough_of_them() -> None:
    themes = [read(name) for name in NAMES]
    assert len(themes) >= 6
    assert sum(not theme.dark for theme in themes) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_a_theme_is_called_what_its_file_is_called(name: str) -> None:
    assert read(name).name == name
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)


@pytest.mark.parametrize("name", NAMES)
def test_text_is_readable_on_everything_it_may_stand_on(name: str) -> None:
    theme = read(name)
    grounds = (theme.colors.background, theme.colors.surface, theme.colors.panel)
    too_low = {
        (key, ground): round(contrast(colour, ground), 2)
        for key, colour in texts(theme).items()
        for ground in grounds
        if contrast(colour, ground) < 4.5
    }
    assert not too_low


@pytest.mark.parametrize("name", NAMES)
def test_body_text_exceeds_the_least_and_code_is_readable_on_its_own_ground(name: str) -> None:
    theme = read(name)
    assert contrast(theme.colors.foreground, theme.colors.background) >= 7
    ground = theme.markdown.code_background
    colours = [theme.markdown.code, *(getattr(theme.syntax, key) for key in SyntaxColours.__struct_fields__)]
    assert min(contrast(colour, ground) for colour in colours) >= 4.5


@pytest.mark.parametrize("name", NAMES)
def test_dark_themes_are_dark_and_lines_can_be_seen(name: str) -> None:
    theme = read(name)
    assert (luminance(linear(theme.colors.background)) < 0.2) is theme.dark
    assert contrast(theme.tones.faint, theme.colors.background) >= 1.4


def test_one_theme_has_the_highest_contrast() -> None:
    theme = read("verdict")
    lowest = min(contrast(colour, theme.colors.panel) for colour in texts(theme).values())
    assert lowest >= 7


MACHADO = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def lab(light: Linear) -> Linear:
    """CIE L*a*b* (D65) of linear sRGB."""
    red, green, blue = (min(max(channel, 0.0), 1.0) for channel in light)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen(colour: str, deficiency: str) -> Linear:
    light = linear(colour)
    red, green, blue = (sum(m * c for m, c in zip(row, light, strict=True)) for row in MACHADO[deficiency])
    return red, green, blue


def distance(one: Linear, other: Linear) -> float:
    """How far two colours are apart (CIE 1976)."""
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5


@pytest.mark.parametrize("deficiency", MACHADO)
def test_one_theme_tells_its_states_apart_for_every_eye(deficiency: str) -> None:
    tones = read("signal").tones
    states = ("waiting", "connected", "streaming", "paused", "reconnecting", "failed")
    colours = {state: lab(seen(getattr(tones, state), deficiency)) for state in states}
    apart = {
        (one, other): distance(colours[one], colours[other])
        for one, other in itertools.combinations(states, 2)
    }
    assert min(apart.values()) >= 10, sorted(apart.items(), key=lambda item: item[1])[:3]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("deficiency", [None, *MACHADO])
def test_every_eye_tells_the_debaters_apart(name: str, deficiency: str | None) -> None:
    colours = debaters(read(name))
    views = {colour: lab(seen(colour, deficiency) if deficiency else linear(colour)) for colour in colours}
    apart = {pair: distance(*(views[colour] for colour in pair)) for pair in itertools.combinations(views, 2)}
    assert len(apart) == 6
    assert min(apart.values()) >= 15, sorted(apart.items(), key=lambda item: item[1])[:3]


@pytest.mark.parametrize("name", NAMES)
def test_debaters_are_not_taken_for_the_text_around_them(name: str) -> None:
    theme = read(name)
    for colour in debaters(theme):
        assert distance(lab(linear(colour)), lab(linear(theme.colors.foreground))) >= 10


DERIVED = sorted(name for name, theme in BUILTIN_THEMES.items() if not theme.ansi)


@pytest.mark.parametrize("name", DERIVED)
def test_other_themes_get_colours_for_debaters_that_can_be_read(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    variables = theme_variables(theme)
    ground = theme.to_color_system().generate()["background"]
    colours = [variables[f"debater-{place}"] for place in range(1, 5)]
    assert len(set(colours)) == 4
    assert min(contrast(colour, ground[:7]) for colour in colours) >= 4.5


def test_pages_have_the_debaters_colours_of_a_light_and_a_dark_theme() -> None:
    style = (FOLDER.parent / "debate_tui" / "page" / "colors.css").read_text("utf-8")
    pairs = re.findall(r"--pane-\d: light-dark\((#\w+), (#\w+)\);", style)
    light, dark = ([pair[side] for pair in pairs] for side in (0, 1))
    assert light == debaters(read("gallery"))
    assert dark == debaters(read("vigil"))
    for name in ("ground", "paper"):
        grounds = re.search(rf"--{name}: light-dark\((#\w+), (#\w+)\);", style)
        assert grounds is not None
        for colours, ground in zip((light, dark), grounds.groups(), strict=True):
            assert min(contrast(colour, ground) for colour in colours) >= 4.5
