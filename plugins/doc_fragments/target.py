# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """Where HTTP requests are sent, and from which host."""

    DOCUMENTATION = r"""
options:
  url:
    description: C(http://HOST) or C(http://HOST:PORT) of the ingress controller, as the client host knows it.
    type: str
    required: true
  host_header:
    description: Host that the requests name; that of O(url) if empty.
    type: str
    default: ""
  client_command:
    description:
      - Command prefix that runs a program on a host of the LAN, for example C(ssh) or C(nsenter) with its arguments.
      - It must hand through standard input. The host needs Python 3.9 as C(python3), nothing else.
      - Empty, the machine where the module runs is the client.
    type: list
    elements: str
    default: []
  request_timeout:
    description: Seconds after which one request counts as failed, from 1 to 60.
    type: int
    default: 10
  allow_public:
    description: Whether requests may go to an address that is neither private nor loopback.
    type: bool
    default: false
  progress_file:
    description:
      - File that lines of progress are appended to while the module works.
      - The action plugin of the same name sets it and shows the lines.
    type: path
"""
