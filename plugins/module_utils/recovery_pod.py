# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The call into the Pod of a recovery; what answers there is recovery/remote.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .kube import client
from .kube import exec as kube_exec
from .recovery import remote


def argument_spec() -> dict[str, Any]:
    """Return the options of the fragment recovery_pod."""
    return {
        "in_pod": {
            "type": "dict",
            "options": {
                "namespace": {"type": "str", "required": True},
                "name": {"type": "str", "required": True},
                "container": {"type": "str", "default": "tools"},
            },
        },
    }


def ask(
    params: Mapping[str, Any], command: Sequence[str], say: Callable[[str], None], said: str = ""
) -> dict[str, Any]:
    """Run a command in the Pod that the options name, and return what it answers.

    said: what it reads from its standard input; only there may a secret be.
    Raises KubeError, and CollectionError with the findings of the Pod.
    """
    place = remote.Place(**params["in_pod"])
    cluster = client.connect(params["kubeconfig"], params["context"])
    done = kube_exec.run(
        *(cluster, place.namespace, place.name, place.container, command), told=say, said=said
    )
    return remote.answer(done.code, done.output, done.errors)
