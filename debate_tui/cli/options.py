"""The main command and its options. The code it runs is imported on use."""

from __future__ import annotations

from pathlib import Path

import click

from debate_tui import __version__

DISPLAY_MODES = ("synchronized", "staggered", "hybrid")

EPILOGUE = """\b
Sources for -d ([NAME=]SOURCE, two to four times):
  openai:MODEL  anthropic:MODEL  OpenAI and Anthropic
  PROVIDER:MODEL                 ollama, openrouter, groq, mistral, deepseek, xai, …
  http(s)://…  ws(s)://…         any endpoint that sends server-sent events, or a WebSocket
  local[:FILE.gguf]              a model that runs on this machine, small unless named
  demo[:VOICE]                   scripted, needs nothing

\b
Commands:
  debate-tui replay [DEBATE]     play a recorded debate back
  debate-tui history [WORDS]     list recorded debates
  debate-tui export [DEBATE]     a recorded debate as md, html, json or txt
  debate-tui formats [NAME]      list the formats, explain one
  debate-tui serve [TOPIC]       host debates for viewers in browsers and terminals
  debate-tui watch URL           watch a hosted debate
  debate-tui doctor              what works here: keys, local servers, sources

\b
A topic that is named like a command goes after --. Without -d, debaters are
chosen from the keys and servers found; without those, the demo runs. There are
as many of them as the format takes.
"""


class _DebateCommand(click.Command):
    """A command whose help ends with the recovery settings and their defaults."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See `click.Command.format_epilog`."""
        from debate_tui.domain.recovery_policy import recovery_defaults

        with formatter.section("When a stream breaks ([recovery] in config.toml)"):
            formatter.write_dl([(f"{name} = {value}", about) for name, value, about in recovery_defaults()])
        super().format_epilog(ctx, formatter)


@click.command(cls=_DebateCommand, epilog=EPILOGUE, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("topic", required=False)
@click.option("-d", "--debater", "debaters", multiple=True, metavar="[NAME=]SOURCE", help="Who argues.")
@click.option(
    "-m", "--mode", type=click.Choice(DISPLAY_MODES), help="When text is painted (default: hybrid)."
)
@click.option("--window", type=int, metavar="MS", help="Synchronized: time between flushes (default: 100).")
@click.option("-f", "--format", metavar="NAME", help="How the debate is held (default: oxford).")
@click.option("-r", "--rounds", type=int, metavar="N", help="Rounds of each repeated phase.")
@click.option("--judge", "judges", multiple=True, metavar="SOURCE", help="Who judges; may be repeated.")
@click.option("--theme", metavar="NAME", help="Colours of the screen.")
@click.option(
    "--config",
    "debate_file",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="A settings or debate file (TOML).",
)
@click.option("--plain", is_flag=True, help="Plain text instead of the full screen.")
@click.option("--json", "json_lines", is_flag=True, help="The debate's events, one JSON object per line.")
@click.option("--max-cost", type=float, metavar="US$", help="Begin no turn once this is spent.")
@click.option("--max-tokens", type=int, metavar="N", help="Begin no turn once so many tokens were used.")
@click.option("--stats", is_flag=True, help="Tell the streams' figures on standard error at the end.")
@click.option(
    "--log",
    "journal",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Append connections, waits, faults and recoveries to a file, without keys.",
)
@click.option(
    "--share",
    is_flag=False,
    flag_value="127.0.0.1:8484",
    default="",
    metavar="[HOST:PORT]",
    help="Let others watch in browsers and terminals (default: 127.0.0.1:8484).",
)
@click.option("--no-record", is_flag=True, help="Keep nothing in the history.")
@click.option("--ascii", is_flag=True, help="Icons and lines in ASCII only.")
@click.option(
    "--continue",
    "continued",
    is_flag=False,
    flag_value="",
    metavar="[DEBATE]",
    help="Take up a recorded debate that was broken off, the newest unless one is named.",
)
@click.option("--chaos", is_flag=True, help="Demo only: break its streams, to see them heal.")
@click.version_option(__version__, message="debate-tui %(version)s")
def debate(
    topic: str | None,
    debaters: tuple[str, ...],
    debate_file: Path | None,
    plain: bool,
    json_lines: bool,
    no_record: bool,
    chaos: bool,
    continued: str | None,
    judges: tuple[str, ...],
    stats: bool,
    journal: Path | None,
    share: str,
    **settings: object,
) -> int:
    """Watch two to four language models argue about TOPIC, live, side by side.

    TOPIC may be - or a pipe for standard input.
    """
    from debate_tui.cli.debate import replace_surrogates, run_debate

    if plain and json_lines:
        raise click.UsageError("--plain and --json exclude each other.")
    overrides = {key: value for key, value in settings.items() if value is not None and value is not False}
    if judges:
        overrides["judge"] = [replace_surrogates(judge) for judge in judges]
    if no_record:
        overrides["record"] = False
    if continued is not None and (topic is not None or debaters):
        raise click.UsageError("--continue takes topic and debaters from the record.")
    return run_debate(
        topic,
        debaters,
        overrides,
        debate_file=debate_file,
        plain=plain,
        json_lines=json_lines,
        chaos=chaos,
        continued=continued,
        stats=stats,
        stream_log_file=journal,
        share_address=share,
    )
