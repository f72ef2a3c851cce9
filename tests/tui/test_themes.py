"""Theme files on the shelf: the good ones load, a bad one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.theme import BUILTIN_THEMES

from debate_tui.domain.errors import ConfigError
from debate_tui.tui import themes
from debate_tui.tui.styles import Tone, resolve_colour

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = themes.bundled_folder()


def test_every_shipped_theme_loads_and_the_default_is_among_them() -> None:
    shelf = themes.load_themes(SHIPPED)
    assert shelf.problems == ()
    names = {theme.name for theme in shelf.themes}
    assert themes.DEFAULT_THEME in names
    assert {path.stem for path in SHIPPED.glob("*.toml")} == names


@pytest.mark.parametrize("name", sorted(BUILTIN_THEMES))
def test_textuals_own_themes_get_the_tones_they_lack(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    variables = {**themes.default_variables(theme), **theme.to_color_system().generate(), **theme.variables}
    for tone in Tone:
        assert resolve_colour(variables, tone) is not None


def test_both_kinds_of_theme_have_the_same_variables() -> None:
    own = themes.find_theme(themes.DEFAULT_THEME, SHIPPED)
    assert own is not None
    assert set(themes.default_variables(own)) <= set(own.variables)


def test_a_bad_file_is_named_with_its_line_and_the_good_ones_load(tmp_path: Path) -> None:
    good = (SHIPPED / "vigil.toml").read_text("utf-8")
    (tmp_path / "good.toml").write_text(good.replace('"vigil"', '"mine"'), "utf-8")
    (tmp_path / "bad.toml").write_text(good.replace("quiet =", "quite ="), "utf-8")
    (tmp_path / "worse.toml").write_bytes(b"\xff")
    (tmp_path / "colour.toml").write_text(good.replace('faint = "#', 'faint = "'), "utf-8")
    shelf = themes.load_themes(tmp_path)
    assert [theme.name for theme in shelf.themes] == ["mine"]
    bad, no_colour, worse = shelf.problems
    assert "bad.toml:" in bad
    assert "`quite`" in bad
    assert "Did you mean `quiet`?" in bad
    assert "colour.toml:" in no_colour
    assert "worse.toml" in worse


def test_a_theme_is_found_by_its_file_and_the_users_counts_before_the_shipped(tmp_path: Path) -> None:
    text = (SHIPPED / "vigil.toml").read_text("utf-8")
    mine = text.replace("dark = true", "dark = false")
    (tmp_path / "vigil.toml").write_text(mine, "utf-8")
    found = themes.find_theme("vigil", SHIPPED, tmp_path)
    assert found is not None
    assert not found.dark
    assert themes.find_theme("nothing", SHIPPED, tmp_path) is None


def test_a_folder_that_is_not_there_has_no_themes(tmp_path: Path) -> None:
    assert themes.load_themes(tmp_path / "none", None) == themes.ThemeCollection(())


def test_a_file_too_big_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.toml"
    path.write_text("#" * 100_000, "utf-8")
    with pytest.raises(ConfigError, match="too big"):
        themes.read_theme(path)
