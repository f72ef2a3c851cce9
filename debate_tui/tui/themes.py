"""Themes: TOML files, validated strictly and converted to Textual themes.

Invalid files are reported, and the valid ones load. A theme's own tones become theme variables next to
Textual's: `quiet`, `faint`, `focus`, `badge-<state>`, `prose-<element>` and `syntax-<token>`;
`debater-<number>` is the colour of a debater. `default_variables` supplies them for themes that lack them,
including Textual's own.
"""

# No `from __future__ import annotations`: msgspec would have to evaluate text annotations at startup.
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field, structs
from textual.color import Color
from textual.theme import Theme

from debate_tui.domain.errors import ConfigError
from debate_tui.domain.text import decode_text
from debate_tui.domain.toml import decode_toml

DEFAULT_THEME = "vigil"

_PACKAGE_FOLDER = Path(__file__).resolve().parents[1]
_MAX_BYTES = 64 * 1024

HexColour = Annotated[str, Meta(pattern="^#[0-9A-Fa-f]{6}$")]
ThemeName = Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class ThemeColours(Struct, frozen=True, forbid_unknown_fields=True):
    """The colours of a Textual theme."""

    primary: HexColour
    secondary: HexColour
    accent: HexColour
    foreground: HexColour
    background: HexColour
    surface: HexColour
    panel: HexColour
    success: HexColour
    warning: HexColour
    error: HexColour


class ThemeTones(Struct, frozen=True, forbid_unknown_fields=True):
    """Colours with a meaning of the program's own."""

    quiet: HexColour
    faint: HexColour
    focus: HexColour
    waiting: HexColour
    connected: HexColour
    streaming: HexColour
    paused: HexColour
    reconnecting: HexColour
    failed: HexColour
    finished: HexColour


class MarkdownColours(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Colours of Markdown elements in the debaters' text."""

    heading: HexColour
    strong: HexColour
    emphasis: HexColour
    code: HexColour
    code_background: HexColour
    quote: HexColour
    link: HexColour
    marker: HexColour
    border: HexColour


class SyntaxColours(Struct, frozen=True, forbid_unknown_fields=True):
    """Colours of tokens in fenced code."""

    keyword: HexColour
    string: HexColour
    number: HexColour
    comment: HexColour
    name: HexColour


class DebaterColours(Struct, frozen=True, forbid_unknown_fields=True):
    """The colours of the debaters, by place; people with colour-blindness can tell them apart.

    Sides alternate in most formats, so the first and third are of one family, the others of another.
    """

    first: HexColour
    second: HexColour
    third: HexColour
    fourth: HexColour


class ThemeFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of a theme file."""

    name: ThemeName
    dark: bool
    colors: ThemeColours
    tones: ThemeTones
    markdown: MarkdownColours
    syntax: SyntaxColours
    title: str = ""
    debaters: DebaterColours | None = None
    variables: dict[str, str] = field(default_factory=dict)


class ThemeCollection(Struct, frozen=True):
    """The themes of some folders, with one line for each invalid file."""

    themes: tuple[Theme, ...]
    problems: tuple[str, ...] = ()


def bundled_folder() -> Path:
    """Return the folder of bundled themes: in the installed package, or next to it in a checkout."""
    installed = _PACKAGE_FOLDER / "themes"
    return installed if installed.is_dir() else _PACKAGE_FOLDER.parent / "themes"


def find_theme(name: str, *folders: Path | None) -> Theme | None:
    """Load the theme in the file of this name; return `None` if it is missing or invalid.

    Later folders take precedence.
    """
    for folder in reversed(folders):
        if folder is not None and (path := folder / f"{name}.toml").is_file():
            try:
                theme = read_theme(path)
            except ConfigError:
                continue
            if theme.name == name:
                return theme
    return None


def load_themes(*folders: Path | None) -> ThemeCollection:
    """Load every theme in the folders that exist; a later one overrides an earlier one by name."""
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for path in _theme_files(folders):
        try:
            theme = read_theme(path)
        except ConfigError as error:
            problems.append(f"Theme not loaded: {error.message}. {error.hint}".strip())
        else:
            themes[theme.name] = theme
    return ThemeCollection(tuple(themes.values()), tuple(problems))


def theme_names(folder: Path) -> list[str]:
    """Return the names of all themes: the bundled ones, those in the user's `folder`, and Textual's."""
    from textual.theme import BUILTIN_THEMES

    found = (theme.name for theme in load_themes(bundled_folder(), folder).themes)
    return list(dict.fromkeys((*found, *BUILTIN_THEMES)))


def read_theme(path: Path) -> Theme:
    """Load one theme; raise `ConfigError` with the file, line and key if it is invalid."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path.name}: too big for a theme")
        text = decode_text(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name}: not UTF-8 text") from None
    return _to_textual_theme(decode_toml(text, ThemeFile, file_name=path.name))


def theme_variables(theme: Theme) -> dict[str, str]:
    """Return a theme's variables, with defaults for the project's own."""
    return {**default_variables(theme), **theme.variables}


def folder_fingerprint(folder: Path | None) -> tuple[tuple[str, int, int], ...]:
    """Return a value that changes when a theme in the folder does: file names, times and sizes."""
    if folder is None:
        return ()
    found = []
    for path in _theme_files((folder,)):
        try:
            state = path.stat()
        except OSError:
            continue
        found.append((path.name, state.st_mtime_ns, state.st_size))
    return tuple(found)


def default_variables(theme: Theme) -> dict[str, str]:
    """Derive the project's own variables for a theme that does not define all of them."""
    if theme.ansi:
        return {name: f"ansi_{ansi}" for name, (_, ansi) in _DEFAULTS.items()}
    if theme.variables.keys() >= _DEFAULTS.keys():
        return {}
    colours = theme.to_color_system().generate()
    background, foreground = Color.parse(colours["background"]), Color.parse(colours["foreground"])
    warning, error = colours["text-warning"], colours["text-error"]
    colours |= {
        "foreground": foreground.hex,
        "quiet": background.blend(foreground, 0.65, 1).hex,
        "faint": background.blend(foreground, 0.25, 1).hex,
        "reconnecting": Color.parse(warning).blend(Color.parse(error), 0.4).hex,
    }
    colours |= _derive_debater_colours(background)
    return {name: colours[source] for name, (source, _) in _DEFAULTS.items()}


def _derive_debater_colours(background: Color) -> dict[str, str]:
    """Return the default colours of debaters, made lighter or darker until they can be read."""
    is_dark = _luminance(background) < _MIDDLE_LUMINANCE
    extreme = Color(255, 255, 255) if is_dark else Color(0, 0, 0)
    derived = {}
    for name, base in _DEBATER_COLOURS_ON_DARK.items() if is_dark else _DEBATER_COLOURS_ON_LIGHT.items():
        blends = (Color.parse(base).blend(extreme, step / 10) for step in range(10))
        readable = (blend for blend in blends if _contrast(blend, background) >= MIN_CONTRAST)
        derived[name] = next(readable, extreme).hex
    return derived


def _contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours as defined by WCAG 2.2, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_textual_theme(file: ThemeFile) -> Theme:
    tones = structs.asdict(file.tones)
    plain = {name: tones.pop(name) for name in ("quiet", "faint", "focus")}
    debaters = structs.astuple(file.debaters) if file.debaters is not None else ()
    return Theme(
        name=file.name,
        dark=file.dark,
        **structs.asdict(file.colors),
        variables={
            **file.variables,
            **plain,
            **{f"debater-{place}": colour for place, colour in enumerate(debaters, 1)},
            **{f"badge-{state}": colour for state, colour in tones.items()},
            **{f"prose-{name.replace('_', '-')}": c for name, c in structs.asdict(file.markdown).items()},
            **{f"syntax-{name}": colour for name, colour in structs.asdict(file.syntax).items()},
        },
    )


def _theme_files(folders: tuple[Path | None, ...]) -> Iterator[Path]:
    for folder in folders:
        if folder is not None and folder.is_dir():
            yield from sorted(folder.glob("*.toml"))


MIN_CONTRAST = 4.5
"""The minimum contrast of text that WCAG 2.2 requires at level AA."""

_MIDDLE_LUMINANCE = 0.18
"""Luminance of the background from which black text has more contrast than white text."""

_DEBATER_COLOURS_ON_DARK = {
    "debater-1": "#5a9cff",
    "debater-2": "#e67e3c",
    "debater-3": "#8ff0e0",
    "debater-4": "#f7e07a",
}
_DEBATER_COLOURS_ON_LIGHT = {
    "debater-1": "#2a5bd7",
    "debater-2": "#8f5a00",
    "debater-3": "#006b66",
    "debater-4": "#5e0f16",
}

_DEFAULTS = {
    "quiet": ("quiet", "bright_black"),
    "faint": ("faint", "bright_black"),
    "focus": ("text-primary", "bright_blue"),
    "badge-waiting": ("quiet", "bright_black"),
    "badge-connected": ("text-success", "green"),
    "badge-streaming": ("text-primary", "blue"),
    "badge-paused": ("text-warning", "yellow"),
    "badge-reconnecting": ("reconnecting", "magenta"),
    "badge-failed": ("text-error", "red"),
    "badge-finished": ("text-success", "green"),
    "prose-heading": ("text-primary", "bright_blue"),
    "prose-strong": ("foreground", "default"),
    "prose-emphasis": ("foreground", "default"),
    "prose-code": ("text-accent", "cyan"),
    "prose-code-background": ("surface", "default"),
    "prose-quote": ("quiet", "bright_black"),
    "prose-link": ("text-primary", "blue"),
    "prose-marker": ("text-accent", "cyan"),
    "prose-border": ("faint", "bright_black"),
    "syntax-keyword": ("text-primary", "magenta"),
    "syntax-string": ("text-success", "green"),
    "syntax-number": ("text-warning", "yellow"),
    "syntax-comment": ("quiet", "bright_black"),
    "syntax-name": ("text-accent", "cyan"),
    "debater-1": ("debater-1", "bright_blue"),
    "debater-2": ("debater-2", "yellow"),
    "debater-3": ("debater-3", "cyan"),
    "debater-4": ("debater-4", "magenta"),
}
"""The project's own variables: the generated colour each is derived from, and its colour in ANSI themes."""
