# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a lab remembers, which lab it is, and who may work on it."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path

import pytest

from roles.lab.files.lab import cli, state
from roles.lab.files.lab.errors import LabError

DEFINITION = cli.definition()


def lab(root: Path, name: str = "lab") -> state.Lab:
    return state.open_lab(name, DEFINITION, root)


@pytest.mark.parametrize("name", ["", "Lab", "../other", "1lab", "a" * 17, "a b"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LabError, match="not a name for a lab"):
        lab(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_each_lab_has_a_number_of_its_own_and_a_freed_one_is_used_again(tmp_path: Path) -> None:
    assert [state.ensure_state(lab(tmp_path, name)).index for name in ("a", "b", "c")] == [0, 1, 2]
    (tmp_path / "b" / "state.json").unlink()
    assert state.ensure_state(lab(tmp_path, "d")).index == 1
    assert state.ensure_state(lab(tmp_path, "a")).index == 0


def test_a_lab_of_another_definition_is_told_and_left_alone(tmp_path: Path) -> None:
    state.ensure_state(lab(tmp_path))
    other = state.Lab("lab", tmp_path, replace(DEFINITION, kubernetes="9.9.9"))
    before = (tmp_path / "lab" / "state.json").read_text()
    with pytest.raises(LabError, match=r"another definition(.|\n)*make lab-reset LAB=lab"):
        state.ensure_state(other)
    assert (tmp_path / "lab" / "state.json").read_text() == before


def test_a_new_addon_does_not_make_another_lab(tmp_path: Path) -> None:
    state.ensure_state(lab(tmp_path))
    newer = state.Lab("lab", tmp_path, replace(DEFINITION, traefik="99.0"))
    assert state.ensure_state(newer).index == 0


def test_what_was_remembered_is_read_again(tmp_path: Path) -> None:
    mine = lab(tmp_path)
    noted = replace(state.ensure_state(mine), initialized=True, images={"cp1": ["etcd.tar"]})
    state.remember(mine, noted)
    assert state.read_state(mine) == noted


def test_an_unreadable_state_names_its_file(tmp_path: Path) -> None:
    mine = lab(tmp_path)
    mine.folder.mkdir()
    (mine.folder / "state.json").write_text("{")
    with pytest.raises(LabError, match=r"state\.json"):
        state.read_state(mine)


def test_a_lab_in_use_is_waited_for_and_its_user_named(tmp_path: Path) -> None:
    mine = lab(tmp_path)
    said: list[str] = []
    with (tmp_path / ".lab.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("4711\n")
        file.flush()
        with (
            pytest.raises(LabError, match="process 4711 holds"),
            state.locked(mine, said.append, wait=0),
        ):
            pytest.fail("two commands worked on one lab")
    with state.locked(mine, said.append, wait=0):
        assert not said


def test_a_written_file_is_whole_private_and_only_written_when_it_differs(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    assert state.write_file(file, "one")
    assert not state.write_file(file, "one")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["kubeconfig"]


def test_a_kubeconfig_of_the_users_is_never_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_ON_KUBERNETES_LABS", str(tmp_path / "labs"))
    monkeypatch.setattr(cli.os, "geteuid", lambda: 0)
    theirs = tmp_path / "config"
    theirs.write_text("server: https://example.test:6443\n")
    assert cli.main(["up", "--kubeconfig", str(theirs)]) == 1
    assert "not written over" in capsys.readouterr().out
    assert theirs.read_text() == "server: https://example.test:6443\n"
    assert not (tmp_path / "labs").exists()


def test_without_root_nothing_is_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_ON_KUBERNETES_LABS", str(tmp_path / "labs"))
    monkeypatch.setattr(cli.os, "geteuid", lambda: 1000)
    assert cli.main(["up"]) == 1
    assert "The lab needs root" in capsys.readouterr().out
    assert not (tmp_path / "labs").exists()
