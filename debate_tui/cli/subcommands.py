"""All commands other than the debate itself. The code they run is imported on use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from debate_tui.cli.options import (
    ascii_option,
    check_continuation,
    check_outputs,
    continue_option,
    debate_file_option,
    debater_options,
    limit_options,
    mode_option,
    output_options,
    theme_option,
    typed_settings,
)

if TYPE_CHECKING:
    from debate_tui.domain.exports import ExportType


@click.command()
@click.argument("topic", required=False)
@debater_options
@debate_file_option
@limit_options
@continue_option
@click.option("--host", default="127.0.0.1", help="Listen on this address (default: 127.0.0.1)")
@click.option(
    "--port", default=8484, type=click.IntRange(0, 65535), help="Listen on this port (default: 8484)"
)
@click.option(
    "--token",
    default="",
    envvar="DEBATE_TUI_TOKEN",
    help="Set the host token, 16 characters or more (default: new)",
)
@click.option(
    "--viewer-token",
    default="",
    envvar="DEBATE_TUI_VIEWER_TOKEN",
    help="Set the viewer token (default: derived from the store)",
)
@click.option("--public", is_flag=True, help="Let viewers without a token in through a local proxy")
@click.option(
    "--allow-source",
    "allowed_sources",
    multiple=True,
    metavar="SOURCE",
    help="Let remote hosts use this source (repeatable)",
)
@click.option(
    "--store",
    default="",
    envvar="DEBATE_TUI_STORE",
    metavar="FILE|URL",
    help="Keep debates in this file or at redis://…",
)
@click.option(
    "--cert", "certificate", type=click.Path(path_type=Path), help="Serve HTTPS with this certificate (PEM)"
)
@click.option("--key", type=click.Path(path_type=Path), help="Use this private key for the certificate (PEM)")
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Allow pages and requests of this origin (repeatable)",
)
@click.option(
    "--max-viewers", default=10_000, type=click.IntRange(1), help="Limit the viewers (default: 10000)"
)
@click.option(
    "--max-viewers-per-address",
    default=100,
    type=click.IntRange(1),
    help="Limit the viewers from one address (default: 100)",
)
def serve(
    topic: str | None,
    debaters: tuple[str, ...],
    judges: tuple[str, ...],
    debate_file: Path | None,
    store: str,
    continued: str | None,
    format: str | None,  # noqa: A002 (the option's name)
    rounds: int | None,
    max_cost: float | None,
    max_tokens: int | None,
    **hosting: object,
) -> int:
    """Run a debate about TOPIC for viewers in browsers and terminals, or host all recorded debates.

    Viewers open http://127.0.0.1:8484/debates/ID in a browser, use 'debate-tui watch', or read event streams.
    """
    from debate_tui.cli.hosting import HostingOptions, check_installed

    check_installed()
    check_continuation(continued, topic, debaters)
    from msgspec import convert

    from debate_tui.cli.serve import run_server

    options = {"format": format, "rounds": rounds, "max_cost": max_cost, "max_tokens": max_tokens}
    return run_server(
        topic,
        debaters,
        typed_settings(options, judges),
        debate_file=debate_file,
        store=store,
        continued=continued,
        hosting=convert(hosting, HostingOptions),
    )


LINE_WIDTH = 80
"""Maximum length of a line of the list of formats."""

EXPORT_TYPES: tuple[ExportType, ...] = ("md", "html", "json", "txt")


@click.command()
@click.argument("name", required=False)
def formats(name: str | None) -> None:
    """List the debate formats, or describe one."""
    import textwrap

    from debate_tui import config
    from debate_tui.domain.formats import DEFAULT_FORMAT, describe_format, summarise_format

    if name is not None:
        print(describe_format(config.find_format(name)))
        return
    valid, errors = config.load_formats()
    indent = " " * (max(map(len, valid)) + 2)
    for each, format_ in valid.items():
        note = " (default)" if each == DEFAULT_FORMAT else ""
        text = f"{each:<{len(indent)}}{summarise_format(format_)}{note}"
        print(textwrap.fill(text, LINE_WIDTH, subsequent_indent=indent, break_on_hyphens=False))
    print("\ndebate-tui formats NAME describes a format.")
    if errors:
        raise errors[0]


@click.command()
@click.option(
    "-d", "--debater", "debaters", multiple=True, metavar="SOURCE", help="Check this source (repeatable)"
)
@debate_file_option
def doctor(debaters: tuple[str, ...], debate_file: Path | None) -> int:
    """Check the terminal, keys, local servers, and every source with one small request."""
    from debate_tui.cli.debate import parse_debater_option
    from debate_tui.cli.doctor import run_checks
    from debate_tui.cli.plan import load_settings

    overrides = {"debater": [parse_debater_option(text) for text in debaters]} if debaters else {}
    return run_checks(load_settings(overrides, debate_file=debate_file))


@click.command()
@click.argument("words", nargs=-1)
@click.option("--delete", "to_delete", multiple=True, metavar="DEBATE", help="Delete a debate permanently")
@click.option("--yes", is_flag=True, help="Delete without asking")
@click.option("--plain", is_flag=True, help="Print a list instead of using the full screen")
def history(words: tuple[str, ...], to_delete: tuple[str, ...], yes: bool, plain: bool) -> int:
    """List the recorded debates that contain all WORDS, newest first.

    In a terminal you can replay, resume, export and delete them.
    """
    from debate_tui.cli import history as recorded

    if to_delete:
        recorded.delete_debates(to_delete, confirmed=yes)
        return 0
    return recorded.show_history(" ".join(words), plain=plain)


@click.command()
@click.argument("debate", metavar="[DEBATE]", default="")
@click.option("--to", "form", type=click.Choice(EXPORT_TYPES), help="Choose the file format (default: md)")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to this file or folder"
)
def export(debate: str, form: ExportType | None, output: Path | None) -> None:
    """Export the recorded debate with the id DEBATE (default: the latest)."""
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
    help="Replay this many times as fast, 1/4 to 64 (default: 1)",
)
@click.option(
    "--from", "from_round", type=int, metavar="ROUND", help="Start at this round, counted over all phases"
)
@mode_option
@theme_option
@ascii_option
@output_options
def replay(
    debate: str, speed: float, from_round: int | None, plain: bool, json_lines: bool, **settings: object
) -> int:
    """Replay the recorded debate with the id DEBATE (default: the latest) at its own pace.

    Outside a terminal, and with --plain or --json, the whole debate is printed at once.
    """
    from debate_tui.cli.replay import replay_debate

    check_outputs(plain=plain, json_lines=json_lines)
    return replay_debate(
        debate,
        typed_settings(settings),
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
    help="Set the viewer token (better: DEBATE_TUI_WATCH_TOKEN)",
)
@output_options
def watch(url: str, token: str, plain: bool, json_lines: bool) -> int:
    """Watch a hosted debate at URL, the address that 'debate-tui serve' prints."""
    from debate_tui.cli.watch import watch_debate

    return watch_debate(url, token=token, plain=plain, json_lines=json_lines)


@click.command("help")
@click.argument("page", required=False)
@click.option("--plain", is_flag=True, help="Print plain text instead of using the full screen")
def manual(page: str | None, plain: bool) -> object:
    """Show PAGE of the manual (default: its contents), or the options of a command."""
    from debate_tui.cli.manual import PAGE_NAMES, show_manual

    if page in COMMANDS and page not in PAGE_NAMES:
        return COMMANDS[page].main(["--help"], prog_name=f"debate-tui {page}", standalone_mode=False)
    return show_manual(page or "", plain=plain)


COMMANDS: dict[str, click.Command] = {
    "doctor": doctor,
    "export": export,
    "formats": formats,
    "help": manual,
    "history": history,
    "serve": serve,
    "replay": replay,
    "watch": watch,
}
