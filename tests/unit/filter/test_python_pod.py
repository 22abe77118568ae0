# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What makes a Pod run our own Python on a public image."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.filter.python_pod import FilterModule
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.plugin_utils import python_pod as pods

CHECKOUT = Path(__file__).resolve().parents[3]
REMOTE = "mysql_on_kubernetes.recovery.remote"


def made(given: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    asked = {"config_map": "code", "modules": [REMOTE], "packages": ["tools"], **more}
    return pods.python_pod(given or {}, **asked)


def installed(pod: dict[str, Any]) -> dict[str, str]:
    (container,) = pod["init_containers"]
    return {one["name"]: one["value"] for one in container["env"]}


def mounted(pod: dict[str, Any], folder: Path) -> None:
    """Write the files of a Pod as its ConfigMap is mounted."""
    code = next(one["configMap"] for one in pod["volumes"] if one["name"] == "python-code")
    for item in code["items"]:
        target = folder / item["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(pod["data"][item["key"]])


ENTRIES = {
    "recovery": ([REMOTE], ["recovery.remote", "recovery.task", "recovery.rows_task"], []),
    "api": (["apps.api.main"], [], []),
    "web": (["apps.web.main"], [], ["apps/web/templates", "apps/web/static"]),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_files_of_a_pod_are_all_that_it_needs(entry: str, tmp_path: Path) -> None:
    """It is started from the files of the ConfigMap alone, as the Pod does."""
    modules, more, data = ENTRIES[entry]
    pod = made(modules=modules, data=data)
    mounted(pod, tmp_path)
    names = [*modules, *(f"mysql_on_kubernetes.{name}" for name in more)]
    # Whatever is imported from our own code comes from there: the checkout is not on its path.
    words = "; ".join(f"import {name}" for name in names)
    argv = [sys.executable, "-B", "-c", words]
    done = subprocess.run(
        argv,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_what_is_imported_inside_of_a_function_comes_too_and_what_only_checkers_read_does_not() -> (
    None
):
    found = pods.modules_needed([REMOTE])
    assert "mysql_on_kubernetes/recovery/rows_task.py" in found
    for path in found:
        # Nothing of the recovery asks a cluster: that is done from outside of the Pod.
        assert not path.startswith("mysql_on_kubernetes/kube/"), path


def test_files_that_are_no_modules_come_by_their_folder() -> None:
    pod = made(modules=["apps.web.main"], packages=["app"], data=["apps/web/templates"])
    assert "apps__web__templates__home.html" in pod["data"]
    with pytest.raises(CollectionError, match="apps/web/nothing holds no file"):
        made(modules=["apps.web.main"], data=["apps/web/nothing"])


def test_the_code_is_known_by_its_checksum(tmp_path: Path, monkeypatch: Any) -> None:
    assert made()["checksum"] == made()["checksum"]
    assert made()["checksum"] != made(packages=["tools", "offsite"])["checksum"]


@pytest.mark.parametrize("name", sorted(path.stem for path in pods.REQUIREMENTS.glob("*.txt")))
def test_each_package_is_pinned_for_both_processors(name: str) -> None:
    text = pods.requirements([name])
    pinned = dict(re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE))
    wanted = re.findall(
        r"^(\S+)==(\S+)", (pods.REQUIREMENTS / f"{name}.in").read_text(), re.MULTILINE
    )
    assert wanted
    for package, version in wanted:
        assert pinned[re.sub(r"[-_.]+", "-", package).lower()] == version
    hashes = {
        entry.partition("==")[0]: entry.count("--hash=sha256:")
        for entry in re.split(r"\n(?=\S)", text)
    }
    assert min(hashes.values()) >= 1
    # Code for a processor is in a wheel of its own for each of both.
    for package in {"cffi", "cryptography", "pydantic-core", "zstandard"} & set(hashes):
        assert hashes[package] >= 2, package


def test_the_packages_are_of_the_releases_that_the_collection_is_tested_with() -> None:
    own = (CHECKOUT / "requirements-dev.txt").read_text().splitlines()
    tested = {line for line in own if "==" in line}
    for path in sorted(pods.REQUIREMENTS.glob("*.in")):
        for line in path.read_text().splitlines():
            name = line.partition("==")[0]
            same = {other for other in tested if other.startswith(f"{name}==")}
            assert same <= {line}, path


def test_sets_are_one_list_with_each_package_once() -> None:
    both = pods.requirements(["app", "tools"])
    names = re.findall(r"^(\S+)==", both, re.MULTILINE)
    assert names == sorted(set(names))
    assert {"zstandard", "fastapi"} <= set(names)
    with pytest.raises(CollectionError, match="apps is no set of packages; there are app, offsite"):
        pods.requirements(["apps"])


def test_the_index_is_the_cluster_s_own_and_each_file_has_its_hash() -> None:
    public = installed(made())
    assert public["PIP_INDEX_URL"] == "https://pypi.org/simple"
    assert "PIP_TRUSTED_HOST" not in public
    own = installed(made({"index_url": "http://192.168.0.1:8080/simple"}))
    assert own["PIP_INDEX_URL"] == "http://192.168.0.1:8080/simple"
    assert own["PIP_TRUSTED_HOST"] == "192.168.0.1:8080"
    script = made()["data"]["install.sh"]
    assert "--require-hashes" in script
    assert "--only-binary :all:" in script


def test_an_index_may_need_a_ca_of_its_own_and_a_proxy() -> None:
    pod = made({"ca": "-----BEGIN", "environment": {"HTTPS_PROXY": "http://proxy:3128"}})
    assert pod["data"]["ca.crt"] == "-----BEGIN"
    assert installed(pod)["PIP_CERT"] == "/python/code/ca.crt"
    assert installed(pod)["HTTPS_PROXY"] == "http://proxy:3128"


def test_a_built_image_asks_no_index() -> None:
    pod = made({"built_image": "registry.example/python:1"})
    assert pod["image"] == "registry.example/python:1"
    assert pod["init_containers"] == []
    assert "requirements.txt" not in pod["data"]
    assert "pypi" not in json.dumps({**pod, "data": {}})
    assert [one["name"] for one in pod["volumes"]] == ["python-code", "python-cache"]


def test_no_container_writes_where_it_must_not() -> None:
    pod = made()
    (container,) = pod["init_containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    writable = [one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")]
    assert writable == ["/python/packages", "/python/cache"]
    writable = [one["mountPath"] for one in pod["volume_mounts"] if not one.get("readOnly")]
    assert writable == ["/python/cache"]


def test_what_is_asked_wrongly_is_named() -> None:
    with pytest.raises(CollectionError, match="indexurl is none of built_image, ca"):
        made({"indexurl": "x"})
    with pytest.raises(CollectionError, match="mysql_on_kubernetes.recovery.remot is no module"):
        made(modules=["mysql_on_kubernetes.recovery.remot"])


def test_templates_find_it() -> None:
    found = FilterModule().filters()["python_pod"]({}, "code", [REMOTE], ["tools"])
    assert found == made()


def test_the_check_gets_all_packages_and_a_built_image_is_looked_into(tmp_path: Path) -> None:
    container = pods.python_check({"index_url": "http://a/simple"}, ["app", "tools"])
    values = {one["name"]: one["value"] for one in container["env"]}
    assert values["PACKAGES"] == pods.requirements(["app", "tools"])
    assert values["PIP_INDEX_URL"] == "http://a/simple"
    built = pods.python_check({"built_image": "registry.example/python:1"}, ["tools"])
    assert built["image"] == "registry.example/python:1"
    listed = built["env"][0]["value"]

    def look(packages: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, *built["command"][1:]]
        environment = {"PACKAGES": packages}
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)

    held = [line for line in listed.splitlines() if line.startswith(("pymysql==", "zstandard=="))]
    assert look("\n".join(held)).returncode == 0
    assert "the image lacks pymysql 0.1 (it has 1.2.4)" in look("pymysql==0.1 \\").stderr
    assert "the image lacks no-such 1.0 (it has none)" in look("no-such==1.0").stderr
