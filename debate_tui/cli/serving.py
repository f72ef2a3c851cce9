"""A server's life: debates held and hosted until somebody ends it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.cli import topic as topics
from debate_tui.cli.aside import complain
from debate_tui.cli.continuing import taken_up_from
from debate_tui.cli.debate import seat
from debate_tui.cli.hosting import LAST_WORDS_S, opened
from debate_tui.cli.plan import plan, unnamed
from debate_tui.cli.signals import caught
from debate_tui.cli.stage import staged
from debate_tui.domain.errors import DebateError
from debate_tui.record.stores import open_store
from debate_tui.server.audience import Limits
from debate_tui.server.commands import Conflict
from debate_tui.server.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from debate_tui.cli.hosting import Hosting, Reach
    from debate_tui.cli.plan import Plan
    from debate_tui.record.log import DebateStore
    from debate_tui.server.commands import Order
    from debate_tui.session import Session

MAX_DEBATES = 8
"""Debates held at a time: each costs connections, and money."""


def run(
    topic: str | None,
    debaters: tuple[str, ...],
    options: dict[str, object],
    *,
    debate_file: Path | None,
    store: str,
    continued: str | None,
    hosting: Hosting,
) -> int:
    """Serve until a signal ends it; returns the exit code. `continued` is the id of a debate to take up.

    Raises `DebateError` for whatever makes that impossible.
    """
    if debaters:
        options["debater"] = [seat(text) for text in debaters]
    settings = config.load(options, debate_file=debate_file)
    planned = None
    if continued is None and (topic is not None or settings.topic):
        planned = plan(
            topics.read(topic, settings.topic), settings.debater or unnamed(_DEMO, settings), settings
        )
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        return runner.run(_serve(planned, continued, settings, store, hosting))


async def _serve(
    planned: Plan | None, continued: str | None, settings: config.Settings, address: str, hosting: Hosting
) -> int:
    store = open_store(address or config.record_file())
    try:
        # Whether it can be reached is better known now than by the first viewer.
        await store.setup("")
        if continued is not None:
            planned = await taken_up_from(store, continued, settings)
        limits = Limits(hosting.max_viewers, hosting.max_viewers_per_address)
        async with Hub(store, limits) as hub:
            holder = Debates(hub, store, settings)
            async with opened(hub, hosting, holder) as reach:
                stop = asyncio.Event()
                with caught(stop.set) as signal:
                    debate = await holder.begin(planned) if planned else ""
                    _announce(reach, hosting, debate)
                    await stop.wait()
                    await holder.end()
            return 128 + (signal.number or 0)
    finally:
        await store.aclose()


class Debates:
    """The debates held by this server; a `Holder`."""

    def __init__(self, hub: Hub, store: DebateStore, settings: config.Settings) -> None:
        self._hub = hub
        self._store = store
        self._settings = settings
        self._sessions: dict[asyncio.Task[None], Session | None] = {}
        self._planning = asyncio.Lock()
        self._ending = False

    async def hold(self, order: Order) -> str:
        """See `Holder.hold`."""
        ordered = {"format": order.format, "rounds": order.rounds}
        settings = config.replaced(self._settings, {key: value for key, value in ordered.items() if value})
        seats = tuple(
            config.Seat(source=each.source, name=each.name, side=each.side, persona=each.persona)
            for each in order.debaters
        )
        topic = topics.read(order.topic)
        named = seats or settings.debater or unnamed(_DEMO, settings)
        async with self._planning:  # In a thread: the keyring may ask its user for a password first.
            planned = await asyncio.to_thread(plan, topic, named, settings)
        return await self.begin(planned)

    async def begin(self, planned: Plan) -> str:
        """Hold a debate; returns its id once it is hosted. Raises `Conflict` where it cannot be."""
        self._check_going_on()
        if len(self._sessions) >= MAX_DEBATES:
            raise Conflict(f"{MAX_DEBATES} debates are held already.", "Wait for one to end, or stop one.")
        hosted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._hold(planned, hosted))
        self._sessions[task] = None
        task.add_done_callback(lambda done: _settle(done, hosted))
        task.add_done_callback(self._sessions.pop)
        return await hosted

    async def end(self) -> None:
        """End all debates, begin no more, and wait until their ends are recorded."""
        self._ending = True
        for session in self._sessions.values():
            if session is not None:
                session.end()
        if self._sessions:
            await asyncio.wait(tuple(self._sessions))

    def _check_going_on(self) -> None:
        if self._ending:
            raise Conflict("The server is about to stop.", "Order the debate again when it is back.")

    async def _hold(self, planned: Plan, hosted: asyncio.Future[str]) -> None:
        async with staged(planned, unattended=True, on_trouble=complain, store=self._store) as stage:
            self._check_going_on()
            session = stage.session
            debate = session.motion.debate
            self._hub.host(debate, stage.log, session, known=session.transcript.seq)
            task = asyncio.current_task()
            assert task is not None
            self._sessions[task] = session
            if not hosted.done():  # Whoever ordered it may have gone.
                hosted.set_result(debate)
            await session.run()
            await self._hub.told(debate, LAST_WORDS_S)
        if session.blocked_by is not None:
            complain(session.blocked_by)


def _settle(task: asyncio.Task[None], hosted: asyncio.Future[str]) -> None:
    """Whoever waits for a debate to begin is told why it cannot; later the server says why one broke off."""
    error = None if task.cancelled() else task.exception()
    if not hosted.done():
        hosted.cancel() if error is None else hosted.set_exception(error)
    elif isinstance(error, DebateError):
        complain(error)
    elif error is not None:
        context = {"message": "A debate broke off.", "exception": error, "task": task}
        asyncio.get_running_loop().call_exception_handler(context)


_DEMO = ("demo", "demo")


def _announce(reach: Reach, hosting: Hosting, debate: str) -> None:
    where = reach.debate(debate) if debate else f"{reach.url}/debates"
    lines = [f"Hosting debates on {reach.url}", f"  watch             {where}"]
    if reach.access.viewers_need_token:
        if not hosting.viewer_token:
            lines.append(f"  viewers' token    {reach.access.viewer_token}")
        lines.append(f"  a viewer's link   {reach.way_in('viewer')}")
    if not hosting.token:
        lines.append(f"  host's token      {reach.access.host_token}")
    lines.append(f"  the host's link   {reach.way_in('host')}")
    lines.append("Links are good once. Ctrl-C ends everything.")
    print("\n".join(lines), flush=True)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
