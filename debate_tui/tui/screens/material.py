"""The debate's material beside the panes: what the debaters were given to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.errors import DebateError
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.key_hints import material_hints
from debate_tui.tui.screens.debate_view import Controller
from debate_tui.tui.styles import Tone

if TYPE_CHECKING:
    from debate_tui.tui.screens.debate_view import DebateView
    from debate_tui.tui.widgets.footer import KeyHint
    from debate_tui.tui.widgets.material_panel import MaterialPanel
    from debate_tui.tui.widgets.turn_text import TurnText


class MaterialController(Controller):
    """The keys that open and read the material, whose panel is made when it is first needed."""

    def __init__(self, view: DebateView) -> None:
        self._view = view
        self._panel: MaterialPanel | None = None
        self._is_loaded = False

    @property
    def text(self) -> TurnText | None:
        """The page with all texts, if it was made."""
        return self._panel.text if self._panel is not None else None

    def hints(self) -> tuple[KeyHint, ...]:
        """Return the hints while the panel has the focus."""
        if self._panel is None or self._view.screen.focused is not self._panel.text:
            return ()
        return material_hints(several=len(self._view.transcript.material) > 1)

    async def action_toggle(self) -> None:
        """Open the panel, or close it."""
        if self.close():
            return
        await self.prepare()
        if self._panel is None:
            self._view.show_message("This debate has no material")
        self._view.panes.open_panel()

    def action_choose(self, steps: int) -> None:
        """Go to the next text, or to the previous one with `steps` of −1."""
        if self._panel is not None:
            self._panel.choose(steps)

    def close(self) -> bool:
        """Close the panel; return whether it was open."""
        is_open = self._view.panes.has_panel
        if is_open:
            self._view.panes.close_panel()
        return is_open

    async def prepare(self) -> None:
        """Make the panel, if the debate has material, and start to read the texts unless they were read."""
        infos = self._view.transcript.material
        if self._panel is None and infos:
            from debate_tui.tui.widgets.material_panel import MaterialPanel

            self._panel = MaterialPanel(infos, self._recipient_name, self._view.glyphs)
            await self._view.panes.add_panel(self._panel)
        if self._panel is not None and not self._is_loaded:
            self._view.screen.run_worker(
                self._load(self._panel), name="material", exclusive=True, group="material"
            )

    def _recipient_name(self, debater: str) -> str:
        """Return the name of the only debater who gets a text, unless it would give that debater away."""
        is_blind = self._view.transcript.is_blind
        return "one debater" if is_blind else self._view.debater_name(debater) or one_line(debater)

    async def _load(self, panel: MaterialPanel) -> None:
        self._is_loaded = True
        try:
            await panel.load(await self._view.follower.read_material())
        except DebateError as error:
            self._is_loaded = False
            message = one_line(f"{error.message} {error.hint}")
            panel.show_problem(message)
            self._view.show_message(message, Tone.FAILED)
