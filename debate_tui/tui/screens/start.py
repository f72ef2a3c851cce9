"""The start screen: a debate is put together from what is at hand, and begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import Screen

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.proposal import Offer, misfit
from debate_tui.tui.screens import offered
from debate_tui.tui.screens.asking import AskScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import Entry
from debate_tui.tui.widgets.explanation import Explanation
from debate_tui.tui.widgets.footer import Footer, Hint
from debate_tui.tui.widgets.line import Lines, Piece, Row
from debate_tui.tui.widgets.masthead import Masthead
from debate_tui.tui.widgets.notice import Notice
from debate_tui.tui.widgets.proposing import Proposing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import Resize
    from textual.geometry import Size
    from textual.widgets import Input

    from debate_tui.domain.debate import Format
    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.proposal import Item, Proposal
    from debate_tui.tui.screens.offered import Offered
    from debate_tui.tui.widgets.pointing import Pointing

LOOKING = "look around"
TAGLINE = "Language models argue, live, side by side"
WIDE = 110
"""Columns from which the explanation stands beside the list."""
ROOMY = 30
"""Rows from which there is air around the topic."""
MAX_TOPIC = 4000

NAMED = ("named by you", "Named by you. Whether it answers is seen when the debate begins.")
_SOURCES = (
    "openai:MODEL   anthropic:MODEL   groq:MODEL   ollama:MODEL",
    "local:FILE.gguf   https://host/path   demo:VOICE",
)


class _Question(Lines):
    """What the line below it is for."""

    inset = 3

    def rows(self, width: int) -> tuple[Row, ...]:
        """The question."""
        return (Row((Piece("What shall they argue about?", bold=True),)),)


class StartScreen(Screen[None]):
    """Begins with `proposal`; `offers` are the sources known from the start.

    `notice` is what is wrong with the program's own files. `choose` is called with the sources that are
    proposed, once the first frame is painted and whenever they are others; `look` then finds more:
    sources, and debaters to propose in place of those of the `proposal`; none if these were made by the user,
    or nothing better was found. `check` raises `DebateError` for a source that cannot be one. `propose` is
    called with what the user wants to begin; if nothing comes of it, `refuse` says why.
    """

    DEFAULT_CSS = """
    StartScreen {
        layout: vertical;
        background: $background;
        color: $foreground;
        overflow: hidden;
    }
    StartScreen #middle { height: 1fr; align-horizontal: center; }
    StartScreen #start { width: 100%; max-width: 136; }
    StartScreen #topic { height: auto; padding: 1 0; }
    StartScreen #topic _Question { height: 1; }
    StartScreen #topic Input, StartScreen #topic Input:focus {
        height: 1;
        margin: 0 1;
        padding: 0 1;
        border: none;
        border-left: outer $surface;
        background: $surface;
    }
    StartScreen #topic Input:focus { border-left: outer $focus; }
    StartScreen.-ascii #topic Input, StartScreen.-ascii #topic Input:focus {
        border-left: none;
        padding: 0 2;
    }
    StartScreen #chosen { layout: vertical; height: 1fr; }
    StartScreen Proposing { width: 1fr; max-height: 100%; }
    StartScreen #explained { height: 1fr; width: 1fr; margin: 1 1 0 1; border-top: solid $faint; }
    StartScreen.-ascii #explained { border-top: ascii $faint; }
    StartScreen Explanation { height: 1fr; }
    StartScreen.-wide #chosen { layout: horizontal; }
    StartScreen.-wide #explained {
        width: 46;
        margin: 0 0 1 0;
        border-top: none;
        border-left: solid $faint;
    }
    StartScreen.-wide.-ascii #explained { border-top: none; border-left: ascii $faint; }
    StartScreen.-roomy #topic { padding: 2 0; }
    StartScreen.-roomy #topic Input, StartScreen.-roomy #topic Input:focus {
        height: 3;
        margin: 1 1 0 1;
        padding: 1 1;
    }
    StartScreen.-roomy.-ascii #topic Input, StartScreen.-roomy.-ascii #topic Input:focus { padding: 1 2; }
    """
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,shift+tab", "other"),
        Binding("down", "list"),
        Binding("escape", "topic"),
    ]

    def __init__(
        self,
        proposal: Proposal,
        offers: Sequence[Offer],
        formats: Sequence[Format],
        glyphs: Glyphs,
        *,
        notice: str = "",
        choose: Callable[[tuple[str, ...]], None],
        look: Callable[[], Awaitable[tuple[Sequence[Offer], tuple[str, ...]]]],
        check: Callable[[str], object],
        propose: Callable[[Proposal], None],
    ) -> None:
        super().__init__()
        self._proposal = proposal
        self._problems = notice
        self._offers = tuple(offers)
        self._formats = {format_.name: format_ for format_ in formats}
        self._glyphs = glyphs
        self._choose = choose
        self._look = look
        self._check = check
        self._propose = propose
        self._untouched = True
        self._begun = False
        self._masthead = Masthead("debate-tui", glyphs)
        self._topic = Entry(
            enter="begin",
            escape="topic",
            placeholder="A question or a motion",
            max_length=MAX_TOPIC,
            select_on_focus=False,
        )
        self._list = Proposing(proposal, self._formats, glyphs)
        self._explanation = Explanation(self._formats, glyphs)
        self._notice = Notice(glyphs)
        self._footer = Footer(glyphs)
        self.set_class(glyphs.thin.isascii(), "-ascii")

    def compose(self) -> ComposeResult:
        """From top to bottom, laid out for the terminal's size from the first frame on."""
        self._fit(self.app.size)
        self._masthead.show(TAGLINE)
        self._topic.value = self._proposal.topic
        yield self._masthead
        with Container(id="middle"), Vertical(id="start"):
            with Vertical(id="topic"):
                yield _Question()
                yield self._topic
            with Container(id="chosen"):
                yield self._list
                with Vertical(id="explained"):
                    yield self._explanation
        yield self._notice
        yield self._footer

    def on_mount(self) -> None:
        """Ask for the topic; look around once the first frame is painted."""
        self.set_focus(self._topic)
        self._show()
        self._notice.say(self._problems, self.app.size.width)
        self.call_after_refresh(self._begin_to_look)

    def on_resize(self, event: Resize) -> None:
        """Use the room there is."""
        self._fit(event.size)

    def _fit(self, size: Size) -> None:
        wide, roomy = size.width >= WIDE, size.height >= ROOMY
        self.set_class(wide, "-wide")
        self.set_class(roomy, "-roomy")
        spare = size.height - ROOMY
        self._masthead.styles.margin = (0, 0, max(0, spare // 4), 0)

    @property
    def proposal(self) -> Proposal:
        """What is proposed now."""
        return self._proposal

    def warn(self, text: str) -> None:
        """Say above the footer what is wrong with the program's own files; nothing, once it is put right."""
        self._notice.say(" ".join(filter(None, (self._problems, text))), self.app.size.width)

    def refuse(self, why: str) -> None:
        """Say why the debate that was proposed cannot begin; the user may change it."""
        self._begun = False
        self._footer.say(one_line(why, 300), Tone.FAILED)

    # What is at hand

    def _begin_to_look(self) -> None:
        self._choose(self._proposal.sources)
        self.run_worker(self._look_around(), name=LOOKING)

    async def _look_around(self) -> None:
        offers, debaters = await self._look()
        known = {offer.source for offer in offers}
        self._offers = (*offers, *(offer for offer in self._offers if offer.source not in known))
        if self._untouched and debaters:
            self._propose_instead(replace(self._proposal, debaters=debaters))
        self._show()

    # What is shown

    def _show(self) -> None:
        self._list.show(self._proposal, self._offers)
        self._explain()

    def _explain(self) -> None:
        item = self._list.item if self._list.has_focus else None
        self._explanation.show(item, self._proposal, self._offers)
        self._footer.show(self._hints(item))

    def _hints(self, item: Item | None) -> tuple[Hint, ...]:
        removable = item is not None and self._proposal.may_lose(item)
        seated = item is not None and item.what == "debater" and bool(self._proposal.source(item))
        choosing = item is not None and item.what != "begin"
        offered = (
            (not choosing, Hint("enter", "begin", "begin", 1)),
            (item is None, Hint("tab", "who and how", "other", 2)),
            (choosing, Hint("←→" if not self.has_class("-ascii") else "left/right", "change", "change", 1)),
            (choosing, Hint("enter", "choose", "open", 2)),
            (seated, Hint("e", "name, side, persona", "edit", 3)),
            (removable, Hint("del", "leave out", "remove", 4)),
            (item is not None, Hint("tab", "topic", "other", 5)),
            (item is not None, Hint("T", "theme", "app.themes", 6)),
            (True, Hint("^q" if item is None else "q", "quit", "app.quit", 0)),
        )
        return tuple(hint for wanted, hint in offered if wanted)

    def _alter(self, proposal: Proposal) -> None:
        self._untouched = self._untouched and proposal.debaters == self._proposal.debaters
        self._propose_instead(proposal)
        self._footer.say("")
        self._show()

    def _propose_instead(self, proposal: Proposal) -> None:
        if proposal.sources != self._proposal.sources:
            self._choose(proposal.sources)
        self._proposal = proposal

    # Keys

    def action_other(self) -> None:
        """From the topic to the list, and back."""
        self.set_focus(self._list if self._topic.has_focus else self._topic)

    def action_list(self) -> None:
        """From the topic down to the list."""
        if self._topic.has_focus:
            self._list.point(0)
            self.set_focus(self._list)

    def action_topic(self) -> None:
        """Back to the topic."""
        self.set_focus(self._topic)

    def action_change(self) -> None:
        """What the right arrow does."""
        self._list.action_change(1)

    def action_open(self) -> None:
        """What Enter does in the list."""
        self._list.action_open()

    def action_edit(self) -> None:
        """What ``e`` does in the list."""
        self._list.action_edit()

    def action_remove(self) -> None:
        """What Delete does in the list."""
        self._list.action_remove()

    def action_begin(self) -> None:
        """Begin the debate that is proposed, if it can be held."""
        if self._begun:
            return
        topic = self._topic.text
        format_ = self._formats.get(self._proposal.format)
        if not topic:
            self.set_focus(self._topic)
            self._footer.say("Say first what they shall argue about", Tone.RECONNECTING)
        elif format_ is not None and (wrong := misfit(format_, len(self._proposal.filled(format_).debaters))):
            self._footer.say(f"{format_.title} {wrong}", Tone.RECONNECTING)
        else:
            self._begun = True
            self._footer.say("Beginning …" if not self.has_class("-ascii") else "Beginning ...")
            self._proposal = replace(self._proposal, topic=topic)
            self._propose(self._proposal)

    # Messages

    def on_input_changed(self, _: Input.Changed) -> None:
        """Nothing is missing any more."""
        self._footer.say("")

    def on_descendant_focus(self) -> None:
        """Explain what has the keys."""
        self._explain()

    def on_pointing_pointed(self, _: Pointing.Pointed) -> None:
        """Explain what is pointed at."""
        self._explain()

    def on_proposing_left(self, _: Proposing.Left) -> None:
        """Above the list is the topic."""
        self.set_focus(self._topic)

    async def on_footer_pressed(self, message: Footer.Pressed) -> None:
        """Do what the key would do."""
        await self.run_action(message.action)

    def on_proposing_asked(self, message: Proposing.Asked) -> None:
        """Change an item, show what is offered for it, or leave it out."""
        item, proposal = message.item, self._proposal
        match message.how:
            case "change":
                self._alter(proposal.changed(item, message.steps, self._offers, [*self._formats]))
            case "remove":
                self._alter(proposal.without(item))
            case "edit":
                self._edit(item)
            case _ if item.what == "begin":
                self.action_begin()
            case _ if item.what == "format":
                self._offer(offered.formats(proposal, self._formats, self._glyphs), item)
            case _ if item.what == "mode":
                self._offer(offered.modes(proposal, self._glyphs), item)
            case _:
                self._offer(offered.sources(proposal, item, self._offers, self._glyphs), item)

    def _offer(self, menu: Offered, item: Item) -> None:
        """Take what is chosen from a menu, or ask for what is not in it."""

        def chosen(place: int | None) -> None:
            if place is not None and place < len(menu.made):
                self._alter(menu.made[place])
            elif place is not None:
                asking = AskScreen(offered.who(item), _SOURCES, self._glyphs, check=self._check)
                self.app.push_screen(asking, typed)

        def typed(source: str | None) -> None:
            if source:
                self._offers = (*self._offers, Offer(source, *NAMED))
                self._alter(self._proposal.with_source(item, source))

        self.app.push_screen(menu, chosen)

    def _edit(self, item: Item) -> None:
        """Give a debater another name, side or persona."""
        if item.what != "debater" or not self._proposal.source(item):
            return

        def chosen(place: int | None) -> None:
            if place is None:
                return
            name, about, _, most = offered.ROLES[place]
            role = self._proposal.role(item.place)

            def typed(text: str | None) -> None:
                if text is not None:
                    self._alter(self._proposal.with_role(item.place, replace(role, **{name: text})))

            title = f"Debater {item.place + 1}: {name}"
            now = getattr(role, name)
            self.app.push_screen(
                AskScreen(title, (about,), self._glyphs, check=_anything, text=now, most=most), typed
            )

        self.app.push_screen(offered.role(self._proposal, item.place, self._glyphs), chosen)


def _anything(text: str) -> None:
    """Whatever is typed can be taken."""
