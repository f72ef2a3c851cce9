"""All commands other than the debate itself. The code they run is imported on use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from debate_tui.cli.options import (
    COMPLETION_VARIABLE,
    ascii_option,
    check_continuation,
    check_outputs,
    completer,
    continue_option,
    debate,
    debate_file_option,
    debater_options,
    invoke_command,
    join_words,
    judge_option,
    limit_options,
    material_options,
    mode_option,
    output_options,
    report_option,
    role_options,
    theme_option,
    topic_argument,
    typed_settings,
    window_option,
)

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from debate_tui.domain.exports import ExportType


@click.command()
@topic_argument
@debater_options
@role_options
@material_options
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
    shell_complete=completer("sources"),
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
    topic: tuple[str, ...],
    debaters: tuple[str, ...],
    judges: tuple[str, ...],
    debate_file: Path | None,
    store: str,
    continued: str | None,
    **options: Any,
) -> int:
    """Run a debate about TOPIC for viewers in browsers and terminals, or host all recorded debates.

    Viewers open http://127.0.0.1:8484/debates/ID in a browser, use 'debate-tui watch', or read event streams.
    """
    from debate_tui.cli.hosting import HostingOptions, check_installed

    check_installed()
    text = join_words(topic)
    from msgspec import convert

    from debate_tui.cli.plan import RunOptions
    from debate_tui.cli.serve import run_server

    parts = ("sides", "personas", "context", "context_for")
    run_options = RunOptions(**{name: options.pop(name) for name in parts})
    check_continuation(continued, text, debaters, *run_options.debate_parts)

    hosting = convert({name: options.pop(name) for name in HostingOptions.__struct_fields__}, HostingOptions)
    return run_server(
        text,
        debaters,
        typed_settings(options, judges),
        run_options,
        debate_file=debate_file,
        store=store,
        continued=continued,
        hosting=hosting,
    )


LINE_WIDTH = 80
"""Maximum length of a line of the list of formats."""

EXPORT_TYPES: tuple[ExportType, ...] = ("md", "html", "json", "txt", "prompts")


@click.command()
@click.argument("name", required=False, shell_complete=completer("formats"))
def formats(name: str | None) -> None:
    """List the debate formats, or describe one."""
    import textwrap

    from debate_tui.cli.format_files import find_format, load_formats
    from debate_tui.domain.formats import DEFAULT_FORMAT, describe_format, summarise_format

    if name is not None:
        print(describe_format(find_format(name)))
        return
    valid, errors = load_formats()
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
    "-d",
    "--debater",
    "debaters",
    multiple=True,
    metavar="SOURCE",
    help="Check this source (repeatable)",
    shell_complete=completer("debaters"),
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
@click.option(
    "--delete",
    "to_delete",
    multiple=True,
    metavar="DEBATE",
    help="Delete a debate permanently",
    shell_complete=completer("debates"),
)
@click.option("--yes", is_flag=True, help="Delete without asking")
@click.option("--plain", is_flag=True, help="Print a list instead of using the full screen")
def history(words: tuple[str, ...], to_delete: tuple[str, ...], yes: bool, plain: bool) -> int:
    """List the recorded debates that contain all WORDS, newest first.

    On a terminal you can read, play, resume, export and delete them; the id of a debate opens it.
    """
    from debate_tui.cli import history as recorded

    if to_delete:
        recorded.delete_debates(to_delete, confirmed=yes)
        return 0
    return recorded.show_history(" ".join(words), plain=plain)


@click.command()
@click.argument("debate", metavar="[DEBATE]", default="", shell_complete=completer("debates"))
@click.option(
    "--to", "form", type=click.Choice(EXPORT_TYPES), help="Choose the file type, or the prompts (default: md)"
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to this file or folder"
)
def export(debate: str, form: ExportType | None, output: Path | None) -> None:
    """Export the recorded debate with the id DEBATE (default: the latest).

    --to html writes one file that any browser can show, print and play offline. --to prompts writes every
    prompt as it was sent, in order, with its parameters.
    """
    from debate_tui.cli.history import write_export

    suffixes = ((known, ".prompts.md" if known == "prompts" else f".{known}") for known in EXPORT_TYPES)
    fitting = [known for known, suffix in suffixes if output and output.name.endswith(suffix)]
    type_from_suffix = fitting[-1] if fitting else EXPORT_TYPES[0]
    write_export(debate, form or type_from_suffix, output)


@click.command()
@click.argument("debate", metavar="[DEBATE]", default="", shell_complete=completer("debates"))
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
@click.argument("debate", metavar="[DEBATE]", default="", shell_complete=completer("debates"))
@judge_option
@report_option
def judge(debate: str, judges: tuple[str, ...], report: str | None) -> int:
    """Judge the finished debate with the id DEBATE (default: the latest), and print the outcome.

    The verdicts and the report are added to its record. Without --judge, the judges in your settings are
    asked; --report=SOURCE alone adds only a report.
    """
    from debate_tui.cli.judge import judge_debate

    return judge_debate(debate, typed_settings({"report": report}, judges))


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


@click.command("config")
@click.argument(
    "action",
    required=False,
    type=click.Choice(("path", "edit", "init")),
    metavar="[path|edit|init]",
)
@debater_options
@mode_option
@window_option
@theme_option
@ascii_option
@limit_options
@debate_file_option
def config_command(
    action: str | None,
    debaters: tuple[str, ...],
    judges: tuple[str, ...],
    debate_file: Path | None,
    **options: object,
) -> None:
    """List the settings of a debate with these options: their values, and where these come from.

    'path' prints the name of your settings file, 'edit' opens it in $VISUAL or $EDITOR, and 'init' creates it
    with all defaults as comments.
    """
    from debate_tui import config
    from debate_tui.cli import config_command as command

    match action:
        case "path":
            print(config.user_file())
        case "edit":
            command.edit_user_file()
        case "init":
            print(command.create_user_file())
        case _:
            typed = typed_settings(options, judges)
            if debaters:
                from debate_tui.cli.debate import parse_debater_option

                typed["debater"] = [parse_debater_option(text) for text in debaters]
            command.print_settings(typed, debate_file)


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")), metavar="SHELL")
def completion(shell: str) -> None:
    """Print a script that completes commands, options and their values in SHELL: bash, zsh or fish.

    \b
    Add one of these lines to the file that your shell reads when it starts:
      ~/.bashrc                   eval "$(debate-tui completion bash)"
      ~/.zshrc, after compinit    eval "$(debate-tui completion zsh)"
      ~/.config/fish/config.fish  debate-tui completion fish | source
    """
    from debate_tui.cli.completion import print_script

    print_script(shell, debate, COMPLETION_VARIABLE)


def _complete_page(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Complete the names of pages and of commands."""
    from click.shell_completion import CompletionItem

    pages = completer("pages")(context, parameter, incomplete)
    known = {page.value for page in pages}
    names = (name for name in COMMANDS if name not in known and name.startswith(incomplete))
    return [*pages, *(CompletionItem(name, help=COMMANDS[name].get_short_help_str(80)) for name in names)]


@click.command("help")
@click.argument("page", required=False, shell_complete=_complete_page)
@click.option("--plain", is_flag=True, help="Print plain text instead of using the full screen")
def manual(page: str | None, plain: bool) -> object:
    """Show PAGE of the manual (default: its contents), or the options of a command."""
    from debate_tui.cli.manual import PAGE_NAMES, show_manual

    if page in COMMANDS and page not in PAGE_NAMES:
        return invoke_command(COMMANDS[page], f"debate-tui {page}", ["--help"])
    return show_manual(page or "", plain=plain)


COMMANDS: dict[str, click.Command] = {
    "completion": completion,
    "config": config_command,
    "doctor": doctor,
    "export": export,
    "formats": formats,
    "help": manual,
    "history": history,
    "judge": judge,
    "replay": replay,
    "serve": serve,
    "watch": watch,
}
