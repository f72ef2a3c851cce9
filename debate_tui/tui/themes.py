"""Themes: TOML files, read strictly, become Textual themes; a bad one is named and the good ones load.

A theme's own meanings become theme variables beside Textual's: `quiet`, `faint`, `focus`, `badge-<state>`,
`prose-<element>` and `syntax-<token>`. `defaults` gives them to themes that do not know of them, Textual's
own among them.
"""

# No annotation is left as text, which msgspec would have to compile when the program starts.
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field, structs
from textual.color import Color
from textual.theme import Theme

from debate_tui.domain.errors import ConfigError
from debate_tui.domain.toml import decode

DEFAULT_THEME = "vigil"

_PACKAGE = Path(__file__).resolve().parents[1]
_MAX_BYTES = 64 * 1024

Colour = Annotated[str, Meta(pattern="^#[0-9A-Fa-f]{6}$")]
Name = Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class Colours(Struct, frozen=True, forbid_unknown_fields=True):
    """The colours of a Textual theme."""

    primary: Colour
    secondary: Colour
    accent: Colour
    foreground: Colour
    background: Colour
    surface: Colour
    panel: Colour
    success: Colour
    warning: Colour
    error: Colour


class Tones(Struct, frozen=True, forbid_unknown_fields=True):
    """What the program itself means by a colour."""

    quiet: Colour
    faint: Colour
    focus: Colour
    waiting: Colour
    connected: Colour
    streaming: Colour
    paused: Colour
    reconnecting: Colour
    failed: Colour
    finished: Colour


class Markdown(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What debaters write."""

    heading: Colour
    strong: Colour
    emphasis: Colour
    code: Colour
    code_background: Colour
    quote: Colour
    link: Colour
    marker: Colour
    border: Colour


class Syntax(Struct, frozen=True, forbid_unknown_fields=True):
    """Fenced code."""

    keyword: Colour
    string: Colour
    number: Colour
    comment: Colour
    name: Colour


class ThemeFile(Struct, frozen=True, forbid_unknown_fields=True):
    """One theme as its file says it."""

    name: Name
    dark: bool
    colors: Colours
    tones: Tones
    markdown: Markdown
    syntax: Syntax
    title: str = ""
    variables: dict[str, str] = field(default_factory=dict)


class Shelf(Struct, frozen=True):
    """The themes of some folders, and one line for each file that is not one."""

    themes: tuple[Theme, ...]
    problems: tuple[str, ...] = ()


def shipped_folder() -> Path:
    """Where the project's own themes are: in the installed package, or beside it in a checkout."""
    installed = _PACKAGE / "themes"
    return installed if installed.is_dir() else _PACKAGE.parent / "themes"


def find(name: str, *folders: Path | None) -> Theme | None:
    """The theme of this name, from the file of this name; `None` if that is not there, or not right."""
    for folder in reversed(folders):
        if folder is not None and (path := folder / f"{name}.toml").is_file():
            try:
                theme = read(path)
            except ConfigError:
                continue
            if theme.name == name:
                return theme
    return None


def load(*folders: Path | None) -> Shelf:
    """Read every theme in the folders that are there; of two of one name the later counts."""
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for path in _files(folders):
        try:
            theme = read(path)
        except ConfigError as error:
            problems.append(
                " ".join(part for part in (f"Theme left out. {error.message}.", error.hint) if part)
            )
        else:
            themes[theme.name] = theme
    return Shelf(tuple(themes.values()), tuple(problems))


def read(path: Path) -> Theme:
    """Read one theme; raises `ConfigError` naming file, line and key."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path.name}: too big for a theme")
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name}: not UTF-8 text") from None
    return _theme(decode(text, ThemeFile, where=path.name))


def tones(theme: Theme) -> dict[str, str]:
    """What a theme means by the project's own variables."""
    return {**defaults(theme), **theme.variables}


def changed(folder: Path | None) -> tuple[tuple[str, int, int], ...]:
    """Something that is different once a theme in a folder is: names, times and sizes of the files."""
    if folder is None:
        return ()
    found = []
    for path in _files((folder,)):
        try:
            state = path.stat()
        except OSError:
            continue
        found.append((path.name, state.st_mtime_ns, state.st_size))
    return tuple(found)


def defaults(theme: Theme) -> dict[str, str]:
    """The project's own variables, derived from a theme that sets none of them or not all."""
    if theme.ansi:
        return _ANSI
    if theme.variables.keys() >= _ANSI.keys():
        return {}
    colours = theme.to_color_system().generate()
    background, foreground = Color.parse(colours["background"]), Color.parse(colours["foreground"])
    quiet = background.blend(foreground, 0.65, 1).hex
    faint = background.blend(foreground, 0.25, 1).hex
    primary, accent = colours["text-primary"], colours["text-accent"]
    good, warning, bad = colours["text-success"], colours["text-warning"], colours["text-error"]
    return {
        "quiet": quiet,
        "faint": faint,
        "focus": primary,
        "badge-waiting": quiet,
        "badge-connected": good,
        "badge-streaming": primary,
        "badge-paused": warning,
        "badge-finished": good,
        "badge-failed": bad,
        "badge-reconnecting": Color.parse(warning).blend(Color.parse(bad), 0.4).hex,
        "prose-heading": primary,
        "prose-strong": foreground.hex,
        "prose-emphasis": foreground.hex,
        "prose-code": accent,
        "prose-code-background": colours["surface"],
        "prose-quote": quiet,
        "prose-link": primary,
        "prose-marker": accent,
        "prose-border": faint,
        "syntax-keyword": primary,
        "syntax-string": good,
        "syntax-number": warning,
        "syntax-comment": quiet,
        "syntax-name": accent,
    }


def _theme(file: ThemeFile) -> Theme:
    tones = structs.asdict(file.tones)
    plain = {name: tones.pop(name) for name in ("quiet", "faint", "focus")}
    return Theme(
        name=file.name,
        dark=file.dark,
        **structs.asdict(file.colors),
        variables={
            **file.variables,
            **plain,
            **{f"badge-{state}": colour for state, colour in tones.items()},
            **{f"prose-{name.replace('_', '-')}": c for name, c in structs.asdict(file.markdown).items()},
            **{f"syntax-{name}": colour for name, colour in structs.asdict(file.syntax).items()},
        },
    )


def _files(folders: tuple[Path | None, ...]) -> Iterator[Path]:
    for folder in folders:
        if folder is not None and folder.is_dir():
            yield from sorted(folder.glob("*.toml"))


_ANSI = {
    "quiet": "ansi_bright_black",
    "faint": "ansi_bright_black",
    "focus": "ansi_bright_blue",
    "badge-waiting": "ansi_bright_black",
    "badge-connected": "ansi_green",
    "badge-streaming": "ansi_blue",
    "badge-paused": "ansi_yellow",
    "badge-reconnecting": "ansi_magenta",
    "badge-failed": "ansi_red",
    "badge-finished": "ansi_green",
    "prose-heading": "ansi_bright_blue",
    "prose-strong": "ansi_default",
    "prose-emphasis": "ansi_default",
    "prose-code": "ansi_cyan",
    "prose-code-background": "ansi_default",
    "prose-quote": "ansi_bright_black",
    "prose-link": "ansi_blue",
    "prose-marker": "ansi_cyan",
    "prose-border": "ansi_bright_black",
    "syntax-keyword": "ansi_magenta",
    "syntax-string": "ansi_green",
    "syntax-number": "ansi_yellow",
    "syntax-comment": "ansi_bright_black",
    "syntax-name": "ansi_cyan",
}
