# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes what the documentation site has beside docs/: README, the playbooks, labels of Ansible's own pages."""

from __future__ import annotations

import re
import sys
import zlib
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[1]
REPOSITORY = "https://github.com/mysql-on/kubernetes/blob/main"

# Labels of docs.ansible.com that the reference refers to, with their pages.
LABELS = {
    "ansible_collections.kubernetes.core.k8s_module": "collections/kubernetes/core/k8s_module.html",
    "action_plugins": "plugins/action.html#action-plugins",
    "common_return_values": "reference_appendices/common_return_values.html#common-return-values",
}

_LINK = re.compile(r"\]\((?!https?:|#)([^)\s]+)\)")


def readme(text: str) -> str:
    """Return README.md as a page of the site: its links lead to pages, else to the repository."""

    def led(match: re.Match[str]) -> str:
        target = match[1]
        if target.startswith("docs/"):
            return f"]({target.removeprefix('docs/')})"
        return f"]({REPOSITORY}/{target})"

    return _LINK.sub(led, text)


def page(text: str) -> str:
    """Return a page of docs/: a link to a file outside of it leads to the repository."""

    def led(match: re.Match[str]) -> str:
        target = match[1]
        if target.startswith("../../"):
            return f"]({REPOSITORY}/{target.removeprefix('../../')})"
        return match[0]

    return _LINK.sub(led, text)


def playbooks() -> str:
    """Return a page with what stands above each playbook, and how it is run by name."""
    lines = ["# Playbooks", ""]
    for path in sorted((CHECKOUT / "playbooks").glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        comment = [line[1:].removeprefix(" ") for line in _comment(text)]
        first = yaml.safe_load(text)[0]
        lines += [f"## {path.stem}", "", first.get("name", ""), "", "```text", *comment, "```", ""]
        lines += ["```console", f"$ ansible-playbook mysql_on.kubernetes.{path.stem}", "```", ""]
    return "\n".join(lines)


def _comment(text: str) -> list[str]:
    """Return the lines of the comment that a playbook begins with."""
    lines = text.removeprefix("---\n").splitlines()
    end = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return lines[:end]


def inventory() -> bytes:
    """Return the labels as the inventory that intersphinx reads."""
    head = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: latest\n"
    head += "# The remainder of this file is compressed using zlib.\n"
    rows = [f"{label} std:label -1 {where} {label}\n" for label, where in LABELS.items()]
    return head.encode() + zlib.compress("".join(rows).encode())


def main(source: Path) -> None:
    """Write the pages into the folder that Sphinx reads."""
    for path in source.rglob("*.md"):
        path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    (source / "readme.md").write_text(readme(text), encoding="utf-8")
    (source / "playbooks.md").write_text(playbooks(), encoding="utf-8")
    (source / "ansible.inv").write_bytes(inventory())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
