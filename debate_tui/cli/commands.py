"""The commands and their options, as typed; what they do is imported when they run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from debate_tui import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

MODES = ("synchronized", "staggered", "hybrid")

EPILOGUE = """\b
Sources for -d ([NAME=]SOURCE, two to four times):
  openai:MODEL  anthropic:MODEL  OpenAI and Anthropic
  PROVIDER:MODEL                 ollama, openrouter, groq, mistral, deepseek, xai, …
  http(s)://…                    any endpoint that sends server-sent events
  demo[:VOICE]                   scripted, needs nothing

\b
Commands:
  debate-tui formats [NAME]      list the formats, explain one
  debate-tui doctor              what works here: keys, local servers, sources

\b
A topic that is named like a command goes after --. Without -d, debaters are
chosen from the keys and local servers found; without those, the demo runs.
"""


@click.command(epilog=EPILOGUE, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("topic", required=False)
@click.option("-d", "--debater", "debaters", multiple=True, metavar="[NAME=]SOURCE", help="Who argues.")
@click.option("-m", "--mode", type=click.Choice(MODES), help="When text is painted (default: hybrid).")
@click.option("--window", type=int, metavar="MS", help="Synchronized: time between flushes (default: 100).")
@click.option("-f", "--format", metavar="NAME", help="How the debate is held (default: oxford).")
@click.option("-r", "--rounds", type=int, metavar="N", help="Rounds of each repeated phase.")
@click.option("--theme", metavar="NAME", help="Colours of the screen.")
@click.option(
    "--config",
    "debate_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A settings or debate file (TOML).",
)
@click.option("--plain", is_flag=True, help="Plain text instead of the full screen.")
@click.option("--json", "json_lines", is_flag=True, help="The debate's events, one JSON object per line.")
@click.option("--no-record", is_flag=True, help="Keep nothing in the history.")
@click.option("--ascii", is_flag=True, help="Icons and lines in ASCII only.")
@click.version_option(__version__, message="debate-tui %(version)s")
def debate(
    topic: str | None,
    debaters: tuple[str, ...],
    debate_file: Path | None,
    plain: bool,
    json_lines: bool,
    no_record: bool,
    **settings: object,
) -> int:
    """Watch two to four language models argue about TOPIC, live, side by side.

    TOPIC may be - or a pipe for standard input.
    """
    from debate_tui.cli.debate import hold

    if plain and json_lines:
        raise click.UsageError("--plain and --json exclude each other.")
    typed = {key: value for key, value in settings.items() if value not in (None, False)}
    if no_record:
        typed["record"] = False
    return hold(topic, debaters, typed, debate_file=debate_file, plain=plain, json_lines=json_lines)


@click.command()
@click.argument("name", required=False)
def formats(name: str | None) -> None:
    """List the debate formats, or explain one."""
    from debate_tui.cli.listing import show_formats

    show_formats(name)


@click.command()
@click.option("-d", "--debater", "debaters", multiple=True, metavar="SOURCE", help="A source to try.")
@click.option(
    "--config",
    "debate_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A settings or debate file whose sources to try.",
)
def doctor(debaters: tuple[str, ...], debate_file: Path | None) -> int:
    """Tell what works here: terminal, keys, local servers, and every source, tried with one small request."""
    from debate_tui import config
    from debate_tui.cli.debate import seat
    from debate_tui.cli.doctor import examine

    typed = {"debater": [seat(text) for text in debaters]} if debaters else {}
    return examine(config.load(typed, debate_file=debate_file))


COMMANDS: dict[str, click.Command] = {"formats": formats, "doctor": doctor}


def run(arguments: Sequence[str]) -> object:
    """Run the command that `arguments` name; what is not a command's name is a topic."""
    command: click.Command = debate
    name = "debate-tui"
    if arguments and arguments[0] in COMMANDS:
        command = COMMANDS[arguments[0]]
        name = f"debate-tui {arguments[0]}"
        arguments = arguments[1:]
    return command.main(list(arguments), prog_name=name, standalone_mode=False)
