# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Kubernetes cluster: objects as the API server writes them (dicts, camelCase keys)."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urlsplit

from ..finding import CollectionError
from ..third_party import require
from . import kinds

Object = dict[str, Any]
# The class below has a method called list.
Objects = list[Object]

REQUEST_TIMEOUT = 30.0
FORBIDDEN = 403
NOT_FOUND = 404
CONFLICT = 409
OK = range(200, 300)
PAGE = 500
LOADING = threading.Lock()
ADVICE: Mapping[int, str] = MappingProxyType(
    {
        0: "\n  next:  See that the API server runs and that the kubeconfig names its address",
        401: "\n  next:  Renew the credentials in the kubeconfig: kubectl auth whoami",
        403: "\n  next:  Ask the cluster's administrator for that right: kubectl auth can-i --list",
    }
)


class KubeError(CollectionError):
    """What an API server, or the road to it, answered instead of a result.

    status: HTTP status, 0 where nothing answered. cluster, operation: what was asked of whom.
    reason: the server's own text.
    """

    def __init__(self, cluster: str, operation: str, status: int, reason: str) -> None:
        what = f"{reason} (HTTP {status})" if status else reason
        advice = ADVICE.get(status, "")
        super().__init__(f"Cannot {operation} on {cluster}: {what}{advice}")
        self.cluster = cluster
        self.operation = operation
        self.status = status
        self.reason = reason


class Cluster:
    """One API server, as one user. Not shared by threads: each opens its own.

    name: what errors call it (context and address). timeout: seconds for one request.
    """

    def __init__(self, api_client: Any, name: str, timeout: float = REQUEST_TIMEOUT) -> None:
        self.api_client = api_client
        self.name = name
        self.timeout = timeout

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object, None where there is none of that name. Raises KubeError."""
        path = kinds.of(kind).path(namespace, name)
        operation = f"read {kind} {_where(namespace, name)}"
        try:
            return self._json("GET", path, operation)
        except KubeError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def list(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
    ) -> Objects:
        """Return the objects of a kind, in one namespace or in all. Raises KubeError.

        labels, fields: selectors as the API takes them. An API that is not served (a CRD that
        is not installed) is an error with status 404; see ``list_if_served``.
        """
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": str(PAGE)}
        path = kinds.of(kind).path(namespace)
        operation = f"list {kind}{' in ' + namespace if namespace else ''}"
        found: Objects = []
        while True:
            answer = self._json("GET", path, operation, query)
            # Items of a list carry no kind; those who read them want to say what they are.
            found.extend({"kind": kind, **item} for item in answer.get("items") or [])
            query["continue"] = (answer.get("metadata") or {}).get("continue") or ""
            if not query["continue"]:
                return found

    def list_if_served(
        self, kind: str, namespace: str | None = None, *, labels: str = ""
    ) -> Objects | None:
        """Return the objects of a kind as ``list`` does, None where the cluster does not know that kind."""
        try:
            return self.list(kind, namespace, labels=labels)
        except KubeError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def serves(self, kind: str) -> bool:
        """Return whether the cluster knows a kind, as everybody may ask. Raises KubeError."""
        where = kinds.of(kind)
        try:
            known = self._json("GET", where.base, f"read what {where.base} serves")
        except KubeError as error:
            if error.status == NOT_FOUND:
                return False
            raise
        return any(one.get("name") == where.plural for one in known.get("resources") or [])

    def create(self, kind: str, body: Mapping[str, Any], namespace: str | None = None) -> Object:
        """Post an object and return the server's answer. Raises KubeError."""
        path = kinds.of(kind).path(namespace)
        return self._json("POST", path, f"create {kind}", body=body)

    def delete(
        self, kind: str, name: str, namespace: str | None = None, *, propagation: str = "Background"
    ) -> bool:
        """Delete an object, and return whether there was one. Raises KubeError.

        propagation: what becomes of what it owns; ``Foreground`` deletes that first.
        """
        path = kinds.of(kind).path(namespace, name)
        operation = f"delete {kind} {_where(namespace, name)}"
        try:
            self._request("DELETE", path, operation, body={"propagationPolicy": propagation})
        except KubeError as error:
            if error.status == NOT_FOUND:
                return False
            raise
        return True

    def patch(
        self, kind: str, name: str, body: Mapping[str, Any], namespace: str | None = None
    ) -> Object:
        """Merge a body into an object and return the server's answer. Raises KubeError.

        A key that is None is removed; a list is replaced as a whole.
        """
        path = kinds.of(kind).path(namespace, name)
        operation = f"patch {kind} {_where(namespace, name)}"
        return self._json("PATCH", path, operation, body=body)

    def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        tail: int = 60,
    ) -> str:
        """Return a container's last log lines, empty where there is no log (any more).

        previous: of the run before the last restart. tail: lines. Raises KubeError.
        """
        query = {"container": container, "tailLines": str(tail)}
        if previous:
            query["previous"] = "true"
        path = kinds.of("Pod").path(namespace, pod) + "/log"
        try:
            text = self._request("GET", path, f"read the log of {namespace}/{pod}", query)
        except KubeError as error:
            # 400: the container has not started, or its previous run is forgotten.
            if error.status in (400, NOT_FOUND):
                return ""
            raise
        # The kubelet says so, with status 200, once the container is removed.
        return "" if text.startswith("unable to retrieve container logs") else text

    def version(self) -> str:
        """Return the API server's version, ``v1.36.3``. Raises KubeError."""
        return str(self._json("GET", "/version", "read the version").get("gitVersion", ""))

    def raw(self, path: str, operation: str) -> str:
        """Return the text that a path of the API answers with, as a proxied kubelet's. Raises KubeError."""
        return self._request("GET", path, operation)

    def host(self) -> str:
        """Return the address of the API server."""
        return str(self.api_client.configuration.host)

    def headers(self) -> dict[str, str]:
        """Return the headers that authenticate a request (secret)."""
        settings = self.api_client.configuration.auth_settings()
        return {
            str(setting["key"]): str(setting["value"])
            for setting in settings.values()
            if setting["in"] == "header" and setting["value"]
        }

    def _json(
        self,
        method: str,
        path: str,
        operation: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Object:
        text = self._request(method, path, operation, query, body)
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise KubeError(self.name, operation, 0, f"not an answer: {text[:80]!r}") from error
        if not isinstance(answer, dict):
            raise KubeError(self.name, operation, 0, f"not an object: {text[:80]!r}")
        return answer

    def _request(
        self,
        method: str,
        path: str,
        operation: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> str:
        """Send one request and return the text of the answer.

        The generated API classes take a second to import; the client's own request does not.
        """
        exceptions = require("kubernetes.client.exceptions")
        failures = require("urllib3.exceptions")
        given = {key: value for key, value in (query or {}).items() if value}
        url = self.host() + path + ("?" + urlencode(given) if given else "")
        headers = {"Accept": "application/json, */*", **self.headers()}
        if body is not None:
            merge = method == "PATCH"
            headers["Content-Type"] = f"application/{'merge-patch+' if merge else ''}json"
        try:
            answer = self.api_client.rest_client.request(
                method,
                url,
                headers=headers,
                body=body,
                _request_timeout=self.timeout,
            )
        except exceptions.ApiException as error:
            reason = _reason(error.body, error.reason)
            raise KubeError(self.name, operation, int(error.status or 0), reason) from error
        except (failures.HTTPError, OSError) as error:
            raise KubeError(self.name, operation, 0, _plain(error)) from error
        text = _text(answer)
        if int(answer.status) not in OK:
            reason = _reason(text, answer.reason)
            raise KubeError(self.name, operation, int(answer.status), reason)
        return text


@dataclass(frozen=True)
class Target:
    """Which cluster a kubeconfig leads to. context: its name there, empty where it has none."""

    context: str
    server: str

    def word(self, namespace: str) -> str:
        """Return what names a namespace of this cluster and of no other: ``mysql@192.0.2.1:6443``."""
        return f"{namespace}@{urlsplit(self.server).netloc or self.server}"


def target(kubeconfig: str | None = None, context: str | None = None) -> Target:
    """Return which cluster ``connect`` would speak to; nothing is sent. Raises CollectionError."""
    server = connect(kubeconfig, context).host()
    _all, current = require("kubernetes.config").list_kube_config_contexts(_path(kubeconfig))
    return Target(context or str((current or {}).get("name") or ""), server)


def _path(kubeconfig: str | None) -> str:
    path = kubeconfig or os.environ.get("K8S_AUTH_KUBECONFIG") or os.environ.get("KUBECONFIG")
    return os.path.expanduser(path or "~/.kube/config")


def connect(
    kubeconfig: str | None = None,
    context: str | None = None,
    timeout: float = REQUEST_TIMEOUT,
) -> Cluster:
    """Return the cluster that a kubeconfig names; nothing is sent yet.

    kubeconfig: a path; without it K8S_AUTH_KUBECONFIG, then KUBECONFIG, then ~/.kube/config.
    Raises CollectionError where the file cannot be used or lacks the context.
    """
    config = require("kubernetes.config")
    yaml_error = require("yaml").YAMLError
    path = _path(kubeconfig)
    try:
        # The library writes credentials to files whose names it hands to other threads too early.
        with LOADING:
            api_client = config.new_client_from_config(config_file=path, context=context or None)
    except (config.ConfigException, yaml_error, OSError, TypeError) as error:
        wanted = f" with context {context!r}" if context else ""
        raise CollectionError(
            f"kubeconfig: {path}{wanted} cannot be used: {_plain(error)};"
            " give the path of a kubeconfig that kubectl accepts"
        ) from error
    host = api_client.configuration.host
    name = f"cluster {context} ({host})" if context else f"cluster {host}"
    return Cluster(api_client, name, timeout)


def _where(namespace: str | None, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def _text(answer: Any) -> str:
    """Return the body: newer clients read it late, older ones have read it."""
    data = answer.read() if answer.data is None else answer.data
    return data.decode(errors="replace") if isinstance(data, bytes) else str(data)


def _reason(body: Any, fallback: Any) -> str:
    """Return the server's message out of a Status object, else the HTTP reason."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        status = json.loads(text)
    except ValueError:
        return str(fallback or text or "no reason given")
    if isinstance(status, dict) and status.get("message"):
        return str(status["message"])
    return str(fallback or "no reason given")


def _plain(error: BaseException) -> str:
    """Return the innermost cause of a network error, without the wrappers' words."""
    inner = getattr(error, "reason", None)
    while isinstance(inner, BaseException):
        error, inner = inner, getattr(inner, "reason", None)
    return " ".join(str(error).split()) or type(error).__name__
