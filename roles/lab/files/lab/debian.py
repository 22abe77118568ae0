# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""This Debian machine: its package source, and root file systems made from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError
from .progress import Report
from .run import run

ETC_APT = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")

NOT_NEEDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
"""Paths that a slim image does without, as Debian's own slim images do."""


@dataclass(frozen=True)
class Source:
    """One suite of one package source."""

    uri: str
    suite: str
    components: tuple[str, ...]


def _one_line_sources(text: str) -> Iterator[Source]:
    """Read the old form: `deb [options] uri suite component...`. Source: sources.list(5)."""
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if found:
            yield Source(found[1], found[2], tuple(found[3].split()))


def _deb822_sources(text: str) -> Iterator[Source]:
    """Read the new form: paragraphs of `Field: values`. Source: sources.list(5)."""
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in re.split(r"\n\s*\n", bare):
        joined = re.sub(r"\n[ \t]+", " ", paragraph)
        fields = {
            name.strip().lower(): value.split()
            for name, colon, value in (line.partition(":") for line in joined.splitlines())
            if colon
        }
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        for uri in fields.get("uris", []):
            for suite in fields.get("suites", []):
                yield Source(uri, suite, tuple(fields.get("components", [])))


def sources(etc_apt: Path = ETC_APT) -> list[Source]:
    """Return the package sources that this machine's apt uses."""
    found: list[Source] = []
    folder = etc_apt / "sources.list.d"
    for path in [etc_apt / "sources.list", *sorted(folder.glob("*.list"))]:
        if path.is_file():
            found.extend(_one_line_sources(path.read_text()))
    for path in sorted(folder.glob("*.sources")):
        found.extend(_deb822_sources(path.read_text()))
    return found


def codename(os_release: Path = OS_RELEASE) -> str:
    """Return the codename of this machine's Debian. Raises LabError when it is no Debian."""
    text = os_release.read_text() if os_release.is_file() else ""
    facts: dict[str, str] = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    if facts.get("ID") != "debian" or not facts.get("VERSION_CODENAME"):
        raise LabError(
            "The lab needs a Debian machine",
            [
                f"{os_release} says ID={facts.get('ID', '')}, PRETTY_NAME={facts.get('PRETTY_NAME', '')}"
            ],
            "use a Debian 12 machine, or give a cluster of your own: KUBECONFIG=... make site",
        )
    return facts["VERSION_CODENAME"]


def mirror(etc_apt: Path = ETC_APT, os_release: Path = OS_RELEASE) -> str:
    """Return the URI where this machine gets Debian from. Raises LabError when apt names none."""
    release = codename(os_release)
    found = sources(etc_apt)
    for source in found:
        if source.suite == release and "main" in source.components:
            return source.uri
    raise LabError(
        f"apt on this machine has no source for Debian {release} main",
        [f"{source.uri} {source.suite}" for source in found]
        or [f"{etc_apt} names no source at all"],
        f"add Debian's {release} main below {etc_apt}, then apt-get update",
    )


def bootstrap_argv(suite: str, target: Path, uri: str) -> list[str]:
    """Return the command that makes a small Debian of a suite as a tar file."""
    argv = ["mmdebstrap", "--variant=minbase", "--include=ca-certificates"]
    # The unstable suite of a mirror that stands still for a while would count as expired.
    argv.append('--aptopt=Acquire::Check-Valid-Until "false"')
    argv.extend(f"--dpkgopt=path-exclude={path}" for path in NOT_NEEDED)
    return [*argv, suite, str(target), uri]


def bootstrap(suite: str, target: Path, log: Path, report: Report) -> None:
    """Make a small Debian of a suite as a tar file. Raises LabError."""
    run(
        bootstrap_argv(suite, target, mirror()),
        what=f"Making a Debian {suite}",
        log=log,
        report=report,
    )
