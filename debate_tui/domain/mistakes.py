"""What is wrong with a value, told so that it can be put right: where it stands, and what would be right.

Files, options and variables are told of in the same words. Apart from `toml`, since most of them are right,
and no start of the program should wait for this.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import inspect

from debate_tui.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str | int, ...]

_AT = re.compile(r" - at `(?:key in )?\$(?P<path>.*)`$")
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_INVALID = re.compile(r"Invalid enum value '(.*)'")
_SYNTAX = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column \d+\)$")
_HEADER = re.compile(r"\s*(?P<open>\[\[?)(?P<keys>[^\[\]]+)\]")
_ASSIGNMENT = re.compile(r"""\s*(?P<keys>(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=""")
_NUMBER = r"(\S+?)(?:\.0)?(?=,|$)"
_BOUNDS = {
    " of length <= ": r" of at most \1 characters",
    " of length >= ": r" of at least \1 characters",
    " <= ": r" of at most \1",
    " >= ": r" of at least \1",
    " > ": r" above \1",
    " < ": r" below \1",
}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}
_KIND = re.compile(rf"`(?P<names>(?:{'|'.join(_KINDS)})(?: \| (?:{'|'.join(_KINDS)}))*)`")


def syntax(problem: str, text: str, where: str) -> ConfigError:
    """The error for what `tomllib` says of a text; `where` names the file."""
    found = _SYNTAX.match(problem)
    if found is None:
        last = len(text.splitlines()) or 1
        what = problem.removesuffix(" (at end of document)")
        return ConfigError(f"{where}:{last}: {what}", "The file is not valid TOML up to its end.")
    return ConfigError(f"{where}:{found['line']}: {found['what']}", "This line is not valid TOML.")


def mismatch(problem: str, text: str, type_: object, where: str) -> ConfigError:
    """The error for what msgspec says of a text's values: where they stand, and what would be right."""
    path, problem = _located(problem)
    problem, hint = _worded(problem, type_, path, f"`{_key(path)}`" if path else "")
    return ConfigError(f"{where}:{_line(text, path)}: {problem}", hint)


def unfit(problem: str, value: object, type_: object, subject: str) -> tuple[str, str]:
    """The message and the hint for what msgspec says of one value; `subject` is what it was given as."""
    path, problem = _located(problem)
    for step in path:
        value = value[step]  # type: ignore[index]
    if path:
        subject = f"{subject}: `{_key(path)}`"
    problem, hint = _worded(problem, type_, path, subject)
    if ": expected " in problem:
        problem = f"{problem.partition(', got ')[0]}, got `{value}`"
    return f"{problem}.", hint


def _located(problem: str) -> tuple[Path, str]:
    """Where in a value msgspec found a problem, and the problem; a key that nobody knows is a place too."""
    path: Path = ()
    if at := _AT.search(problem):
        problem = problem[: at.start()]
        steps = _STEP.finditer(at["path"])
        path = tuple(int(step["index"]) if step["index"] else step["key"] for step in steps)
    unknown = _UNKNOWN.match(problem)
    return ((*path, unknown[1]) if unknown else path), problem


def _worded(problem: str, type_: object, path: Path, subject: str) -> tuple[str, str]:
    """The problem in plain words, and what would be right."""
    whole = inspect.type_info(type_)
    if unknown := _UNKNOWN.match(problem):
        known = [field.encode_name for field in getattr(_type_at(whole, path[:-1]), "fields", ())]
        return f"unknown key `{unknown[1]}`", _nearest(unknown[1], known)
    if missing := _MISSING.match(problem):
        return f"the key `{missing[1]}` is missing", ""
    if invalid := _INVALID.match(problem):
        known = [str(value) for value in getattr(_type_at(whole, path), "values", ()) if value != ""]
        return f"{subject} cannot be `{invalid[1]}`", _nearest(invalid[1], known)
    return f"{subject}: {_plain(problem)}" if subject else _plain(problem), ""


def _plain(problem: str) -> str:
    for bound, words in _BOUNDS.items():
        problem = re.sub(bound + _NUMBER, words, problem)
    problem = _KIND.sub(_kinds, problem)
    return problem[:1].lower() + problem[1:]


def _kinds(found: re.Match[str]) -> str:
    names = found["names"].split(" | ")
    wanted = [name for name in names if name != "null"] or names
    return " or ".join(_KINDS[name] for name in wanted)


def _key(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _nearest(wrong: str, known: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(wrong, known, n=1)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Known here: {', '.join(known)}." if known else ""


def _type_at(type_: object, path: Path) -> object:
    """What is known of the type expected at `path`; of a union, the choice that knows the way there."""
    if (described := getattr(type_, "type", None)) is not None:  # an `Annotated` type
        return _type_at(described, path)
    if choices := getattr(type_, "types", ()):
        found = (_type_at(choice, path) for choice in choices)
        return next((choice for choice in found if choice is not None), None)
    if not path:
        return type_ if hasattr(type_, "fields") or hasattr(type_, "values") else None
    step, *rest = path
    if isinstance(step, int):
        return _type_at(getattr(type_, "item_type", None), tuple(rest))
    for field in getattr(type_, "fields", ()):
        if field.encode_name == step:
            return _type_at(field.type, tuple(rest))
    return None


def _line(text: str, path: Path) -> int:
    """The line `path` stands on, from 1; that of the nearest table around it if it has none of its own."""
    lines: dict[Path, int] = {}
    for found, number in _places(text):
        lines.setdefault(found, number)
    return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1)


def _places(text: str) -> Iterator[tuple[Path, int]]:
    """Every table header and key of a TOML text with its line."""
    table: Path = ()
    counts: dict[Path, int] = {}
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            if inside in line:
                inside = ""
            continue
        if header := _HEADER.match(line):
            table = _resolve(_keys(header["keys"]), counts, array=header["open"] == "[[")
            for end in range(1, len(table) + 1):
                yield table[:end], number
        elif assignment := _ASSIGNMENT.match(line):
            keys = _keys(assignment["keys"])
            for end in range(1, len(keys) + 1):
                yield (*table, *keys[:end]), number
            value = line[assignment.end() :]
            inside = next((mark for mark in ('"""', "'''") if value.count(mark) == 1), "")


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _resolve(keys: tuple[str, ...], counts: dict[Path, int], *, array: bool) -> Path:
    """The path of a table header, with the number of the element for every array of tables on the way."""
    path: Path = ()
    for place, key in enumerate(keys, 1):
        path = (*path, key)
        if array and place == len(keys):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
