# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The client host: another machine on the lab's LAN, as a student's own computer would be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NoReturn

from .errors import LabError
from .namespaces import Namespaces


def run_on_client(client: Namespaces, lab: str, argv: Sequence[str]) -> NoReturn:
    """Become the command, on the client host. Raises LabError if there is no such host or command."""
    if not client.exist():
        raise LabError(
            f"The lab {lab!r} does not run: its client host is not there",
            [f"{client.pin('net')} is no namespace"],
            "start it: make lab",
        )
    line = [*client.enter(), *argv]
    try:
        os.execvp(line[0], line)
    except FileNotFoundError as error:
        raise LabError(f"{line[0]} is not on this machine", [str(error)], "make lab") from error
