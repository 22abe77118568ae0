"""Kubernetes objects in the shapes that API servers really give, for unit tests."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def meta(name: str, namespace: str | None = "mysql", **more: Any) -> Object:
    found: Object = {"name": name, "uid": f"uid-{namespace}-{name}", **more}
    if namespace:
        found["namespace"] = namespace
    return found


def pod(
    name: str = "mysql-1-abc",
    namespace: str = "mysql",
    *,
    phase: str = "Running",
    containers: list[Object] | None = None,
    conditions: list[Object] | None = None,
    labels: dict[str, str] | None = None,
    spec: Object | None = None,
    **more: Any,
) -> Object:
    statuses = [container()] if containers is None else containers
    ready = all(one.get("ready") for one in statuses) and phase == "Running"
    return {
        "kind": "Pod",
        "metadata": meta(name, namespace, labels=labels or {}, **more),
        "spec": {"nodeName": "worker1", "containers": [{"name": "mysql"}], **(spec or {})},
        "status": {
            "phase": phase,
            "containerStatuses": statuses,
            "conditions": conditions or [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


def container(name: str = "mysql", **more: Any) -> Object:
    return {
        "name": name,
        "image": "docker.io/library/mysql:9.7",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        **more,
    }


def waiting(reason: str, message: str = "", **more: Any) -> Object:
    state = {"waiting": {"reason": reason, "message": message}}
    return container(ready=False, started=False, state=state, **more)


def crashed(exit_code: int = 1, restarts: int = 3, reason: str = "Error") -> Object:
    return waiting(
        "CrashLoopBackOff",
        "back-off 40s restarting failed container",
        restartCount=restarts,
        lastState={"terminated": {"exitCode": exit_code, "reason": reason}},
    )


def event(about: Object, reason: str, message: str, kind: str = "Warning") -> Object:
    of = about["metadata"]
    return {
        "kind": "Event",
        "metadata": meta(f"{of['name']}.{reason}", of.get("namespace")),
        "involvedObject": {"kind": about["kind"], "name": of["name"], "uid": of["uid"]},
        "reason": reason,
        "message": message,
        "type": kind,
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }


def claim(name: str = "mysql-1", *, phase: str = "Pending", **spec: Any) -> Object:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": meta(name),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "4Gi"}},
            "storageClassName": "local-path",
            **spec,
        },
        "status": {"phase": phase},
    }


def volume(name: str = "pv-1", *, phase: str = "Available", **spec: Any) -> Object:
    return {
        "kind": "PersistentVolume",
        "metadata": meta(name, None),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "10Gi"},
            "storageClassName": "local-path",
            **spec,
        },
        "status": {"phase": phase},
    }


def storage_class(name: str = "local-path", *, default: bool = False, **more: Any) -> Object:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "kind": "StorageClass",
        "metadata": meta(name, None, annotations=annotations, creationTimestamp="2026-01-01"),
        "provisioner": "rancher.io/local-path",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
        **more,
    }


def deployment(name: str = "mysql-1", *, replicas: int = 1, **status: Any) -> Object:
    return {
        "kind": "Deployment",
        "metadata": meta(name, generation=2),
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}},
        "status": {"observedGeneration": 2, **status},
    }


def service(
    name: str = "ingress",
    namespace: str = "ingress",
    *,
    holds: str = "",
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> Object:
    status: Object = {"loadBalancer": {"ingress": [{"ip": holds}]} if holds else {}}
    return {
        "kind": "Service",
        "metadata": meta(name, namespace, annotations=annotations or {}),
        "spec": {
            "type": "LoadBalancer",
            "selector": {"app.kubernetes.io/name": "ingress-nginx"},
            "ports": [{"port": 80, "protocol": "TCP"}],
            **spec,
        },
        "status": status,
    }
