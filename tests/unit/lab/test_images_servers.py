# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Server trees: one stable path a version, replaced only while no server runs in it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest

from roles.lab.files.lab import images, servers


class FakeStore:
    def load(self, name, archive, report):
        return None

    def unpack(self, name, folder, report):
        (folder / "srv").mkdir(parents=True)


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Makes the trees as if the images had this content."""
    content = {"key": "one"}

    def ensure(names, folders, cache, report):
        return images.Images(
            {
                name: Path(f"{name.replace(':', '-').rpartition('/')[2]}-{content['key']}.tar")
                for name in names
            },
            False,
        )

    @contextmanager
    def storage(cache):
        yield FakeStore()

    monkeypatch.setattr(images, "ensure", ensure)
    monkeypatch.setattr(servers, "storage", storage)

    def trees(key: str, report=lambda line: None) -> servers.Trees:
        content["key"] = key
        return servers.ensure_server_trees(tmp_path, report)

    return trees


def test_trees_are_made_once_under_a_path_that_stays(make, tmp_path):
    first = make("one")
    assert first.changed
    assert first["9.7"] == tmp_path / "servers" / "mysql-9.7"
    assert (first["8.0.15"] / "srv").is_dir()
    assert not make("one").changed


def test_a_new_image_replaces_the_tree_and_the_old_one_goes(make, tmp_path):
    make("one")
    (tmp_path / "servers" / "mysql-9.7" / "srv" / "old").mkdir()
    second = make("two")
    assert second.changed
    assert not (second["9.7"] / "srv" / "old").exists()
    assert not (tmp_path / "servers" / "mysql-9.7-one").exists()


def test_a_tree_where_a_server_runs_stays_in_its_place(make, tmp_path, monkeypatch):
    make("one")
    running = tmp_path / "servers" / "mysql-9.7-one"
    monkeypatch.setattr(servers, "_in_use", lambda tree: tree.resolve() == running)
    said: list[str] = []
    trees = make("two", said.append)
    assert trees["9.7"].resolve() == running
    assert trees["8.0.15"].resolve().name == "mysql-8.0.15-two"
    assert any("a server runs in" in line for line in said)

    monkeypatch.setattr(servers, "_in_use", lambda tree: False)
    assert make("two")["9.7"].resolve().name == "mysql-9.7-two"
    assert not running.exists()


def test_this_test_s_own_root_counts_as_in_use():
    assert servers._in_use(Path("/"))
