# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Archives of the captured binary logs, in folders, with bases of our own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.store import scan

from tests.unit.binlog.binlog_files import FILES, UUIDS, content

VERIFIED = {"at": "2026-11-24T00:00:00Z", "how": "started", "result": "ok"}


def make_archive(root: Path, version: str, *, files: tuple[str, ...] = FILES) -> Path:
    """An archive whose base has nothing yet; the last file grows, the others are sealed."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "archive.json").write_text('{"format": 1, "cluster": "unit"}')
    for file in files:
        add_log(root, version, file, sealed=file != files[-1])
    add_base(root, "20260101T000000Z", "")
    return root


def add_log(root: Path, version: str, file: str, *, sealed: bool, uuid: str = "") -> Path:
    data = content(version, file)
    below = f"binlog/{uuid or UUIDS[version]}"
    folder = root / below
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(data)
    if sealed:
        log = scan(memoryview(data), below, file)
        digest = hashlib.sha256(data).hexdigest()
        sidecar = {
            "name": file,
            "server_uuid": log.server_uuid,
            "stored": file,
            "previous_gtids": str(log.previous),
            "gtids": str(log.gtids),
            "transactions": log.transactions,
            "first_commit": log.first_commit,
            "last_commit": log.last_commit,
            "first_original_commit": log.first_original,
            "last_original_commit": log.last_original,
            "size": log.size,
            "sha256": digest,
            "stored_size": log.size,
            "stored_sha256": digest,
            "ended": "rotate",
        }
        (folder / f"{file}.json").write_text(json.dumps(sidecar))
    return folder / file


def add_base(root: Path, identity: str, gtids: str, **changed: Any) -> Path:
    folder = root / "base" / identity
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "ibdata1").write_bytes(b"rows")
    manifest = {
        "id": identity,
        "method": "clone",
        "server_version": "9.7.4",
        "server_uuid": "00000000-0000-0000-0000-000000000001",
        "gtid_executed": gtids,
        "started": "2026-01-01T00:00:00+00:00",
        "ended": "2026-01-01T00:00:00+00:00",
        "bytes": 4,
        "stored": "data",
        "files": [
            {"path": "data/ibdata1", "size": 4, "sha256": hashlib.sha256(b"rows").hexdigest()}
        ],
        "tables": [],
        "verified": VERIFIED,
        **changed,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
