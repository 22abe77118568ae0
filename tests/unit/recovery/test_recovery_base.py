# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A base that is stored as one file becomes a folder again, and nothing outside of it."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.store import Store
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery import base as bases
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.executor import Executor
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.scratch import Scratch

from tests.unit.binlog.archives import make_archive


def packed(root: Path, *members: tarfile.TarInfo) -> Store:
    """An archive whose base is one tar file of these members."""
    store = Store(make_archive(root, "9.7.4"))
    with tarfile.open(root / "base" / "20260101T000000Z" / "data.tar", "w") as archive:
        for member in members:
            content = io.BytesIO(b"rows") if member.isfile() else None
            archive.addfile(member, content)
    return store


def member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type = kind
    found.size = 4 if kind == tarfile.REGTYPE else 0
    found.linkname = "/etc/passwd"
    return found


def copy(store: Store, into: Path) -> int:
    noted: list[int] = []
    base = replace(store.archive.bases[0], stored="data.tar")
    bases._copy(store, base, into, noted.append)
    return sum(noted)


def test_files_and_folders_come_back(tmp_path: Path) -> None:
    folder = member("data/shop", tarfile.DIRTYPE)
    store = packed(tmp_path / "archive", folder, member("data/shop/carts.ibd"), member("data/ibd"))
    assert copy(store, tmp_path / "into") == 8
    found = {str(path.relative_to(tmp_path / "into")) for path in (tmp_path / "into").rglob("*")}
    assert found == {"shop", "shop/carts.ibd", "ibd"}


@pytest.mark.parametrize(
    "bad",
    [member("../beside"), member("/tmp/absolute"), member("data/link", tarfile.SYMTYPE)],
    ids=["above", "absolute", "a link"],
)
def test_nothing_else_does(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    store = packed(tmp_path / "archive", bad)
    with pytest.raises(CollectionError, match="no file of a data directory"):
        copy(store, tmp_path / "into")
    assert not (tmp_path / "beside").exists()


def test_a_data_directory_that_no_record_tells_of_is_made_anew(tmp_path: Path) -> None:
    """A run that ended, or a volume that was full, after the folder had its name."""
    store = packed(tmp_path / "archive", member("ibdata1"))
    base = replace(store.archive.bases[0], stored="data.tar", method="clone")
    folder = tmp_path / "scratch"
    scratch = Scratch(folder, Executor(folder, str(folder), ("true",), "mysql"))
    for name in ("data", "data.partial"):
        (folder / name).mkdir(parents=True)
        (folder / name / "half").touch()
    bases.restore(store, base, scratch, (), lambda _count: None)
    assert [path.name for path in (folder / "data").iterdir()] == ["ibdata1"]
    assert not (folder / "data.partial").exists()
