# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's programs: what is built, when, and what a failed build leaves."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from roles.lab.files.lab import build
from roles.lab.files.lab.errors import LabError

FAKE_GO = """#!/usr/bin/env python3
import json, os, pathlib, re, sys

with open(os.environ["FAKE_LOG"], "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "env":
    print(json.dumps({"GOMODCACHE": "/nowhere", "GOPROXY": "their-proxy", "GOFLAGS": "-v"}))
elif sys.argv[1] == "mod":
    module = pathlib.Path(os.environ["GOMODCACHE"]) / sys.argv[-1]
    files = ("config/manifests/metallb-native.yaml", "deploy/local-path-storage.yaml")
    for name in (*files, "deploy/crds/a.yaml", "deploy/crds/b.yaml"):
        (module / name).parent.mkdir(parents=True, exist_ok=True)
        (module / name).write_text("kind: List\\n")
    print(json.dumps({"Dir": str(module)}))
else:
    here = pathlib.Path.cwd().name
    pathlib.Path(os.environ["GOCACHE"]).mkdir(parents=True, exist_ok=True)
    text = pathlib.Path("go.mod").read_text()
    block = re.search(r"^tool \\(\\n(.*?)^\\)", text, re.M | re.S)
    tools = block[1].split() if block else re.findall(r"^tool (\\S+)", text, re.M)
    for tool in tools:
        if here == os.environ.get("FAKE_FAILURE"):
            sys.exit("coredns.go:1: undefined: Serve")
        name = re.sub(r"/v\\d+$", "", tool).rpartition("/")[2]
        (pathlib.Path(os.environ["GOBIN"]) / name).write_text(os.environ["GOPROXY"])
"""


@pytest.fixture
def go(tmp_path, monkeypatch):
    """A `go` that notes how it is called and makes empty programs; gives the notes' path."""
    program = tmp_path / "path" / "go"
    program.parent.mkdir()
    program.write_text(FAKE_GO)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "calls"))
    monkeypatch.setattr(build, "ROOM", 0)
    return tmp_path / "calls"


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("component", "programs"),
    [
        (
            "kubernetes",
            {
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kube-proxy",
                "kubelet",
                "kubeadm",
                "kubectl",
            },
        ),
        ("containerd", {"containerd", "containerd-shim-runc-v2", "ctr"}),
        ("etcd", {"server"}),
        ("coredns", {"coredns"}),
        ("metallb", {"controller", "speaker"}),
        ("local-path-provisioner", {"local-path-provisioner"}),
        ("traefik", {"traefik"}),
        ("cert-manager", {"controller"}),
    ],
)
def test_each_pinned_build_makes_the_programs_that_the_lab_runs(component, programs):
    text = (build.SOURCES / component / "go.mod").read_text()
    assert set(build.tool_programs(text)) == programs


def test_one_tool_on_a_line_of_its_own_is_read_too():
    assert build.tool_programs("tool example.org/a/cmd/one\ntool example.org/two/v3\n") == (
        "one",
        "two",
    )


def test_the_version_is_the_one_that_go_mod_requires():
    text = "module x\n\nrequire (\n\texample.org/dns-extra v9.9.9\n\texample.org/dns v1.2.3 // indirect\n)\n"
    assert build.module_version(text, "example.org/dns") == "1.2.3"
    assert build.module_version("require example.org/dns v0.4.0\n", "example.org/dns") == "0.4.0"


def test_a_module_that_go_mod_lacks_is_named():
    with pytest.raises(LabError, match=r"does not require example\.org/dns"):
        build.module_version("module x\n", "example.org/dns")


def test_kubernetes_is_told_its_version_since_kubeadm_refuses_without_it():
    flags = build.linker_flags(build.COMPONENTS[0], "1.36.3")
    assert "-X k8s.io/component-base/version.gitVersion=v1.36.3" in flags
    assert "-X k8s.io/component-base/version.gitMajor=1" in flags
    assert "-X k8s.io/component-base/version.gitMinor=36" in flags


def test_all_is_built_once_and_found_again(cache, go):
    first = build.ensure_binaries(cache, lambda line: None)
    assert first.changed
    assert first.program("kubernetes", "kubelet").is_file()
    assert first.folders["etcd"].name == f"etcd-{first.versions['etcd']}"
    assert first.manifests["metallb"].read_text() == "kind: List\n"

    calls = go.read_text()
    second = build.ensure_binaries(cache, lambda line: None)
    assert not second.changed
    assert second.folders == first.folders
    assert go.read_text() == calls, "the second run called go"


def test_a_component_whose_program_is_gone_is_built_again_and_no_other(cache, go):
    first = build.ensure_binaries(cache, lambda line: None)
    first.program("metallb", "speaker").unlink()
    go.unlink()
    assert build.ensure_binaries(cache, lambda line: None).changed
    assert go.read_text().count("install") == 1
    assert first.program("metallb", "speaker").is_file()


def test_what_no_lab_runs_is_built_only_when_it_is_named(cache, go):
    build.ensure_binaries(cache, lambda line: None)
    assert not list((cache / "bin").glob("cert-manager-*"))
    extra = build.ensure_binaries(cache, lambda line: None, build.EXTRAS)
    assert extra.program("cert-manager", "controller").is_file()
    assert extra.manifests["cert-manager"].read_text().count("kind: List") == 2
    assert "cert-manager" not in build.versions()


def test_go_s_caches_do_not_stay_and_the_user_s_are_not_used(cache, go):
    build.ensure_binaries(cache, lambda line: None)
    assert not (cache / "go-build").exists()
    assert not (cache / "go-mod").exists()


def test_a_failed_build_leaves_nothing_that_looks_finished(cache, go, monkeypatch):
    monkeypatch.setenv("FAKE_FAILURE", "coredns")
    with pytest.raises(LabError) as failed:
        build.ensure_binaries(cache, lambda line: None)
    first, *proof = str(failed.value).splitlines()
    assert first.startswith("Building coredns")
    assert any("undefined: Serve" in line for line in proof)
    assert not list((cache / "bin").glob("coredns-*"))

    monkeypatch.delenv("FAKE_FAILURE")
    assert build.ensure_binaries(cache, lambda line: None).program("coredns", "coredns").is_file()


def test_a_full_disk_is_said_before_anything_is_built(cache, go, monkeypatch):
    monkeypatch.setattr(build, "ROOM", 10**18)
    with pytest.raises(LabError, match=r"needs .* GB of disk"):
        build.ensure_binaries(cache, lambda line: None)
    assert not (cache / "bin").exists()


def test_the_build_says_which_of_how_many_components_it_is_at(cache, go):
    lines: list[str] = []
    build.ensure_binaries(cache, lines.append)
    assert any(line.startswith("build 1 of 7: kubernetes") for line in lines)
    assert any(line.startswith("build 7 of 7: traefik") for line in lines)
