"""``debate-tui serve``: run and host debates until a signal stops the server."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from debate_tui import config
from debate_tui.cli import debate as topics
from debate_tui.cli.continuation import plan_continuation
from debate_tui.cli.debate import parse_debater_option
from debate_tui.cli.default_debaters import DEMO_SOURCES, default_debaters
from debate_tui.cli.hosting import DRAIN_TIMEOUT_S, check_options, open_server
from debate_tui.cli.messages import print_error
from debate_tui.cli.plan import check_without_screen, load_settings, make_plan
from debate_tui.cli.terminal import catch_signals
from debate_tui.cli.wiring import open_debate
from debate_tui.display.output import OutputWriter
from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.record.stores import open_store
from debate_tui.server.commands import ConflictError, ForbiddenError
from debate_tui.server.hub import Hub
from debate_tui.server.limits import ViewerLimits
from debate_tui.session.commands import EndDebate
from debate_tui.sources.registry import parse_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from debate_tui.cli.hosting import HostAddresses, HostingOptions
    from debate_tui.cli.plan import Plan, RunOptions
    from debate_tui.record.log import DebateStore
    from debate_tui.server.commands import DebateRequest
    from debate_tui.session.session import Session
    from debate_tui.sources.registry import SourceSpec

STORE_PASSWORD_VARIABLE = "DEBATE_TUI_STORE_PASSWORD"  # noqa: S105 (a name)
"""Environment variable with the store's password; other users can read command lines."""

DEFAULT_MAX_COST = 1.0
DEFAULT_MAX_TOKENS = 200_000
"""Budget of a debate requested by a remote host, in US$ and tokens, unless the settings have one."""

MAX_DEBATES = 8
"""Maximum number of debates running at once: each costs connections and money."""


def run_server(
    topic: str | None,
    debaters: tuple[str, ...],
    overrides: dict[str, object],
    options: RunOptions,
    *,
    debate_file: Path | None,
    store: str,
    continued: str | None,
    hosting: HostingOptions,
) -> int:
    """Serve until a signal stops the server, and return the exit code.

    `continued` is the id of a recorded debate to resume, empty for the latest, or `None`. Raise `DebateError`
    if the server cannot start.
    """
    check_options(hosting)
    if debaters:
        overrides["debater"] = [parse_debater_option(text) for text in debaters]
    settings = load_settings(overrides, debate_file=debate_file)
    for source in hosting.allowed_sources:
        parse_source(source)
    debate_plan = None
    if continued is None and (topic is not None or settings.topic):
        topics.check_standard_input(topic, settings.topic, options)
        text = topics.read_topic(topic, settings.topic)
        debate_plan = topics.with_material(make_plan(text, default_debaters(settings), settings, options))
    elif continued is None and any(options.debate_parts):
        raise UsageError("--side, --persona and --context need a topic.", "Give one: debate-tui serve TOPIC")
    with asyncio.Runner(loop_factory=_uvloop_factory()) as runner:
        return runner.run(_serve_until_signal(debate_plan, continued, settings, store, hosting))


async def _serve_until_signal(
    first_plan: Plan | None,
    continued: str | None,
    settings: config.Settings,
    store_address: str,
    hosting: HostingOptions,
) -> int:
    store = open_store(store_address or config.record_file(), os.environ.get(STORE_PASSWORD_VARIABLE, ""))
    try:
        # Fail now if the store cannot be reached, not when the first viewer comes.
        await store.setup("")
        if continued is not None:
            first_plan = topics.with_material(await plan_continuation(store, continued, settings))
            if store_address:  # others may write to it
                for spec in first_plan.source_specs:
                    check_no_command(spec, "A shared record")
        if first_plan is not None:
            check_without_screen(first_plan)
        limits = ViewerLimits(hosting.max_viewers, hosting.max_viewers_per_address)
        async with Hub(store, limits, only_hosted=first_plan is not None) as hub:
            debates = RunningDebates(hub, store, settings, hosting.allowed_sources)
            async with open_server(hub, hosting, debates, secret=await store.secret()) as addresses:
                stop = asyncio.Event()
                with OutputWriter.for_stream(sys.stdout) as output, catch_signals(stop.set) as signal:
                    debate = await debates.start(first_plan) if first_plan else ""
                    writing = asyncio.create_task(
                        output.write(_describe_addresses(addresses, hosting, debate))
                    )
                    stopping = asyncio.create_task(stop.wait())
                    # A signal also ends a server whose output no one reads.
                    await asyncio.wait((writing, stopping), return_when=asyncio.FIRST_COMPLETED)
                    if not stopping.done():
                        await writing
                        await stopping
                    await debates.end_all()
            return 128 + (signal.number or 0)
    finally:
        await store.aclose()


def check_allowed(source: str, allowed: Iterable[str], own: Iterable[str]) -> None:
    """Raise `ForbiddenError` if remote hosts may not use `source`.

    `allowed` has sources, provider names (which allow all models of the provider), and addresses that end in
    a slash (which allow all addresses below them). `own` has the server's own sources, which are always
    allowed. Raise `UsageError` if a source is not valid.
    """
    asked = parse_source(source)
    if asked.kind == "local" and asked.detail:
        raise ForbiddenError("Remote hosts cannot use files of this machine.", "Use another source.")
    key = (asked.scheme, asked.detail)
    if any(key == (spec.scheme, spec.detail) for spec in map(parse_source, own)):
        return
    for entry in allowed:
        name = entry.strip()
        if name.lower() == asked.scheme and asked.kind != "endpoint":
            return
        spec = parse_source(name)
        is_folder = spec.kind == "endpoint" and spec.detail.endswith("/")
        if key == (spec.scheme, spec.detail) or (is_folder and _is_below(asked.detail, spec.detail)):
            return
    raise ForbiddenError(
        f"Remote hosts may not use '{asked.public_name}' on this server.",
        "Omit 'debaters', or use an allowed source; the server's owner can allow more with --allow-source.",
    )


def _is_below(url: str, folder: str) -> bool:
    """Return whether a URL starts with `folder` and does not lead out of it again with ``..``."""
    segments = re.split(r"[/\\]", unquote(urlsplit(url).path))
    return url.startswith(folder) and ".." not in segments


def check_no_command(source: SourceSpec, origin: str = "A request") -> None:
    """Raise `ForbiddenError` if a source that comes from `origin` would run a command on this machine."""
    if source.runs_command:
        raise ForbiddenError(f"{origin} cannot name a command to run.", "Use a known agent: acp:NAME.")


class RunningDebates:
    """The debates that this server runs; a `DebateLauncher`."""

    def __init__(
        self, hub: Hub, store: DebateStore, settings: config.Settings, allowed_sources: Sequence[str] = ()
    ) -> None:
        self._allowed_sources = (*DEMO_SOURCES, *allowed_sources)
        self._hub = hub
        self._store = store
        self._settings = settings
        self._sessions: dict[asyncio.Task[None], Session | None] = {}
        self._plan_lock = asyncio.Lock()
        self._is_stopping = False

    async def start_debate(self, request: DebateRequest, *, from_elsewhere: bool = False) -> str:
        overrides: dict[str, object] = {
            "format": request.format,
            "rounds": request.rounds,
            "blind": request.blind,
        }
        if from_elsewhere:
            overrides |= {
                "max_cost": self._settings.max_cost or DEFAULT_MAX_COST,
                "max_tokens": self._settings.max_tokens or DEFAULT_MAX_TOKENS,
            }
        settings = config.with_options(
            self._settings, {key: value for key, value in overrides.items() if value}
        )
        seats = tuple(
            config.DebaterSettings(source=each.source, name=each.name, side=each.side, persona=each.persona)
            for each in request.debaters
        )
        own = [seat.source for seat in self._settings.debater]
        for seat in seats:
            check_no_command(parse_source(seat.source))
            if from_elsewhere:
                check_allowed(seat.source, self._allowed_sources, own)
        topic = topics.read_topic(None, request.topic)
        debater_settings = seats or default_debaters(settings, DEMO_SOURCES if from_elsewhere else None)
        async with self._plan_lock:  # In a thread: the keyring may ask for a password.
            debate_plan = await asyncio.to_thread(make_plan, topic, debater_settings, settings)
        # Sources named on the command line may be on any network. No material is read: it belongs to the
        # debate that it was given for, and a request cannot ask for any.
        return await self.start(debate_plan, public_only=from_elsewhere and bool(seats))

    async def start(self, debate_plan: Plan, *, public_only: bool = False) -> str:
        """Start a debate and return its id once it is hosted.

        With `public_only`, endpoints on this machine or a private network are refused. Raise `ConflictError`
        if the server is stopping or already runs `MAX_DEBATES` debates, `DebateError` if the debate cannot
        start.
        """
        check_without_screen(debate_plan)
        self._check_not_stopping()
        if len(self._sessions) >= MAX_DEBATES:
            raise ConflictError(
                f"{MAX_DEBATES} debates are already running.", "Wait for one to end, or stop one."
            )
        hosted_id: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run_debate(debate_plan, hosted_id, public_only))
        self._sessions[task] = None
        task.add_done_callback(lambda done: _report_task_result(done, hosted_id))
        task.add_done_callback(self._sessions.pop)
        return await hosted_id

    async def end_all(self) -> None:
        """End all debates, start no new ones, and wait until the last events are recorded."""
        self._is_stopping = True
        for session in self._sessions.values():
            if session is not None:
                session.handle(EndDebate())
        if self._sessions:
            await asyncio.wait(tuple(self._sessions))

    def _check_not_stopping(self) -> None:
        if self._is_stopping:
            raise ConflictError("The server is stopping.", "Start the debate again when it is back.")

    async def _run_debate(self, debate_plan: Plan, hosted_id: asyncio.Future[str], public_only: bool) -> None:
        async with open_debate(
            debate_plan, unattended=True, on_error=print_error, store=self._store, public_only=public_only
        ) as context:
            self._check_not_stopping()
            session = context.session
            debate = session.spec.debate
            self._hub.host(debate, context.log, session.handle, known_seq=session.transcript.seq)
            task = asyncio.current_task()
            assert task is not None
            self._sessions[task] = session
            if not hosted_id.done():  # The caller may have been cancelled.
                hosted_id.set_result(debate)
            await session.run()
            await self._hub.wait_until_published(debate, DRAIN_TIMEOUT_S)
        if session.fatal_fault is not None:
            print_error(session.fatal_fault)


def _report_task_result(task: asyncio.Task[None], hosted_id: asyncio.Future[str]) -> None:
    """Report how a debate's task ended.

    Pass an error to the caller of `start` if it is still waiting; print errors that come later.
    """
    error = None if task.cancelled() else task.exception()
    if not hosted_id.done():
        hosted_id.cancel() if error is None else hosted_id.set_exception(error)
    elif isinstance(error, DebateError):
        print_error(error)
    elif error is not None:
        context = {"message": "A debate was interrupted.", "exception": error, "task": task}
        asyncio.get_running_loop().call_exception_handler(context)


def _describe_addresses(addresses: HostAddresses, hosting: HostingOptions, debate: str) -> str:
    watch_url = addresses.debate_url(debate) if debate else f"{addresses.url}/debates"
    lines = [f"Hosting debates on {addresses.url}", f"  watch             {watch_url}"]
    access = addresses.access
    if access.viewers_need_token or not access.public:
        if not access.viewers_need_token:
            lines.append("Viewers need a token or a link only if they come through a proxy.")
        if not hosting.viewer_token:
            lines.append(f"  viewer token      {access.viewer_token}")
        lines.append(f"  viewer link       {addresses.login_link('viewer')}")
    if not hosting.token:
        lines.append(f"  host token        {addresses.access.host_token}")
    lines.append(f"  host link         {addresses.login_link('host')}")
    lines.append("Each link works once. Press Ctrl+C to stop.")
    return "".join(f"{line}\n" for line in lines)


def _uvloop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
