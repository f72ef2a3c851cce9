"""What there is to do besides holding a debate, as typed; what each does is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from debate_tui.cli.commands import DISPLAY_MODES
from debate_tui.cli.serve import serve

if TYPE_CHECKING:
    from debate_tui.domain.exports import ExportType

EXPORT_TYPES: tuple[ExportType, ...] = ("md", "html", "json", "txt")


@click.command()
@click.argument("name", required=False)
def formats(name: str | None) -> None:
    """List the debate formats, or explain one."""
    from debate_tui.cli.listing import print_formats

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
    from debate_tui import config
    from debate_tui.cli.debate import parse_debater_option
    from debate_tui.cli.doctor import run_checks

    overrides = {"debater": [parse_debater_option(text) for text in debaters]} if debaters else {}
    return run_checks(config.load_settings(overrides, debate_file=debate_file))


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
