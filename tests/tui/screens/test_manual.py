"""The manual on the full screen: scrolling, turning pages, searching."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.tui.screen_options import ScreenOptions
from debate_tui.tui.screens.manual import ManualScreen
from debate_tui.tui.single_screen import SingleScreenApp
from tests.tui.screen_harness import ScreenHarness
from tests.tui.snapshot_cases import SIZES, at_every_size_and_theme

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES = {
    "contents": "# Contents\n\n1. first\n2. second",
    "first": "# First\n\n" + "\n\n".join(f"Paragraph {number} of many." for number in range(1, 101)),
    "second": "# Second\n\nOnly this, and `first` again.",
}

PAGE = """# Models and providers

A model is named as `PROVIDER:MODEL`, see [Keys](https://example.org/keys). Without `:MODEL` the provider's
default model is used, which is **the first** that a local server lists.

## Built-in providers

| name | provider | API | key |
|---|---|---|---|
| `openai` | OpenAI | Responses | `OPENAI_API_KEY` |
| `ollama` | Ollama | Chat Completions | none needed |

```toml
[provider.mine]
base_url = "https://llm.example.com/v1"  # your own
```

- `key_command` prints the key.
- A server that needs no key is asked for its models.
"""


def manual_app(pages: dict[str, str], page: str, options: ScreenOptions) -> SingleScreenApp[None]:
    return SingleScreenApp(ManualScreen(pages, page, options.glyphs), options)


class ManualHarness(ScreenHarness):
    def __init__(self, page: str = "contents", **options: bool) -> None:
        self.app = manual_app(PAGES, page, ScreenOptions(**options))


async def test_a_page_begins_at_its_top_and_scrolls() -> None:
    async with ManualHarness("first").opened(80, 24) as manual:
        assert "First" in manual.rows[2]
        assert "Paragraph 1 of many." in manual.text
        await manual.press("G")
        assert "Paragraph 100 of many." in manual.text
        await manual.press("g", "space")
        assert "Paragraph 1 of many." not in manual.text
        await manual.press("b")
        assert "Paragraph 1 of many." in manual.text


async def test_pages_are_turned_and_chosen_by_number() -> None:
    async with ManualHarness().opened() as manual:
        for keys, title in (
            (["]"], "First"),
            (["G", "]"], "Second"),
            (["]"], "Contents"),
            (["["], "Second"),
            (["1"], "First"),
            (["9"], "First"),
            (["question_mark"], "Contents"),
        ):
            await manual.press(*keys)
            assert title in manual.rows[2]


async def test_a_search_goes_from_match_to_match() -> None:
    async with ManualHarness("first").opened(80, 24) as manual:
        await manual.press("/", *"many")
        assert "100 matches" in manual.text
        assert "esc close the search" in manual.text
        await manual.press("enter")
        assert "1 of 100" in manual.text
        await manual.press("N")
        assert "100 of 100" in manual.text
        assert "Paragraph 100 of many." in manual.text
        await manual.press("n")
        assert "1 of 100" in manual.text
        await manual.press("/", *"x?q")
        assert "no matches" in manual.text
        await manual.press("escape")
        assert "/ search" in manual.text
        await manual.press("n")
        assert "First" in manual.rows[2] or "Paragraph" in manual.text


@pytest.mark.parametrize("size", [(40, 15), *SIZES])
async def test_it_is_there_at_every_size_and_in_ascii(size: tuple[int, int]) -> None:
    async with ManualHarness("first", ascii=True).opened(*size) as manual:
        assert "Paragraph 1 of many." in manual.text
        assert "q quit" in manual.text
        assert manual.text.isascii()


@at_every_size_and_theme
def test_pictures(size: tuple[int, int], theme: str, snap_compare: Callable[..., bool]) -> None:
    app = manual_app({"contents": "# Contents", "page": PAGE}, "page", ScreenOptions(theme=theme))
    assert snap_compare(app, terminal_size=size)
