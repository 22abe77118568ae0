# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether an address answers on the LAN, asked from a host there: curl and ip by a command prefix."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..finding import CollectionError
from .metallb import Address

Run = Callable[[list[str]], tuple[int, str, str]]

SECONDS = 5
# curl's exit codes that say that the host itself was reached, if not the port.
REFUSED = 7
NOT_FOUND = (126, 127)


@dataclass(frozen=True)
class Answer:
    """What a host on the LAN saw. status: HTTP status, 0 without one. mac: who has the address."""

    status: int
    mac: str
    proof: tuple[str, ...]


def ask(run: Run, prefix: Sequence[str], ip: Address, path: str = "/", host: str = "") -> Answer:
    """Ask the address for a path by HTTP, and the host's neighbour table who has it.

    prefix: the command that runs another one on a host of the LAN. host: the Host header, empty
    for the address itself. Raises CollectionError where that command cannot run curl.
    """
    url = (f"http://[{ip}]" if ip.version == 6 else f"http://{ip}") + path
    curl = ["curl", "--silent", "--show-error", "--noproxy", "*", "--output", "/dev/null"]
    curl += ["--write-out", "%{http_code}", "--max-time", str(SECONDS), url]
    curl += ["--header", f"Host: {host}"] if host else []
    code, out, err = run([*prefix, *curl])
    said = " ".join(err.split()) or f"exit code {code}"
    if code in NOT_FOUND or (code != 0 and "curl" not in err):
        raise CollectionError(f"lan_client_command: {' '.join(prefix)} cannot run curl: {said}")
    status = int(out.strip()[-3:]) if re.search(r"\d{3}\s*$", out) else 0
    read = f"GET {url} from the LAN: " + (f"HTTP {status}" if status else said)
    mac, neighbour = _neighbour(run, prefix, ip)
    return Answer(status, mac, (read, *neighbour))


def _neighbour(run: Run, prefix: Sequence[str], ip: Address) -> tuple[str, list[str]]:
    """Return the MAC address that answered ARP (or neighbour discovery), and the line that says so."""
    code, out, said = run([*prefix, "ip", "neigh", "show", "to", str(ip)])
    if code != 0:
        # A host behind a router, or one without iproute2, has nothing to say of neighbours.
        return "", [f"ip neigh on the LAN: {' '.join(said.split())}"] if said.strip() else []
    line = " ".join(out.split())
    match = re.search(r"lladdr ([0-9a-f:]{17})", line)
    return (match[1] if match else ""), [f"ip neigh on the LAN: {line or 'no entry'}"]
