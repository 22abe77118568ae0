# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The load test: who is there, the load from the client host, and what it proves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import roads
from ..finding import CollectionError, errors
from . import remote
from .figures import Figures, Member, explain, shares
from .options import target_of, teller, validate


def argument_spec() -> dict[str, Any]:
    """Return what load_test takes beside the target and the cluster's options."""
    return {
        **roads.login_argument_spec(),
        "primary": roads.instance_option(required=True),
        "replicas": roads.instances_option(required=True),
        "read_path": {"type": "str", "default": "/bucket/whoami"},
        "write_path": {"type": "str", "default": "/bucket/write"},
        "reads": {"type": "int", "default": 2000},
        "writes": {"type": "int", "default": 200},
        "concurrency": {"type": "int", "default": 8},
        "max_seconds": {"type": "int", "default": 60},
    }


def observe(params: Mapping[str, Any]) -> list[Member]:
    """Read each instance's identity from itself, the primary first. Raises CollectionError."""
    wanted = [("primary", params["primary"])]
    wanted += [("replica", replica) for replica in params["replicas"]]
    members = []
    for role, instance in wanted:
        with roads.connect_instance(params, instance) as connection:
            server = connection.server
            members.append(Member(instance["name"], role, server.server_id, server.server_uuid))
    return members


def job_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the client program's job."""
    names = ("reads", "writes", "concurrency", "max_seconds", "read_path", "write_path")
    return {"do": "load", **target_of(params), **{name: params[name] for name in names}}


def work(params: Mapping[str, Any]) -> dict[str, Any]:
    """Send the load and return its figures. Raises CollectionError where it proves no balance."""
    validate(params)
    members = observe(params)
    job = job_of(params)
    seen = remote.run(
        params["client_command"],
        job,
        seconds=job["max_seconds"] + job["request_timeout"],
        tell=teller(params["progress_file"]),
        language=params["language"],
    )
    figures = Figures(**seen)
    details = result(members, figures)
    found = explain(members, figures, job["reads"] + job["writes"], params["language"])
    if errors(found):
        raise CollectionError("The load test failed", found, details)
    return {"changed": False, "findings": [one.as_dict() for one in found], **details}


def result(members: list[Member], figures: Figures) -> dict[str, Any]:
    """Return the figures as the module returns them."""
    return {
        "instances": [share.as_dict() for share in shares(members, figures)],
        "address": figures.address,
        "requests": figures.requests,
        "reads": sum(figures.reads.values()),
        "writes": sum(figures.writes.values()),
        "errors": dict(figures.errors),
        "seconds": figures.seconds,
        "requests_per_second": figures.requests_per_second,
        "latency_ms": {kind: dict(values) for kind, values in figures.latency_ms.items()},
    }
