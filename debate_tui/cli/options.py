"""The main command, and the options that several commands share. The code they run is imported on use."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from debate_tui import __version__
from debate_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from click.shell_completion import CompletionItem

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
    Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

COMMAND_NAMES = (
    "completion",
    "config",
    "doctor",
    "export",
    "formats",
    "help",
    "history",
    "judge",
    "replay",
    "serve",
    "watch",
)
"""First words that name a command, not a topic: see `subcommands`."""

COMPLETION_VARIABLE = "_DEBATE_TUI_COMPLETE"
"""Variable that is set when a shell asks for completions: see `completion`."""


HELP_OPTIONS = ["-h", "--help"]


_SOURCE_WORD = re.compile(r"[\w.-]+:\S+|demo|local")


def invoke_command(command: click.Command, name: str, arguments: Iterable[str]) -> object:
    """Run a command under a name; raise `click.ClickException` instead of printing errors."""
    return command.main(
        _with_report_value([*arguments]),
        prog_name=name,
        standalone_mode=False,
        help_option_names=HELP_OPTIONS,
    )


def _with_report_value(arguments: list[str]) -> list[str]:
    """Return the arguments with a value for ``--report``: click would take the next word as one.

    Raise `UsageError` if that word is a source, which would become part of the topic.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if "--report" not in arguments[:end]:
        return arguments
    place = arguments.index("--report")
    following = arguments[place + 1 : place + 2]
    if following and _SOURCE_WORD.fullmatch(following[0]):
        raise UsageError(
            "--report takes a source only after an equals sign.", f"Write --report={following[0]}."
        )
    return [*arguments[:place], "--report=true", *arguments[place + 1 :]]


# Options of several commands


def completer(kind: str) -> Completer:
    """Return a completion function for values of a kind: a function of this name in `completion`."""

    def complete(
        _context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        from debate_tui.cli import completion

        return completion.complete_value(kind, incomplete)

    return complete


def parse_pairs(
    _context: click.Context, parameter: click.Parameter, typed: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    """Return names and texts of ``NAME=TEXT`` options; raise `click.BadParameter` if one is missing."""
    from debate_tui.cli.debate import replace_surrogates

    pairs = []
    for option in typed:
        name, _, text = (part.strip() for part in option.partition("="))
        if not name or not text:
            form = parameter.metavar or "NAME=TEXT"
            raise click.BadParameter(f"'{option}' is not complete; write {form}.")
        pairs.append((replace_surrogates(name), text))
    return tuple(pairs)


def parse_roles(context: click.Context, parameter: click.Parameter, typed: Iterable[str]) -> dict[str, str]:
    """Return the texts of ``NAME=TEXT`` options by name; see `parse_pairs`."""
    from debate_tui.cli.debate import replace_surrogates

    return {name: replace_surrogates(text) for name, text in parse_pairs(context, parameter, typed)}


def join_words(words: Sequence[str]) -> str | None:
    """Return the words of a topic as one text; `None` if there are none."""
    return " ".join(words) if words else None


def stack_options(*options: Decorator) -> Decorator:
    """Return one decorator that adds all these options, in this order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


topic_argument = click.argument("topic", nargs=-1, metavar="[TOPIC]")

judge_option = click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="SOURCE",
    help="Add a judge (repeatable)",
    shell_complete=completer("sources"),
)

report_option = click.option(
    "--report",
    is_flag=False,
    flag_value="true",
    metavar="[=SOURCE]",
    help="Report on the debate at its end (default: the first judge)",
    shell_complete=completer("sources"),
)

debater_options = stack_options(
    click.option(
        "-d",
        "--debater",
        "debaters",
        multiple=True,
        metavar="[NAME=]SOURCE",
        help="Add a debater (two to four)",
        shell_complete=completer("debaters"),
    ),
    click.option(
        "-f",
        "--format",
        metavar="NAME",
        help="Use this debate format (default: oxford)",
        shell_complete=completer("formats"),
    ),
    click.option("-r", "--rounds", type=int, metavar="N", help="Set the rounds of each repeated phase"),
    judge_option,
    report_option,
    click.option("--blind", is_flag=True, help="Hide who the debaters are until the vote"),
)

role_options = stack_options(
    click.option(
        "--side",
        "sides",
        multiple=True,
        metavar="NAME=SIDE",
        callback=parse_roles,
        help="Set the side of a debater (repeatable)",
    ),
    click.option(
        "--persona",
        "personas",
        multiple=True,
        metavar="NAME=TEXT",
        callback=parse_roles,
        help="Set how a debater speaks (repeatable)",
    ),
)

material_options = stack_options(
    click.option(
        "--context",
        multiple=True,
        type=click.Path(),  # completes file names; addresses pass as well
        metavar="FILE|DIR|URL|-",
        help="Give all debaters and judges this material (repeatable)",
    ),
    click.option(
        "--context-for",
        multiple=True,
        metavar="NAME=FILE",
        callback=parse_pairs,
        help="Give one debater this material of its own (repeatable)",
    ),
    click.option(
        "--max-context",
        type=int,
        metavar="N",
        help="Limit the material to this many characters (default: 60000)",
    ),
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
    shell_complete=completer("debates"),
)

mode_option = click.option(
    "-m",
    "--mode",
    type=click.Choice(("synchronized", "staggered", "hybrid")),
    help="Choose when text is painted (default: hybrid)",
)
window_option = click.option(
    "--window", type=int, metavar="MS", help="Set the time between synchronized flushes (default: 100)"
)
theme_option = click.option(
    "--theme", metavar="NAME", help="Use this colour theme", shell_complete=completer("themes")
)
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
        raise UsageError("--plain and --json cannot be used together.", "Leave out one of them.")


def check_continuation(continued: str | None, topic: str | None, *parts: Collection[object]) -> None:
    """Raise `UsageError` if a debate is to be resumed, but its topic or other `parts` are given too."""
    if continued is not None and (topic is not None or any(parts)):
        raise UsageError(
            "--continue takes topic, debaters and material from the recorded debate.",
            "Leave out the topic, -d, --side, --persona and --context.",
        )


# The main command

EPILOGUE = """\b
Sources for -d ([NAME=]SOURCE, two to four times):
  openai:MODEL  anthropic:MODEL  OpenAI and Anthropic
  PROVIDER:MODEL                 ollama, openrouter, groq, mistral, deepseek, xai, …
  http(s)://…  ws(s)://…         any endpoint that sends server-sent events, or a WebSocket
  local[:FILE.gguf]              a model on this machine (default: a very small one)
  acp:AGENT                      an agent that you already use, such as acp:claude
  me                             you: you write your turns on the full screen
  demo[:VOICE]                   a scripted demo; needs no key and no network

\b
Commands:
  debate-tui replay [DEBATE]     replay a recorded debate
  debate-tui history [WORDS]     list recorded debates
  debate-tui export [DEBATE]     export a recorded debate as md, html, json or txt
  debate-tui formats [NAME]      list the formats, or describe one
  debate-tui judge [DEBATE]      judge a finished debate
  debate-tui serve [TOPIC]       host debates for viewers in browsers and terminals
  debate-tui watch URL           watch a hosted debate
  debate-tui config              list the settings and where they come from
  debate-tui completion SHELL    complete commands and options in bash, zsh or fish
  debate-tui doctor              check the terminal, keys, local servers and sources
  debate-tui help [PAGE]         read the manual

\b
Put -- before a topic that starts with the name of a command. Without -d,
debaters are chosen from the keys and servers found, as many as the format
needs; if there are none, the demo runs.
"""


def _check_first_word(words: Sequence[str]) -> None:
    """Raise `UsageError` if a topic looks like a command.

    That is the case if it begins with the name of a command, or is a single word close to one.
    """
    first = words[0]
    if first in COMMAND_NAMES:
        raise UsageError(
            f"'{first}' is a command, and commands come before all options.",
            f"Write 'debate-tui {first} …'. To debate it as a topic, quote the topic or put -- before it.",
        )
    close = difflib.get_close_matches(first.lower(), COMMAND_NAMES, n=1, cutoff=0.75)
    if close and len(words) == 1:
        raise UsageError(
            f"No command is named '{first}'.",
            f"Did you mean '{close[0]}'? To debate it as a topic, put -- before it.",
        )


class _DebateCommand(click.Command):
    """A command that takes its topic in one or several words.

    Its help ends with the recovery settings and their defaults.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See `click.Command.parse_args`; the words of a topic after ``--`` are never a command."""
        is_marked = "--" in args
        rest = super().parse_args(ctx, args)
        if ctx.params["topic"] and not is_marked and not ctx.resilient_parsing:
            _check_first_word(ctx.params["topic"])
        return rest

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from debate_tui.domain.stream import recovery_defaults

        with formatter.section("When a stream breaks ([recovery] in config.toml)"):
            formatter.write_dl([(f"{name} = {value}", about) for name, value, about in recovery_defaults()])
        super().format_epilog(ctx, formatter)


@click.command(cls=_DebateCommand, epilog=EPILOGUE)
@topic_argument
@debater_options
@role_options
@material_options
@mode_option
@window_option
@theme_option
@debate_file_option
@output_options
@limit_options
@click.option("--step", is_flag=True, help="Wait for a key between rounds")
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
    topic: tuple[str, ...],
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
    text = join_words(topic)
    check_continuation(continued, text, debaters, *run_options.debate_parts)
    settings = typed_settings(options, judges)
    if no_record:
        settings["record"] = False
    return run_debate(text, debaters, settings, run_options, debate_file=debate_file, continued=continued)
