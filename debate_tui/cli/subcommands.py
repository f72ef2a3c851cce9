"""All commands other than the debate itself. The code they run is imported on use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from debate_tui.cli.options import DISPLAY_MODES

if TYPE_CHECKING:
    from debate_tui.domain.exports import ExportType


# The formats command.


LINE_WIDTH = 80


def print_formats(name: str | None) -> None:
    """Print a summary of all formats, or a description of the format `name`.

    Raise `UsageError` for an unknown name, and `ConfigError` for the first invalid file, after printing the
    valid formats.
    """
    import textwrap

    from debate_tui import config
    from debate_tui.domain.errors import ConfigError
    from debate_tui.domain.formats import DEFAULT_FORMAT, describe_format, summarise_format

    if name is not None:
        print(describe_format(config.find_format(name)))
        return
    errors: list[ConfigError] = []
    names = config.format_names()
    indent = " " * (max(map(len, names)) + 2)
    for each in names:
        try:
            format_ = config.find_format(each)
        except ConfigError as error:
            errors.append(error)
            continue
        note = " (default)" if each == DEFAULT_FORMAT else ""
        text = f"{each:<{len(indent)}}{summarise_format(format_)}{note}"
        print(textwrap.fill(text, LINE_WIDTH, subsequent_indent=indent, break_on_hyphens=False))
    print("\ndebate-tui formats NAME explains one.")
    if errors:
        raise errors[0]


# The serve command, then the shorter ones.


@click.command()
@click.argument("topic", required=False)
@click.option("-d", "--debater", "debaters", multiple=True, metavar="[NAME=]SOURCE", help="Who argues.")
@click.option("-f", "--format", metavar="NAME", help="How the debate is held (default: oxford).")
@click.option("-r", "--rounds", type=int, metavar="N", help="Rounds of each repeated phase.")
@click.option("--judge", "judges", multiple=True, metavar="SOURCE", help="Who judges; may be repeated.")
@click.option(
    "--config",
    "debate_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A settings or debate file (TOML).",
)
@click.option("--max-cost", type=float, metavar="US$", help="Begin no turn once this is spent.")
@click.option("--max-tokens", type=int, metavar="N", help="Begin no turn once so many tokens were used.")
@click.option(
    "--continue",
    "continued",
    is_flag=False,
    flag_value="",
    metavar="[DEBATE]",
    help="Take up a recorded debate that was broken off, the newest unless one is named.",
)
@click.option("--host", default="127.0.0.1", help="Address to listen on (default: 127.0.0.1).")
@click.option("--port", default=8484, type=click.IntRange(0, 65535), help="Port (default: 8484; 0: any).")
@click.option(
    "--token",
    default="",
    envvar="DEBATE_TUI_TOKEN",
    help="Host token, 16 characters or more (default: a new one, printed)",
)
@click.option(
    "--viewer-token",
    default="",
    envvar="DEBATE_TUI_VIEWER_TOKEN",
    help="Viewer token (default: one derived from the store, printed)",
)
@click.option(
    "--public",
    is_flag=True,
    help="Let viewers without a token in through a proxy on this machine",
)
@click.option(
    "--allow-source",
    "allowed_sources",
    multiple=True,
    metavar="SOURCE",
    help="Let hosts elsewhere use this source too (repeatable)",
)
@click.option(
    "--store",
    default="",
    envvar="DEBATE_TUI_STORE",
    metavar="FILE|URL",
    help="Keep debates in a file or redis://… (password: DEBATE_TUI_STORE_PASSWORD)",
)
@click.option("--cert", "certificate", type=click.Path(path_type=Path), help="TLS certificate (PEM): HTTP/2.")
@click.option("--key", type=click.Path(path_type=Path), help="Its key (PEM).")
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Pages of this origin may use it (CORS), and it may be reached by this name; may be repeated.",
)
@click.option("--max-viewers", default=10_000, type=click.IntRange(1), help="Viewers in total.")
@click.option("--max-viewers-per-address", default=100, type=click.IntRange(1), help="… from one address.")
def serve(
    topic: str | None,
    debaters: tuple[str, ...],
    judges: tuple[str, ...],
    debate_file: Path | None,
    store: str,
    format: str | None,  # noqa: A002 (the option's name)
    rounds: int | None,
    max_cost: float | None,
    max_tokens: int | None,
    continued: str | None,
    **hosting: object,
) -> int:
    """Hold a debate about TOPIC for viewers in browsers and terminals; without TOPIC, host what is recorded.

    Debates are watched at http://127.0.0.1:8484/debates/ID, by debate-tui watch, and as event streams.
    """
    from debate_tui.cli.hosting import HostingOptions, check_installed

    check_installed()
    if continued is not None and (topic is not None or debaters):
        raise click.UsageError("--continue takes topic and debaters from the record.")
    from msgspec import convert

    from debate_tui.cli.serve import run_server

    typed_options = {"format": format, "rounds": rounds, "max_cost": max_cost, "max_tokens": max_tokens}
    overrides: dict[str, object] = {key: value for key, value in typed_options.items() if value is not None}
    if judges:
        overrides["judge"] = list(judges)
    return run_server(
        topic,
        debaters,
        overrides,
        debate_file=debate_file,
        store=store,
        continued=continued,
        hosting=convert(hosting, HostingOptions),
    )


EXPORT_TYPES: tuple[ExportType, ...] = ("md", "html", "json", "txt")


@click.command()
@click.argument("name", required=False)
def formats(name: str | None) -> None:
    """List the debate formats, or explain one."""

    print_formats(name)


@click.command()
@click.option("-d", "--debater", "debaters", multiple=True, metavar="SOURCE", help="A source to try.")
@click.option(
    "--config",
    "debate_file",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="A settings or debate file whose sources to try.",
)
def doctor(debaters: tuple[str, ...], debate_file: Path | None) -> int:
    """Tell what works here: terminal, keys, local servers, and every source, tried with one small request."""
    from debate_tui.cli.debate import parse_debater_option
    from debate_tui.cli.doctor import run_checks
    from debate_tui.cli.plan import load_settings

    overrides = {"debater": [parse_debater_option(text) for text in debaters]} if debaters else {}
    return run_checks(load_settings(overrides, debate_file=debate_file))


@click.command()
@click.argument("words", nargs=-1)
@click.option("--delete", "to_delete", multiple=True, metavar="DEBATE", help="Delete a debate for good.")
@click.option("--yes", is_flag=True, help="Delete without being asked.")
@click.option("--plain", is_flag=True, help="A list in plain text, also on a terminal.")
def history(words: tuple[str, ...], to_delete: tuple[str, ...], yes: bool, plain: bool) -> int:
    """Show the recorded debates, newest first; only those that contain all WORDS.

    On a terminal they can be played back, continued, exported and deleted; in a pipe they are listed.
    """
    from debate_tui.cli import history as recorded

    if to_delete:
        recorded.delete_debates(to_delete, confirmed=yes)
        return 0
    return recorded.show_history(" ".join(words), plain=plain)


@click.command()
@click.argument("debate", metavar="[DEBATE]", default="")
@click.option("--to", "form", type=click.Choice(EXPORT_TYPES), help="Default: md.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="A file or a folder to write to."
)
def export(debate: str, form: ExportType | None, output: Path | None) -> None:
    """Export a recorded debate, the newest unless DEBATE names another by its id."""
    from debate_tui.cli.history import write_export

    type_from_suffix = next(
        (known for known in EXPORT_TYPES if output and output.suffix == f".{known}"), EXPORT_TYPES[0]
    )
    write_export(debate, form or type_from_suffix, output)


@click.command()
@click.argument("debate", metavar="[DEBATE]", default="")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    metavar="X",
    help="How many times as fast as it was held (1/4 to 64).",
)
@click.option(
    "--from", "from_round", type=int, metavar="ROUND", help="Begin with this round, counted over all phases."
)
@click.option("-m", "--mode", type=click.Choice(DISPLAY_MODES), help="When text is painted.")
@click.option("--theme", metavar="NAME", help="Colours of the screen.")
@click.option("--ascii", is_flag=True, help="Icons and lines in ASCII only.")
@click.option("--plain", is_flag=True, help="All of it at once, as plain text.")
@click.option(
    "--json", "json_lines", is_flag=True, help="All of its events at once, one JSON object per line."
)
def replay(
    debate: str, speed: float, from_round: int | None, plain: bool, json_lines: bool, **settings: object
) -> int:
    """Play a recorded debate back as it was held, the newest unless DEBATE names another by its id.

    In a pipe it is written at once; with --json, exactly as it was written while it was held.
    """
    from debate_tui.cli.replay import replay_debate as play

    if plain and json_lines:
        raise click.UsageError("--plain and --json exclude each other.")
    return play(
        debate,
        {key: value for key, value in settings.items() if value is not None and value is not False},
        speed=speed,
        from_round=from_round,
        plain=plain,
        json_lines=json_lines,
    )


@click.command()
@click.argument("url")
@click.option(
    "--token",
    envvar="DEBATE_TUI_WATCH_TOKEN",
    default="",
    help="The viewer's token, if the host asks for one; better set in DEBATE_TUI_WATCH_TOKEN.",
)
@click.option("--plain", is_flag=True, help="Plain text instead of the full screen.")
@click.option("--json", "json_lines", is_flag=True, help="The debate's events, one JSON object per line.")
def watch(url: str, token: str, plain: bool, json_lines: bool) -> int:
    """Watch a debate that somebody else hosts; URL is the address debate-tui serve prints."""
    from debate_tui.cli.watch import watch_debate as look_on

    return look_on(url, token=token, plain=plain, json_lines=json_lines)


COMMANDS: dict[str, click.Command] = {
    "doctor": doctor,
    "export": export,
    "formats": formats,
    "history": history,
    "serve": serve,
    "replay": replay,
    "watch": watch,
}
