"""The archive, looked at inside the Pod that writes it."""

from __future__ import annotations

import json

import pytest

from extensions.molecule.shared import lab

ARCHIVE = "/archive"


@pytest.fixture(scope="module")
def archiver():
    (pod,) = [
        one
        for one in lab.objects("pods", "mysql-on.kubernetes/archiver=mysql")
        if not one["metadata"].get("deletionTimestamp")
    ]
    return lab.host(pod["metadata"]["name"], pod["spec"]["containers"][0]["name"])


def test_the_archive_says_what_it_is_and_grows(archiver):
    status = json.loads(archiver.file(f"{ARCHIVE}/status.json").content_string)
    assert status["state"] == "archiving"
    assert archiver.file(f"{ARCHIVE}/archive.json").exists


def test_it_holds_the_primary_s_logs_and_one_verified_base(archiver):
    uuid = lab.query(lab.instances()["mysql-1"], "SELECT @@server_uuid")
    assert archiver.file(f"{ARCHIVE}/binlog/{uuid}").is_directory
    (base,) = archiver.check_output(f"ls {ARCHIVE}/base").split()
    manifest = json.loads(archiver.file(f"{ARCHIVE}/base/{base}/manifest.json").content_string)
    assert manifest["verified"]
