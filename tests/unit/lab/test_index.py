# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's package index: what is served, under which names, and when it is filled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from roles.lab.files.lab import cli, images, index
from roles.lab.files.lab.errors import LabError

WHEELS = {
    "app.txt": ["PyMySQL-1.2.4-py3-none-any.whl", "pydantic_core-2.50.4-cp313-cp313-x.whl"],
    "tools.txt": ["PyMySQL-1.2.4-py3-none-any.whl"],
}


def quiet(_line: str) -> None:
    return None


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that get wheels; what they'd get is there at once."""
    sets = tmp_path / "requirements"
    sets.mkdir()
    for name in WHEELS:
        (sets / name).write_text(f"{name}\n")
    argvs: list[list[str]] = []

    def run(argv: list[str], **_more: object) -> str:
        argvs.append(argv)
        folder = Path(argv[argv.index("--dest") + 1])
        for wheel in WHEELS[Path(argv[argv.index("--requirement") + 1]).name]:
            (folder / wheel).write_text("")
        return ""

    monkeypatch.setattr(index, "REQUIREMENTS", sets)
    monkeypatch.setattr(index, "run", run)
    return argvs


def test_each_wheel_is_served_under_its_project_s_name(tmp_path: Path, asked) -> None:
    assert not index.is_filled(tmp_path)
    assert index.fill(tmp_path, quiet)
    served = index.folder(tmp_path) / "simple"
    assert {str(path.relative_to(served)) for path in served.rglob("*.whl")} == {
        "pymysql/PyMySQL-1.2.4-py3-none-any.whl",
        "pydantic-core/pydantic_core-2.50.4-cp313-cp313-x.whl",
    }
    assert all("--require-hashes" in argv for argv in asked)


def test_a_second_run_gets_nothing_and_another_list_gets_what_it_adds(tmp_path, asked) -> None:
    index.fill(tmp_path, quiet)
    asked.clear()
    assert not index.fill(tmp_path, quiet)
    assert asked == []
    (index.REQUIREMENTS / "app.txt").write_text("another\n")
    assert not index.is_filled(tmp_path)
    assert index.fill(tmp_path, quiet)
    # The wheels of another checkout's list stay.
    (index.REQUIREMENTS / "app.txt").write_text("app.txt\n")
    assert index.is_filled(tmp_path)


def test_what_ends_early_leaves_the_index_unfilled(tmp_path, asked, monkeypatch) -> None:
    def fail(_argv: list[str], **_more: object) -> str:
        raise LabError("no road", ["none"], "look")

    monkeypatch.setattr(index, "run", fail)
    with pytest.raises(LabError):
        index.fill(tmp_path, quiet)
    assert not index.is_filled(tmp_path)


def test_the_index_has_the_wheels_of_the_image_s_python() -> None:
    (image,) = (one for one in images.image_names().values() if "/python:" in one)
    assert re.fullmatch(rf"docker.io/library/python:{index.PYTHON}-slim", image)


def test_the_inventory_of_the_lab_names_the_index() -> None:
    root = Path(__file__).resolve().parents[3]
    text = (root / "inventories" / "lab" / "group_vars" / "kubernetes.yml").read_text()
    assert f"cluster_python_index_url: {index.address(cli.definition())}\n" in text
