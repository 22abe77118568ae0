# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The commands of the lab program.

Each says on stderr what it does and ends with one JSON object on stdout: `changed`, or `failed` and `msg`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import health, lifecycle, network, supervisor
from .client import run_on_client
from .definition import HostLink
from .errors import LabError
from .state import Lab, locked, open_lab, read_state, write_file
from .system import Report

DEFAULT_CACHE = "mysql_on_kubernetes"
# Beside those that the builds and the images need.
NODE_PACKAGES = (
    "conntrack",
    "containernetworking-plugins",
    "ethtool",
    "iproute2",
    "iptables",
    "kmod",
    "mount",
    "nftables",
    "runc",
    "util-linux",
)


def cache_folder() -> Path:
    """Return where builds are kept between labs and checkouts."""
    chosen = os.environ.get("MYSQL_ON_KUBERNETES_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / DEFAULT_CACHE


def reporter() -> Report:
    """Return what shows a line of progress, with the time since the start."""
    begun = time.monotonic()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - begun:5.1f} s] {line}", file=sys.stderr, flush=True)

    return report


def packages(_options: argparse.Namespace, _lab: Lab, _report: Report) -> dict[str, Any]:
    """Name the Debian packages that the lab needs."""
    from .build import apt_packages

    names = sorted({*NODE_PACKAGES, *apt_packages()})
    return {"changed": False, "packages": names}


def build(_options: argparse.Namespace, _lab: Lab, report: Report) -> dict[str, Any]:
    """Build the programs that the cache lacks."""
    from .build import ensure_binaries

    binaries = ensure_binaries(cache_folder(), report)
    return {"changed": bool(getattr(binaries, "changed", False))}


def _images(report: Report) -> dict[str, Path]:
    """Return the archives of all images, made if the cache lacks them."""
    from .build import ensure_binaries
    from .images import ensure_images

    cache = cache_folder()
    return dict(ensure_images(cache, ensure_binaries(cache, report), report))


def images(_options: argparse.Namespace, _lab: Lab, report: Report) -> dict[str, Any]:
    """Make the image archives that the cache lacks."""
    cache = cache_folder() / "images"
    before = set(cache.glob("*")) if cache.is_dir() else set()
    made = _images(report)
    return {
        "changed": any(path not in before for path in made.values()),
        "images": {name: str(path) for name, path in made.items()},
    }


def up(options: argparse.Namespace, lab: Lab, report: Report) -> dict[str, Any]:
    """Make the lab run."""
    made = _images(report)
    cache = cache_folder()
    lifecycle.check_binaries(cache, lab.definition)
    with locked(lab, report):
        changed = lifecycle.up(lab, cache, made, report)
        if options.kubeconfig:
            changed = write_file(options.kubeconfig, lab.kubeconfig.read_text()) or changed
    report(f"the lab {lab.name!r} works: {lab.definition.ingress} answers on its LAN")
    return {"changed": changed, "kubeconfig": str(options.kubeconfig or lab.kubeconfig)}


def status(_options: argparse.Namespace, lab: Lab, report: Report) -> dict[str, Any]:
    """Tell how the lab is."""
    state = read_state(lab)
    if state is None:
        report(f"there is no lab {lab.name!r}: make lab")
        return {"changed": False, "exists": False, "running": False}
    found = health.describe(lab, cache_folder())
    report(f"lab {lab.name!r} in {lab.folder}: {'runs' if found['running'] else 'stopped'}")
    report(f"API server for this machine: https://{HostLink(state.index).api_server}:6443")
    for name, node in found["nodes"].items():
        report(f"{name} ({node['address']}): {node['processes']} processes")
    for problem in found["problems"]:
        report(f"problem: {problem}")
    return {"changed": False, "exists": True, **found}


def down(_options: argparse.Namespace, lab: Lab, report: Report) -> dict[str, Any]:
    """Stop the lab and keep what it stores."""
    with locked(lab, report):
        return {"changed": lifecycle.down(lab, report)}


def reset(_options: argparse.Namespace, lab: Lab, report: Report) -> dict[str, Any]:
    """Remove the lab with all that it stores."""
    with locked(lab, report):
        return {"changed": lifecycle.reset(lab, report)}


def client(options: argparse.Namespace, lab: Lab, _report: Report) -> dict[str, Any]:
    """Run a command on the LAN's client host; becomes that command."""
    run_on_client(network.machine(lab, network.CLIENT), lab.name, options.argv)


def import_image(options: argparse.Namespace, lab: Lab, report: Report) -> dict[str, Any]:
    """Give the workers an image."""
    with locked(lab, report):
        return {"changed": lifecycle.import_archives(lab, cache_folder(), options.archives, report)}


def supervise(_options: argparse.Namespace, lab: Lab, _report: Report) -> dict[str, Any]:
    """Be the lab's supervisor; started by `up`."""
    supervisor.supervise(lab, cache_folder())
    return {"changed": False}


COMMANDS: dict[str, Callable[[argparse.Namespace, Lab, Report], dict[str, Any]]] = {
    "packages": packages,
    "build": build,
    "images": images,
    "up": up,
    "status": status,
    "down": down,
    "reset": reset,
    "client": client,
    "import-image": import_image,
    "supervise": supervise,
}


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    top = argparse.ArgumentParser(prog="lab", description=__doc__)
    top.add_argument("--lab", default=os.environ.get("LAB") or "lab", help="the lab's name")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, work in COMMANDS.items():
        command = commands.add_parser(name, help=work.__doc__, description=work.__doc__)
        if name == "up":
            command.add_argument("--kubeconfig", type=Path, help="copy the kubeconfig to this file")
        if name == "client":
            command.add_argument("argv", nargs="+", metavar="CMD", help="after --")
        if name == "import-image":
            command.add_argument("archives", nargs="+", type=Path, metavar="ARCHIVE")
    return top


def main(argv: Sequence[str]) -> int:
    """Run one command; return the exit code."""
    options = parser().parse_args(argv)
    try:
        lab = open_lab(options.lab)
        if os.geteuid() != 0 and options.command not in ("packages",):
            raise LabError("The lab needs root", [f"this is user {os.geteuid()}"], "run it as root")
        result = COMMANDS[options.command](options, lab, reporter())
    except LabError as error:
        print(json.dumps({"failed": True, "changed": False, "msg": str(error)}))
        return 1
    print(json.dumps(result))
    return 0
