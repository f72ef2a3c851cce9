"""``debate-tui serve``: host debates for many viewers."""

from __future__ import annotations

from pathlib import Path

import click


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
    help="The host's token, to steer debates; made up and printed unless given.",
)
@click.option(
    "--viewer-token",
    default="",
    envvar="DEBATE_TUI_VIEWER_TOKEN",
    help="The viewers' token; beyond this machine one is made from the host's unless given.",
)
@click.option("--store", default="", metavar="FILE|URL", help="Where debates are kept: a file, or redis://…")
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

    from debate_tui.cli.serving import run_server

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
