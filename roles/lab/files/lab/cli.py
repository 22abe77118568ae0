# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The commands of the lab program.

Each says on stderr what it does and ends with one JSON object on stdout: `changed`, or `failed` and `msg`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import build, health, images, index, lifecycle, network, servers, supervisor
from .client import run_on_client
from .definition import Definition, HostLink
from .errors import LabError
from .progress import Report, reporter
from .state import Lab, locked, open_lab, read_state, write_file
from .system import command

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


def definition() -> Definition:
    """Return what this checkout's lab is made of; LAB_BARE=1: without addons."""
    bare = os.environ.get("LAB_BARE", "") not in ("", "0")
    return Definition.of(build.versions(), images.PAUSE.rpartition(":")[2], bare=bare)


def missing_packages() -> list[str]:
    """Return the Debian packages that the lab needs and this machine lacks. Raises LabError."""
    wanted = sorted({*NODE_PACKAGES, *build.apt_packages()})
    if shutil.which("dpkg-query") is None:
        raise LabError(
            "The lab can only be built on Debian",
            ["there is no dpkg-query on this machine"],
            "use a Debian 12 machine, or a cluster of your own: KUBECONFIG=<file> make site",
        )
    argv = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *wanted]
    shown = command(argv, check=False).stdout.split("\n")
    installed = {line.split()[0] for line in shown if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def name_packages(_options: argparse.Namespace, _lab: Lab, _report: Report) -> dict[str, Any]:
    """Name the Debian packages that the lab needs and this machine lacks."""
    return {"changed": False, "missing": missing_packages()}


def make_binaries(options: argparse.Namespace, _lab: Lab, report: Report) -> dict[str, Any]:
    """Build the programs that the cache lacks: the lab's, or those of one extra."""
    named = [component for component in build.EXTRAS if component.name == options.extra]
    made = build.ensure_binaries(cache_folder(), report, named or build.COMPONENTS)
    return {
        "changed": made.changed,
        "folders": {name: str(path) for name, path in made.folders.items()},
        "manifests": {name: str(path) for name, path in made.manifests.items()},
    }


def _images(report: Report) -> images.Images:
    """Return the archives of all images; programs, images and wheels that the cache lacks are made."""
    cache = cache_folder()
    made = images.ensure_images(cache, build.ensure_binaries(cache, report), report)
    filled = index.fill(cache, report)
    return replace(made, changed=made.changed or filled)


def _made_images() -> dict[str, Path] | None:
    """Return the archives of all images, or None if an image, a program or a wheel must first be got."""
    cache = cache_folder()
    programs = [build.binary_folder(cache, component) for component in build.COMPONENTS]
    if missing_packages() or not all(folder.is_dir() for folder in programs):
        return None
    if not index.is_filled(cache):
        return None
    archives = images.archive_paths(cache)
    made = {name: archives[name] for name in images.image_names().values()}
    return made if all(archive.is_file() for archive in made.values()) else None


def make_images(options: argparse.Namespace, _lab: Lab, report: Report) -> dict[str, Any]:
    """Make the programs and image archives that the cache lacks."""
    if options.check:
        return {"changed": _made_images() is None}
    made = _images(report)
    return {"changed": made.changed, "images": {name: str(path) for name, path in made.items()}}


def make_servers(_options: argparse.Namespace, _lab: Lab, report: Report) -> dict[str, Any]:
    """Make the file trees of bare MySQL servers that the cache lacks."""
    trees = servers.ensure_server_trees(cache_folder(), report)
    return {"changed": trees.changed, "trees": {name: str(path) for name, path in trees.items()}}


def up(options: argparse.Namespace, lab: Lab, report: Report) -> dict[str, Any]:
    """Make the lab run."""
    cache = cache_folder()
    if options.kubeconfig and not _is_ours(options.kubeconfig):
        raise LabError(
            f"{options.kubeconfig} is not a lab's kubeconfig: it is not written over",
            [f"none of its servers is in {HostLink(0).network.supernet(new_prefix=16)}"],
            "choose another file for the lab's",
        )
    if options.check:
        return {"changed": _would_change(options, lab, cache, report)}
    made = _images(report)
    lifecycle.check_binaries(cache, lab.definition)
    with locked(lab, report):
        changed = lifecycle.up(lab, cache, made, report) or made.changed
        if options.kubeconfig:
            changed = write_file(options.kubeconfig, lab.kubeconfig.read_text()) or changed
    shown = (
        "without addons" if lab.definition.bare else f"{lab.definition.ingress} answers on its LAN"
    )
    report(f"the lab {lab.name!r} works: {shown}")
    return {"changed": changed, "kubeconfig": str(options.kubeconfig or lab.kubeconfig)}


def _would_change(options: argparse.Namespace, lab: Lab, cache: Path, report: Report) -> bool:
    """Return whether `up` would change anything."""
    made = _made_images()
    if made is None or lifecycle.would_change(lab, cache, made, report):
        return True
    copy = options.kubeconfig
    return bool(copy) and not (copy.exists() and copy.read_text() == lab.kubeconfig.read_text())


def _is_ours(kubeconfig: Path) -> bool:
    """Return whether a file may be written over with a lab's kubeconfig."""
    return not kubeconfig.exists() or "server: https://10.213." in kubeconfig.read_text()


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


def down(options: argparse.Namespace, lab: Lab, report: Report) -> dict[str, Any]:
    """Stop the lab and keep what it stores."""
    if options.check:
        return {"changed": lifecycle.remains(lab)}
    with locked(lab, report):
        return {"changed": lifecycle.down(lab, report)}


def reset(options: argparse.Namespace, lab: Lab, report: Report) -> dict[str, Any]:
    """Remove the lab with all that it stores."""
    if options.check:
        return {"changed": lab.folder.exists()}
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
    "packages": name_packages,
    "build": make_binaries,
    "images": make_images,
    "servers": make_servers,
    "up": up,
    "status": status,
    "down": down,
    "reset": reset,
    "client": client,
    "import-image": import_image,
    "supervise": supervise,
}


def _path(text: str) -> Path | None:
    """Return the path that a text names; nothing for an empty one."""
    return Path(text) if text else None


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    top = argparse.ArgumentParser(prog="lab", description=__doc__)
    top.add_argument("--lab", default=os.environ.get("LAB") or "lab", help="the lab's name")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, work in COMMANDS.items():
        sub = commands.add_parser(name, help=work.__doc__, description=work.__doc__)
        if name in ("images", "up", "down", "reset"):
            sub.add_argument(
                "--check", action="store_true", help="only say whether it would change"
            )
        if name == "up":
            sub.add_argument("--kubeconfig", type=_path, help="copy the kubeconfig to this file")
        if name == "build":
            names = [component.name for component in build.EXTRAS]
            sub.add_argument("--extra", choices=names, help="this one, which no lab runs, instead")
        if name == "client":
            sub.add_argument("argv", nargs="+", metavar="CMD", help="after --")
        if name == "import-image":
            sub.add_argument("archives", nargs="+", type=Path, metavar="ARCHIVE")
    return top


def main(argv: Sequence[str]) -> int:
    """Run one command; return the exit code."""
    options = parser().parse_args(argv)
    try:
        lab = open_lab(options.lab, definition())
        if os.geteuid() != 0:
            raise LabError("The lab needs root", [f"this is user {os.geteuid()}"], "run it as root")
        result = COMMANDS[options.command](options, lab, reporter())
    except LabError as error:
        print(json.dumps({"failed": True, "changed": False, "msg": str(error)}))
        return 1
    print(json.dumps(result))
    return 0
