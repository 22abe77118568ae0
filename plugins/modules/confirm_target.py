#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: confirm_target
short_description: Go on only if exactly this namespace of exactly this cluster is meant
version_added: 0.1.0
description:
  - Shows the context, the API server and the namespace that a dangerous step is about, and asks for them.
  - The answer is the namespace and the API server in one word, such as V(mysql@192.0.2.1:6443). The same namespace
    of another cluster is another word.
  - Without a terminal the answer is empty, and the step is refused; O(given) answers beforehand.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Shows the target and asks nothing.
    support: full
  diff_mode:
    description: Has nothing to show, since it changes nothing.
    support: none
options:
  namespace:
    description: Namespace that the step is about.
    type: str
    required: true
  given:
    description: The answer, given beforehand; empty to ask.
    type: str
    default: ""
  variable:
    description: Name of the variable that gives the answer beforehand, for the text of the refusal.
    type: str
    required: true
  asked:
    description: Whether O(given) is what a person typed; the action knows it.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Take the confirmation
  mysql_on.kubernetes.confirm_target:
    namespace: mysql
    given: "{{ teardown_confirm }}"
    variable: teardown_confirm
"""

RETURN = r"""
confirmed:
  description: Whether it was; false in check mode without an answer.
  returned: success
  type: bool
context:
  description: Context of the kubeconfig, empty if it has none.
  returned: success
  type: str
server:
  description: Address of the API server.
  returned: success
  type: str
  sample: https://192.0.2.1:6443
word:
  description: What confirms it.
  returned: success
  type: str
  sample: mysql@192.0.2.1:6443
findings:
  description: Why it was refused.
  returned: failure
  type: list
  elements: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes.catalogue import finding
from ..module_utils.finding import CollectionError
from ..module_utils.kube import client
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    aim = client.target(params["kubeconfig"], params["context"])
    word, given = aim.word(params["namespace"]), params["given"].strip()
    result = {
        "changed": False,
        "confirmed": given == word,
        "context": aim.context,
        "server": aim.server,
        "word": word,
    }
    if given == word or module.check_mode or not (given or params["asked"]):
        return result
    cause = finding(
        "change.not_confirmed",
        subject=word,
        proof=[
            f"context {aim.context or '-'}, API server {aim.server}, namespace {params['namespace']}",
            f"given: {given or 'nothing'}",
        ],
        language=params["language"],
        variable=params["variable"],
        word=word,
    )
    raise CollectionError("Nothing was touched", [cause])


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "namespace": {"type": "str", "required": True},
            "given": {"type": "str", "default": ""},
            "variable": {"type": "str", "required": True},
            "asked": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
