from __future__ import annotations

from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import ingress as causes
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import ingress
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.ingress import IngressState

from tests.unit.kube import objects

Object = dict[str, Any]


def rule(path: str, service: str = "web", port: int = 80, host: str = "") -> Object:
    backend = {"service": {"name": service, "port": {"number": port}}}
    found: Object = {"http": {"paths": [{"path": path, "backend": backend}]}}
    return {**found, "host": host} if host else found


def entry(name: str, *rules: Object, rewrite: str = "", **more: Any) -> Object:
    annotations = {ingress.REWRITE: rewrite} if rewrite else {}
    return {
        "kind": "Ingress",
        "metadata": objects.meta(name, more.pop("namespace", "mysql"), annotations=annotations),
        "spec": {"ingressClassName": "nginx", "rules": list(rules), **more},
    }


WEB = objects.service("web", "mysql", selector={"app": "web"})
READY = {
    "kind": "EndpointSlice",
    "metadata": objects.meta("web-1", labels={"kubernetes.io/service-name": "web"}),
    "endpoints": [{"conditions": {"ready": True}}],
}
NGINX = {"kind": "IngressClass", "metadata": objects.meta("nginx", None), "spec": {}}


def codes(*ingresses: Object, **more: Any) -> list[str]:
    given = {"classes": (NGINX,), "services": (WEB,), "slices": (READY,), **more}
    return [found.code for found in causes.explain(IngressState(ingresses, **given))]


def test_the_courses_paths_as_they_should_be_have_no_cause() -> None:
    plain = entry("web", rule("/"))
    stripped = entry("bucket", rule("/bucket(/|$)(.*)"), rewrite="/$2")
    assert codes(plain, stripped) == []


def test_each_way_to_lead_nowhere_is_named() -> None:
    good = entry("web", rule("/"))
    assert codes(entry("web", rule("/"), ingressClassName="ngnix")) == ["ingress.class_unknown"]
    assert codes(entry("web", rule("/"), ingressClassName=None)) == ["ingress.no_class"]
    assert codes(entry("web", rule("/", "wbe"))) == ["ingress.backend_missing"]
    assert codes(entry("web", rule("/", port=8080))) == ["ingress.backend_port"]
    assert codes(good, slices=()) == ["ingress.no_endpoints"]
    assert codes(entry("web", rule("/", host="192.168.0.251"))) == ["ingress.host_is_ip"]
    assert codes(entry("web", rule("/bucket"), rewrite="/")) == ["ingress.rewrite_flattens"]


def test_two_sites_that_fight_over_a_path_are_named_and_a_host_separates_them() -> None:
    mine, theirs = entry("web", rule("/")), entry("web", rule("/"), namespace="other")
    assert codes(mine, elsewhere=(theirs,)) == ["ingress.path_clash"]
    apart = entry("web", rule("/", host="a.example"), namespace="other")
    assert codes(mine, elsewhere=(apart,)) == []


def test_a_default_class_is_enough() -> None:
    default = {**NGINX, "metadata": {**NGINX["metadata"], "annotations": {}}}
    default["metadata"]["annotations"] = {ingress.DEFAULT_ANNOTATION: "true"}
    assert codes(entry("web", rule("/"), ingressClassName=None), classes=(default,)) == []


def test_a_404_that_the_service_does_not_give_without_the_prefix_lacks_a_rewrite() -> None:
    (one,) = ingress.rules(entry("bucket", rule("/bucket")))
    found = causes.not_found(one, 404, 200)
    assert found is not None
    assert found.code == "ingress.rewrite_missing"
    assert "path /bucket(/|$)(.*), with rewrite-target" not in found.summary
    assert "/bucket(/|$)(.*)" in found.fix
    assert causes.not_found(one, 404, 404) is None
    assert causes.not_found(one, 502, 200) is None
