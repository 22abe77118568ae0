# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Manifests of others: what is refused before anything is touched, and what is edited."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import manifest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.manifest import Source

SOURCE = Source(
    variable="infra_provisioner_manifest",
    checksum_variable="infra_provisioner_checksum",
    location="/srv/provisioner.yaml",
    checksum="",
    what="a volume provisioner",
    wanted=("Deployment", "StorageClass local"),
)
TEXT = """\
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: local
  annotations: {storageclass.beta.kubernetes.io/is-default-class: "true", kept: "yes"}
provisioner: example.com/local
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: provisioner, namespace: storage, labels: {app: provisioner}}
spec:
  template:
    metadata: {labels: {app: provisioner}}
    spec:
      initContainers: [{name: first, image: busybox}]
      containers: [{name: main, image: "example.com/provisioner:v1"}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: storage}
data:
  helper.yaml: |
    apiVersion: v1
    kind: Pod
    metadata: {name: helper}
    spec: {containers: [{name: helper, image: busybox}]}
  other.yaml: "[no: object"
  script: image busybox
---
"""


def refused(content: str, source: Source = SOURCE) -> str:
    with pytest.raises(CollectionError) as caught:
        manifest.objects(source, content.encode())
    return caught.value.message


def parsed() -> list[dict[str, Any]]:
    return manifest.objects(SOURCE, TEXT.encode())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("# nothing\n---\n", "is empty"),
        ("a: b: c", "is no YAML"),
        ("<html>moved</html>", "document 1 is no Kubernetes object"),
        ("kind: Deployment", "document 1 is no Kubernetes object"),
        (
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: 7}",
            "document 1 is no Kubernetes object",
        ),
        (
            "apiVersion: v1\nkind: Cat\nmetadata: {name: tom}",
            "Cat tom is of a kind that is not installed",
        ),
        (
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}",
            "has no Deployment, StorageClass local",
        ),
    ],
)
def test_what_is_no_such_manifest_is_refused_by_name_with_what_is_allowed(
    content: str, said: str
) -> None:
    message = refused(content)
    assert message.startswith("infra_provisioner_manifest: '/srv/provisioner.yaml'")
    assert said in message
    assert "; allowed" in message


def test_another_checksum_is_refused_before_the_content_is_looked_at() -> None:
    message = refused("<html>", replace(SOURCE, checksum="0" * 64))
    assert message.startswith(
        f"infra_provisioner_checksum: '{'0' * 64}' is not the sha256 of /srv/"
    )
    assert hashlib.sha256(b"<html>").hexdigest() in message


@pytest.mark.parametrize("form", ["{}", "sha256:{}"])
def test_the_right_checksum_is_taken_in_both_forms(form: str) -> None:
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    source = replace(SOURCE, checksum=form.format(digest.upper()))
    assert len(manifest.objects(source, TEXT.encode())) == 3


def test_a_file_is_read_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text(TEXT)
    assert len(manifest.read(replace(SOURCE, location=str(path)))) == 3
    with pytest.raises(
        CollectionError, match="^infra_provisioner_manifest: .* cannot be read: .*allowed: "
    ):
        manifest.read(replace(SOURCE, location=str(tmp_path / "absent.yaml")))


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/it.yaml", "https://[bad/it.yaml"])
def test_a_url_that_does_not_answer_is_named(location: str) -> None:
    with pytest.raises(CollectionError, match="^infra_provisioner_manifest: .* cannot be read: "):
        manifest.read(replace(SOURCE, location=location, checksum="0" * 64))


def test_a_url_without_a_checksum_is_never_asked() -> None:
    with pytest.raises(
        CollectionError, match="^infra_provisioner_checksum: nothing is given for http"
    ):
        manifest.read(replace(SOURCE, location="http://127.0.0.1:1/it.yaml"))


def test_what_tells_that_a_part_is_there_is_made_last_and_all_carries_our_labels() -> None:
    made = manifest.edited(parsed(), {"ours": "yes"}, {})
    assert [one["kind"] for one in made] == ["ConfigMap", "Deployment", "StorageClass"]
    assert all(one["metadata"]["labels"]["ours"] == "yes" for one in made)
    # Its own labels stay, and those of its Pods are nobody's business: a selector cannot be changed.
    assert made[1]["metadata"]["labels"]["app"] == "provisioner"
    assert made[1]["spec"]["template"]["metadata"]["labels"] == {"app": "provisioner"}


def test_images_are_exchanged_in_workloads_and_in_a_helpers_pod_and_nowhere_else() -> None:
    assert manifest.images_of(parsed()) == ["busybox", "example.com/provisioner:v1"]
    images = {"busybox": "mirror.example/busybox:1", "unused": "x"}
    settings, deployment, _storage = manifest.edited(parsed(), {}, images)
    pod = deployment["spec"]["template"]["spec"]
    assert pod["initContainers"][0]["image"] == "mirror.example/busybox:1"
    assert pod["containers"][0]["image"] == "example.com/provisioner:v1"
    helper = yaml.safe_load(settings["data"]["helper.yaml"])
    assert helper["spec"]["containers"][0]["image"] == "mirror.example/busybox:1"
    assert settings["data"]["script"] == "image busybox"
    assert settings["data"]["other.yaml"] == "[no: object"


def test_without_an_exchange_the_text_of_a_helper_stays_as_it_is() -> None:
    before = next(one for one in parsed() if one["kind"] == "ConfigMap")
    after = manifest.edited(parsed(), {}, {"unused": "x"})[0]
    assert after["data"] == before["data"]


@pytest.mark.parametrize("default", [True, False])
def test_a_class_is_the_default_only_where_it_shall_be(default: bool) -> None:
    made = manifest.with_default(parsed(), storage=default, ingress=not default)
    annotations = next(one for one in made if one["kind"] == "StorageClass")["metadata"][
        "annotations"
    ]
    assert annotations["kept"] == "yes"
    assert annotations.get("storageclass.kubernetes.io/is-default-class") == (
        "true" if default else None
    )
    assert "storageclass.beta.kubernetes.io/is-default-class" not in annotations


def test_what_was_given_is_not_changed() -> None:
    given = parsed()
    manifest.edited(
        manifest.with_default(given, storage=True, ingress=True), {"a": "b"}, {"busybox": "x"}
    )
    assert given == parsed()
