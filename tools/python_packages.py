# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write requirements/*.txt from requirements/*.in: all that a set needs, pinned, with its hashes.

The hashes are those of the wheels that a Pod may take: of each processor and each Python below. A pin
that an earlier run wrote stays; --upgrade forgets them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "requirements"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PROCESSORS = ("x86_64", "aarch64")
# What glibc of Debian 12 and of everything newer runs.
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
INDEX = "https://pypi.org/simple"
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)", re.MULTILINE)


@dataclass
class Packages:
    """The pins of a set and the hashes of each; by normalized name."""

    pins: dict[str, str] = field(default_factory=dict)
    hashes: dict[str, set[str]] = field(default_factory=dict)

    def add(self, name: str, version: str, digest: str) -> None:
        """Take one wheel in. Raises SystemExit where a package has two versions."""
        if self.pins.setdefault(name, version) != version:
            raise SystemExit(f"{name} would be {self.pins[name]} and {version}: pin it in a *.in")
        self.hashes.setdefault(name, set()).add(digest)

    def text(self, source: str) -> str:
        """Return the set as pip reads it."""
        lines = [f"# Written by tools/python_packages.py from {source}: edit that one."]
        for name in sorted(self.pins):
            hashes = [f"    --hash=sha256:{each}" for each in sorted(self.hashes[name])]
            lines.append(" \\\n".join([f"{name}=={self.pins[name]}", *hashes]))
        return "\n".join(lines) + "\n"


def normalized(name: str) -> str:
    """Return the name as an index has it. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def resolve(
    files: Sequence[Path], pins: Mapping[str, str], python: str, processor: str
) -> Packages:
    """Ask pip what it would install of some *.in, with these pins, for one Python and processor."""
    with tempfile.TemporaryDirectory() as work:
        constraints, report = Path(work) / "constraints", Path(work) / "report"
        constraints.write_text("".join(f"{name}=={pins[name]}\n" for name in sorted(pins)))
        argv = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--dry-run",
            "--ignore-installed",
        ]
        argv += ["--index-url", INDEX, "--only-binary", ":all:", "--target", f"{work}/target"]
        argv += ["--python-version", python, "--report", str(report)]
        argv += [f"--platform={each}_{processor}" for each in PLATFORMS]
        argv += ["--constraint", str(constraints)]
        argv += [word for file in files for word in ("--requirement", str(file))]
        # Files of this machine are not what an index serves.
        environment = {
            name: value for name, value in os.environ.items() if name != "PIP_FIND_LINKS"
        }
        subprocess.run(argv, env=environment, check=True)
        found = Packages()
        for each in json.loads(report.read_text())["install"]:
            digest = each["download_info"]["archive_info"]["hashes"]["sha256"]
            found.add(normalized(each["metadata"]["name"]), each["metadata"]["version"], digest)
        return found


def noted(folder: Path) -> dict[str, str]:
    """Return the pins that an earlier run wrote, but for what a *.in pins itself."""
    texts = [path.read_text() for path in sorted(folder.glob("*.txt"))]
    own = {
        normalized(name)
        for path in folder.glob("*.in")
        for name, _version in PINNED.findall(path.read_text())
    }
    pins = {name: version for text in texts for name, version in PINNED.findall(text)}
    return {name: version for name, version in pins.items() if name not in own}


def main() -> None:
    """Write every set, with one version of a package in all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest of what is not pinned"
    )
    options = parser.parse_args()
    sources = sorted(FOLDER.glob("*.in"))
    pins = {} if options.upgrade else noted(FOLDER)
    pins = resolve(sources, pins, PYTHONS[0], PROCESSORS[0]).pins
    for source in sources:
        packages = Packages()
        for python, processor in itertools.product(PYTHONS, PROCESSORS):
            found = resolve([source], pins, python, processor)
            for name, version in found.pins.items():
                for digest in found.hashes[name]:
                    packages.add(name, version, digest)
        source.with_suffix(".txt").write_text(packages.text(source.name))
        print(f"{source.stem}: {len(packages.pins)} packages")


if __name__ == "__main__":
    main()
