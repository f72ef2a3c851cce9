"""The main command, and the options that several commands share. The code they run is imported on use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from debate_tui import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

# Options of several commands


def stack_options(*options: Decorator) -> Decorator:
    """Return one decorator that adds all these options, in this order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


debater_options = stack_options(
    click.option(
        "-d",
        "--debater",
        "debaters",
        multiple=True,
        metavar="[NAME=]SOURCE",
        help="Add a debater (two to four)",
    ),
    click.option("-f", "--format", metavar="NAME", help="Use this debate format (default: oxford)"),
    click.option("-r", "--rounds", type=int, metavar="N", help="Set the rounds of each repeated phase"),
    click.option("--judge", "judges", multiple=True, metavar="SOURCE", help="Add a judge (repeatable)"),
)

debate_file_option = click.option(
    "--config",
    "debate_file",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Read a settings or debate file (TOML)",
)

limit_options = stack_options(
    click.option("--max-cost", type=float, metavar="US$", help="Start no new turn after spending this much"),
    click.option(
        "--max-tokens", type=int, metavar="N", help="Start no new turn after using this many tokens"
    ),
)

continue_option = click.option(
    "--continue",
    "continued",
    is_flag=False,
    flag_value="",
    metavar="[DEBATE]",
    help="Resume an interrupted debate (default: the latest)",
)

mode_option = click.option(
    "-m",
    "--mode",
    type=click.Choice(("synchronized", "staggered", "hybrid")),
    help="Choose when text is painted (default: hybrid)",
)
theme_option = click.option("--theme", metavar="NAME", help="Use this colour theme")
ascii_option = click.option("--ascii", is_flag=True, help="Draw icons and lines in ASCII only")

output_options = stack_options(
    click.option("--plain", is_flag=True, help="Print plain text instead of using the full screen"),
    click.option("--json", "json_lines", is_flag=True, help="Print the events, one JSON object per line"),
)


def typed_settings(options: Mapping[str, object], judges: tuple[str, ...] = ()) -> dict[str, object]:
    """Return the settings among `options` that were typed, with `judges` if there are any."""
    typed = {name: value for name, value in options.items() if value is not None and value is not False}
    if judges:
        from debate_tui.cli.debate import replace_surrogates

        typed["judge"] = [replace_surrogates(judge) for judge in judges]
    return typed


def check_outputs(*, plain: bool, json_lines: bool) -> None:
    """Raise `UsageError` if two kinds of output are asked for."""
    if plain and json_lines:
        raise click.UsageError("--plain and --json cannot be used together.")


def check_continuation(continued: str | None, topic: str | None, debaters: tuple[str, ...]) -> None:
    """Raise `UsageError` if a debate is to be resumed, but its topic or debaters are given too."""
    if continued is not None and (topic is not None or debaters):
        raise click.UsageError("--continue takes the topic and debaters from the recorded debate.")


# The main command

EPILOGUE = """\b
Sources for -d ([NAME=]SOURCE, two to four times):
  openai:MODEL  anthropic:MODEL  OpenAI and Anthropic
  PROVIDER:MODEL                 ollama, openrouter, groq, mistral, deepseek, xai, …
  http(s)://…  ws(s)://…         any endpoint that sends server-sent events, or a WebSocket
  local[:FILE.gguf]              a model on this machine (default: a very small one)
  demo[:VOICE]                   a scripted demo; needs no key and no network

\b
Commands:
  debate-tui replay [DEBATE]     replay a recorded debate
  debate-tui history [WORDS]     list recorded debates
  debate-tui export [DEBATE]     export a recorded debate as md, html, json or txt
  debate-tui formats [NAME]      list the formats, or describe one
  debate-tui serve [TOPIC]       host debates for viewers in browsers and terminals
  debate-tui watch URL           watch a hosted debate
  debate-tui doctor              check the terminal, keys, local servers and sources
  debate-tui help [PAGE]         read the manual

\b
Put -- before a topic that is also the name of a command. Without -d, debaters
are chosen from the keys and servers found, as many as the format needs; if
there are none, the demo runs.
"""


class _DebateCommand(click.Command):
    """A command whose help ends with the recovery settings and their defaults."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See `click.Command.format_epilog`."""
        from debate_tui.domain.stream import recovery_defaults

        with formatter.section("When a stream breaks ([recovery] in config.toml)"):
            formatter.write_dl([(f"{name} = {value}", about) for name, value, about in recovery_defaults()])
        super().format_epilog(ctx, formatter)


@click.command(cls=_DebateCommand, epilog=EPILOGUE, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("topic", required=False)
@debater_options
@mode_option
@click.option(
    "--window", type=int, metavar="MS", help="Set the time between synchronized flushes (default: 100)"
)
@theme_option
@debate_file_option
@output_options
@limit_options
@click.option("--stats", is_flag=True, help="Print stream statistics to stderr at the end")
@click.option(
    "--log",
    "stream_log_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Append connections, faults and recoveries to a file",
)
@click.option(
    "--share",
    "share_address",
    is_flag=False,
    flag_value="127.0.0.1:8484",
    default="",
    metavar="[HOST:PORT]",
    help="Let others watch (default: 127.0.0.1:8484)",
)
@click.option("--no-record", is_flag=True, help="Do not record the debate")
@ascii_option
@continue_option
@click.option("--chaos", is_flag=True, help="Break the demo's streams to show how they recover")
@click.version_option(__version__, message="debate-tui %(version)s", help="Show the version and exit")
def debate(
    topic: str | None,
    debaters: tuple[str, ...],
    judges: tuple[str, ...],
    debate_file: Path | None,
    continued: str | None,
    no_record: bool,
    **options: Any,
) -> int:
    """Watch two to four language models debate TOPIC, live, side by side.

    Use - or a pipe to read TOPIC from standard input.
    """
    from debate_tui.cli.debate import run_debate
    from debate_tui.cli.plan import RunOptions

    run_options = RunOptions(**{name: options.pop(name) for name in RunOptions.__struct_fields__})
    check_outputs(plain=run_options.plain, json_lines=run_options.json_lines)
    check_continuation(continued, topic, debaters)
    settings = typed_settings(options, judges)
    if no_record:
        settings["record"] = False
    return run_debate(topic, debaters, settings, run_options, debate_file=debate_file, continued=continued)
