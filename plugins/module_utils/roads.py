# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Roads to MySQL: TCP, a Unix socket, or a Pod. The only code that joins kube and mysql.

The argument specs here are documented by the fragments ``mysql``, ``instances``, ``kubernetes``
and ``findings``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from .causes import kube as kube_causes
from .finding import CollectionError, Finding
from .kube import client, pods, portforward
from .mysql.connection import Connection, MysqlError, connect_socket, connect_tcp, connect_unix

Spec = dict[str, Any]

ROADS = ("login_host", "login_unix_socket", "pod")
POD_NAMES = ("name", "deployment", "service")
DEFAULT_USER = "root"
DEFAULT_TIMEOUT = 10
DEFAULT_PORT = 3306
POLL = 0.5
# What an API server says that does not reach the kubelet of a node.
DIALING = "dialing backend"


def kubernetes_argument_spec() -> Spec:
    """Return the options of the fragment ``kubernetes``."""
    return {"kubeconfig": {"type": "path"}, "context": {"type": "str"}}


def findings_argument_spec() -> Spec:
    """Return the options of the fragment ``findings``."""
    return {"language": {"type": "str", "choices": ["en", "ko"], "default": "en"}}


def cluster_argument_spec(*, reads: bool = False) -> Spec:
    """Return the options of the fragment ``cluster``, with reads those of ``cluster.reads``."""
    services = {"write_service": {"type": "str", "default": "mysql-write"}}
    if reads:
        services["read_service"] = {"type": "str", "default": "mysql-read"}
    return {
        "namespace": {"type": "str", "required": True},
        "cluster": {"type": "str", "default": "mysql"},
        **services,
    }


def login_argument_spec() -> Spec:
    """Return who logs in, and for how long it is tried (part of ``mysql`` and ``instances``)."""
    return {
        "login_user": {"type": "str", "default": DEFAULT_USER},
        "login_password": {"type": "str", "no_log": True},
        "connect_timeout": {"type": "int", "default": DEFAULT_TIMEOUT},
    }


def mysql_argument_spec() -> Spec:
    """Return the options of the fragment ``mysql``: one instance. See also ``mysql_rules``."""
    return {**login_argument_spec(), **_road_spec()}


def mysql_rules() -> Spec:
    """Return what AnsibleModule needs beside ``mysql_argument_spec``: exactly one road."""
    return {"mutually_exclusive": [list(ROADS)], "required_one_of": [list(ROADS)]}


def instance_argument_spec() -> Spec:
    """Return the suboptions of one named instance; what it leaves out comes from the module."""
    return {
        "name": {"type": "str", "required": True},
        "login_user": {"type": "str"},
        "login_password": {"type": "str", "no_log": True},
        "connect_timeout": {"type": "int"},
        **_road_spec(),
        **kubernetes_argument_spec(),
    }


def instance_option(*, required: bool = False) -> Spec:
    """Return an option that is one instance, such as ``primary`` or ``source_instance``."""
    return {
        "type": "dict",
        "required": required,
        "options": instance_argument_spec(),
        **mysql_rules(),
    }


def instances_option(*, required: bool = True) -> Spec:
    """Return an option that is a list of instances, such as ``instances`` or ``replicas``."""
    return {**instance_option(required=required), "type": "list", "elements": "dict"}


def instances_argument_spec(*, required: bool = True) -> Spec:
    """Return the options of the fragment ``instances``: the list, and what its members share."""
    return {"instances": instances_option(required=required), **login_argument_spec()}


def instance_params(params: Mapping[str, Any], instance: Mapping[str, Any]) -> dict[str, Any]:
    """Return an instance's options, completed by the module's own where it leaves them out."""
    shared = (
        "login_user",
        "login_password",
        "connect_timeout",
        "kubeconfig",
        "context",
        "language",
    )
    given = {key: value for key, value in instance.items() if value is not None}
    fallback = {key: params[key] for key in shared if params.get(key) is not None}
    return {**fallback, **given}


def connect_instance(
    params: Mapping[str, Any],
    instance: Mapping[str, Any],
    *,
    database: str | None = None,
    local_infile: bool = False,
) -> Connection:
    """Connect to one member of ``instances``. Raises as ``connect`` does, naming the instance."""
    completed = instance_params(params, instance)
    try:
        return connect(completed, database=database, local_infile=local_infile)
    except MysqlError as error:
        error.message = f"{instance.get('name')}: {error.message}"
        raise
    except CollectionError as error:
        message = f"{instance.get('name')}: {error.message}"
        raise CollectionError(message, error.findings, error.details) from error


def connect(
    params: Mapping[str, Any],
    *,
    database: str | None = None,
    local_infile: bool = False,
) -> Connection:
    """Return a session of the instance that the options name, over whichever road.

    params: options of the fragment ``mysql`` (and ``kubernetes`` for a Pod).
    Raises MysqlError where MySQL or the network refuses, CollectionError with findings where
    the Pod is not there, and CollectionError for options that name no road or two.
    """
    road = _road(params)
    login: dict[str, Any] = {
        "user": params.get("login_user") or DEFAULT_USER,
        "password": params.get("login_password"),
        "database": database,
        "connect_timeout": float(params.get("connect_timeout") or DEFAULT_TIMEOUT),
        "local_infile": local_infile,
    }
    if road == "pod":
        return _connect_pod(params, login)
    if road == "login_unix_socket":
        return connect_unix(str(params["login_unix_socket"]), **login)
    return connect_tcp(
        str(params["login_host"]), int(params.get("login_port") or DEFAULT_PORT), **login
    )


def target(pod: Mapping[str, Any]) -> portforward.Target:
    """Return the port-forward's target that the option ``pod`` names. Raises CollectionError."""
    named = [key for key in POD_NAMES if pod.get(key)]
    if len(named) != 1:
        given = ", ".join(named) or "none of them"
        raise CollectionError(
            f"pod: {given} is given; exactly one of {', '.join(POD_NAMES)} is needed"
        )
    kinds: dict[str, portforward.OwnerKind] = {
        "name": "Pod",
        "deployment": "Deployment",
        "service": "Service",
    }
    return portforward.Target(
        namespace=str(pod["namespace"]),
        kind=kinds[named[0]],
        name=str(pod[named[0]]),
        port=int(pod.get("port") or DEFAULT_PORT),
    )


def _road_spec() -> Spec:
    return {
        "login_host": {"type": "str"},
        "login_port": {"type": "int", "default": DEFAULT_PORT},
        "login_unix_socket": {"type": "path"},
        "pod": {
            "type": "dict",
            "options": {
                "namespace": {"type": "str", "required": True},
                "name": {"type": "str"},
                "deployment": {"type": "str"},
                "service": {"type": "str"},
                "port": {"type": "int", "default": DEFAULT_PORT},
            },
            "mutually_exclusive": [list(POD_NAMES)],
            "required_one_of": [list(POD_NAMES)],
        },
    }


def _road(params: Mapping[str, Any]) -> str:
    given = [key for key in ROADS if params.get(key)]
    if len(given) != 1:
        what = " and ".join(given) or "none of them"
        raise CollectionError(f"{what} is given; exactly one of {', '.join(ROADS)} is needed")
    return given[0]


def _connect_pod(params: Mapping[str, Any], login: Mapping[str, Any]) -> Connection:
    """Connect through a port-forward, trying again while nothing listens yet, until the timeout."""
    language = str(params.get("language") or "en")
    cluster = client.connect(params.get("kubeconfig"), params.get("context"))
    deadline = time.monotonic() + float(login["connect_timeout"])
    while True:
        try:
            forward = _open(cluster, target(params["pod"]), deadline, language)
            connection = _log_in(forward, login, language)
        except PortRefusedError:
            # A server that starts refuses until it listens: that may take its time, not more.
            if time.monotonic() >= deadline:
                raise
        else:
            connection.explain_loss = partial(_explain_loss, params)
            return connection
        # Nothing tells when mysqld begins to listen; the port-forward itself is what is tried.
        time.sleep(POLL)


class PortRefusedError(CollectionError):
    """The Pod runs, and nothing listens on the port."""


def _open(
    cluster: client.Cluster, wanted: portforward.Target, deadline: float, language: str
) -> portforward.Forward:
    try:
        remaining = max(0.0, deadline - time.monotonic())
        return portforward.open_forward(cluster, wanted, remaining)
    except portforward.PodUnavailableError as error:
        found = kube_causes.explain_target(error, language)
        raise CollectionError(error.message, found) from error
    except client.KubeError as error:
        away = _node_gone(cluster, wanted, error, language)
        if not away:
            raise
        raise CollectionError(error.message, away) from error


def _explain_loss(params: Mapping[str, Any]) -> list[Finding]:
    """Return why a session in a Pod was lost, if its node is why; it is tried once more for that."""
    language, wanted = str(params.get("language") or "en"), target(params["pod"])
    # The one that was connected is another thread's perhaps.
    cluster = client.connect(params.get("kubeconfig"), params.get("context"))
    try:
        portforward.open_forward(cluster, wanted, 0).close()
    except client.KubeError as error:
        return _node_gone(cluster, wanted, error, language)
    except portforward.PodUnavailableError:
        return []
    return []


def _node_gone(
    cluster: client.Cluster, wanted: portforward.Target, error: client.KubeError, language: str
) -> list[Finding]:
    """Return that the node behind a port-forward which cannot be opened is away, if it is."""
    try:
        pod = portforward.running_pod(wanted, portforward.pods_of(cluster, wanted) or [])
        if pod is None:
            return []
        name = pods.node_of(pod)
        listed = cluster.list("Node", fields=f"metadata.name={name}")
    except client.KubeError:
        # An API server that cannot be asked is a cause of its own, and the one to tell.
        return []
    nodes = {name: listed[0] if listed else None}
    said = error.reason if DIALING in error.reason else ""
    return kube_causes.node_gone(pod, nodes, language, said)


def _log_in(forward: portforward.Forward, login: Mapping[str, Any], language: str) -> Connection:
    try:
        return connect_socket(forward.socket, address=forward.address, **login)
    except CollectionError as error:
        reason = forward.error
        forward.close()
        if not reason or not isinstance(error, MysqlError) or not error.lost:
            raise
        found = kube_causes.port_refused(forward.address, reason, language)
        raise PortRefusedError(f"{forward.address} does not answer", [found]) from error
