"""An agent made with the protocol's own package, which is strict about what it is sent."""

from __future__ import annotations

import asyncio
from typing import Any

from acp import Agent, run_agent, update_agent_message_text, update_agent_thought_text
from acp.schema import InitializeResponse, NewSessionResponse, PromptResponse

TEXT = "It depends. Tea, mostly."


class SdkAgent(Agent):
    """Thinks, and says one sentence about the prompt."""

    def on_connect(self, conn: Any) -> None:
        self._client = conn

    async def initialize(self, protocol_version: int, **_: Any) -> InitializeResponse:
        return InitializeResponse(protocol_version=protocol_version)

    async def new_session(self, cwd: str, **_: Any) -> NewSessionResponse:
        return NewSessionResponse(session_id=cwd)

    async def cancel(self, session_id: str, **_: Any) -> None:
        pass

    async def prompt(self, session_id: str, prompt: list[Any], **_: Any) -> PromptResponse:
        await self._client.session_update(session_id, update_agent_thought_text(prompt[0].text))
        for piece in TEXT.split(" "):
            await self._client.session_update(session_id, update_agent_message_text(f"{piece} "))
        return PromptResponse(stop_reason="end_turn")


if __name__ == "__main__":
    asyncio.run(run_agent(SdkAgent()))
