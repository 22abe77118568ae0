# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How every module of the collection ends: a result, or a failure that explains itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .finding import CollectionError, explain_failure, worst_first


def run(module: AnsibleModule, work: Callable[[AnsibleModule], dict[str, Any]]) -> None:
    """Run a module's work and end the module with what it returns.

    A CollectionError becomes fail_json: msg is the explained failure, ``findings`` the causes,
    and the error's details further keys.
    """
    try:
        result = work(module)
    except CollectionError as error:
        module.fail_json(
            msg=explain_failure(error.message, error.findings),
            findings=[finding.as_dict() for finding in worst_first(error.findings)],
            **error.details,
        )
    module.exit_json(**result)
