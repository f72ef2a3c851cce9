"""The built wheel, unpacked where neither the repository nor an editable install is in sight, is complete."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="no checkout to compare with")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(site: Path, *arguments: str) -> str:
    """Run Python on what was unpacked: its folder comes first, before the repository."""
    command = [sys.executable, "-P", *arguments]
    done = subprocess.run(
        command, cwd=site, env={"PYTHONPATH": str(site), "HOME": str(site)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_that_is_data_comes_along(unpacked: Path) -> None:
    data = {".toml", ".tcss", ".typed", ".html", ".css", ".js", ".svg", ".json", ".md"}
    committed = subprocess.run(
        ["git", "ls-files", "debate_tui", "themes"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    expected = {
        name if name.startswith("debate_tui/") else f"debate_tui/{name}"
        for name in committed
        if Path(name).suffix in data
    }
    packed = {
        str(file.relative_to(unpacked))
        for file in unpacked.rglob("*")
        if file.suffix in data and "info" not in str(file)
    }
    assert expected <= packed
    assert any(name.startswith("debate_tui/themes/") for name in packed)


def test_nothing_that_is_not_the_program_comes_along(unpacked: Path) -> None:
    assert {file.name.split("-")[0] for file in unpacked.iterdir()} == {"debate_tui"}


def test_it_runs(unpacked: Path) -> None:
    where = run(unpacked, "-c", "import debate_tui; print(debate_tui.__file__)").strip()
    assert Path(where).is_relative_to(unpacked)
    assert "oxford" in run(unpacked, "-m", "debate_tui", "formats")


def test_it_finds_its_themes(unpacked: Path) -> None:
    code = "from debate_tui.tui import themes; print(themes.bundled_folder())"
    folder = Path(run(unpacked, "-c", code).strip())
    assert folder.is_relative_to(unpacked)
    assert {file.name for file in folder.glob("*.toml")} == {
        file.name for file in (REPOSITORY / "themes").glob("*.toml")
    }
