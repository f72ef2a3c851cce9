"""Markdown to test with: every construct of the dialect by example, and generated text full of its signs."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hypothesis import strategies as st

from tests.cutting import cut_at

EXAMPLES = (
    "",
    "\n\n",
    "plain words\nover two lines\n",
    "hard  \nbreak\\\nand another",
    "# One\n## Two ##\n###### Six\n####### seven is text\n#no heading\n",
    "One\n===\n\nTwo\nlines\n---\n",
    "***\n---\n_ _ _\n- - -\n",
    "    indented\n\n      code\n\n\nend\n",
    "```python\ndef f():\n    return 1\n```\n",
    "~~~\n```\n~~~~\nafter\n",
    "````\n```\n````\n```` not `code` fence\n",
    "```js\nnever closed\n\n  indented\n",
    "   ```\n  two less\n     two more\n   ```\n",
    "> quote\n> goes on\nlazily\n\n> another\n>\n> with two paragraphs\n",
    "> - list\n>   in quote\n> > quote in quote\n>\nend\n",
    ">\n> \n>empty\n",
    "- one\n- two\n\n  two goes on\n- three\n",
    "- one\n  - nested\n    - deeper\n  - again\n* another list\n+ and another\n",
    "7. seven\n8. eight\n1) other\n2) sign\n",
    "1. one\n1. two\n1. three\n\n       code in three\n",
    "-\n- \n-\n\n- after blank\n",
    "- # heading\n- ```\n  fence\n  ```\n- > quote\n- ***\n",
    "- [ ] to do\n- [x] done\n- [X] done too\n- [y] not a task\n1. [ ] numbered\n",
    "text\n- interrupts\n2. does not\n1. does\n",
    "- a\n\n\n- b\n\n\nparagraph\n\n- c\n",
    "-     code in item\n-  two blanks\n",
    "| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 |\n| 4 | 5 | 6 |\nend\n\nparagraph\n",
    "text above\n| a |\n|---|\n| `x \\| y` | \n> ends it\n",
    "a | b\n-|-\n\n1|2\n",
    "| no |\n| table |\n| - | - |\n",
    "- table\n\n  a | b\n  --|--\n  1 | 2\n",
    "*em* **strong** ***both*** _em_ __strong__ snake_case_word 2*3*4\n",
    "**not closed, *nor this\n",
    "~~gone~~ ~one~ ~~~three~~~\n",
    "`code` ``with ` tick`` ` not closed\n",
    "[link](https://example.com 'title') [no](javascript:alert(1)) [ref][1] [alone]\n\n[1]: https://example.org\n",
    "![image](a.png) <https://auto.link> <mail@example.com> https://bare.link/a_b_c.\n",
    "&amp; &copy; &#35; &nosuch; \\* \\a\n",
    "<b>raw</b> <script>alert(1)</script>\n\n<div>\nblock\n</div>\n",
    "日本語の文章は単語の間に空白がない。だから、行はどこでも折り返せる。\n",
    "emoji 👩‍👩‍👧‍👦 👍🏽 🇩🇪 ❤️ 1️⃣ e\u0301 zero\u200bwidth\n",
    "a\tb\n\tcode by tab\n-\titem by tab\n\n\titem's own\n",
    "word" * 60 + "\n" + "-" * 90 + "\n",
    "> " * 12 + "deep\n" + "- " * 12 + "deeper\n",
    "so \\(x_1 *y* z_2\\) and \\[ a \\\\ b \\], $$ c *d* $$ and \\(open *e*\n",
    "text\n\\[\na\n- b\n= c\n===\n\\]\nmore\n$$ *one* line $$\n$$ not *one* $$ of its own\n",
    "- item\n  $$\n  a | b\n  --|--\n\n  \\[ x\n  # y \\] with *more*\n> \\[\n> a\nb\n\n\\[\n> c\n",
    "- \\[ ] open\n- \\[x] done\n\n\\[1\\] and $5 or $$6, \\\\(a\\\\)\n\n$$\n    a\n``` \n",
    "a<br>b <br/>\nc<BR /> d<br x>`<br>`<br \n",
    "| a<br>x | b |\n|---|--:|\n| one<br/>two | \\(_c_\\)<br> |\n",
    "これは**「強調」**の例、**强调。**后文、**“引用”**后。~~「消」~~の*（斜）*体\n",
)

ALL = 1 << 30
"""More lines than any document has."""

BLOCK_SIGNS = ("- ", "* ", "1. ", "2) ", "> ", "    ", "  ", " ", "#", "## ", "```", "~~~", "---", "===")

_PIECES = (
    *(*BLOCK_SIGNS, " ", "```py\n"),
    *("$$", "$$\n", "\\(", "\\)", "\\[", "\\[\n", "\\]", "$", "<br>", "<br />", "」", "\\(a_b_c*d*\\)"),
    *("|", "a|b", "|-|-|", "|a|b|", "\n", "\n", "\n", "\n\n", "\t", "[ ] ", "[x] ", "1", "."),
    *(
        "`",
        "``",
        "**",
        "*",
        "_",
        "__",
        "~~",
        "\\",
        "[a](http://b.c)",
        "[",
        "](",
        "]",
        "(",
        ")",
        "![i](j.png)",
    ),
    *("<http://x.y>", "<", "&amp;", "&", "https://u.v/w_x", "!", "foo", "bar baz", "longer words here"),
    *("日本語", "文字", "。", "「", "é", "e\u0301", "👨‍👩‍👧", "🇩🇪", "❤️", "\u200b", "\ufe0f", "\u200d"),
)

markdown = st.lists(st.sampled_from(_PIECES), max_size=40).map("".join)
"""Text in which everything can happen next to everything."""

widths = st.sampled_from((1, 4, 5, 9, 16, 24, 40, 78))


def cuts(text: str) -> st.SearchStrategy[list[str]]:
    """The text cut into pieces."""
    return st.lists(st.integers(0, len(text)), max_size=12).map(lambda places: cut_at(text, places))


_EXAMPLE = re.compile(r"^(`{32}) example\n(?P<markdown>.*?)^\.\n.*?^\1$", re.MULTILINE | re.DOTALL)


def specification() -> list[str]:
    """The examples of the CommonMark specification, where `COMMONMARK_SPEC` names its ``spec.txt``.

    Its licence is not the project's, so that it is fetched by who wants it: npm's ``commonmark-spec``.
    """
    path = os.environ.get("COMMONMARK_SPEC")
    if not path:
        return []
    text = Path(path).read_text("utf-8")
    return [found["markdown"].replace("→", "\t") for found in _EXAMPLE.finditer(text)]
