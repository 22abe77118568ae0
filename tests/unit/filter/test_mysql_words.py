from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.mysql_on.kubernetes.plugins.filter.mysql_words import (
    mysql_options,
    mysql_words,
)


@pytest.mark.parametrize(
    ("name", "image", "words"),
    [
        ("change_source", "mysql:8.0.15", "CHANGE MASTER TO"),
        ("change_source", "mysql:8.0", "CHANGE REPLICATION SOURCE TO"),
        ("change_source", "docker.io/library/mysql:9.7", "CHANGE REPLICATION SOURCE TO"),
        ("change_source", "mysql:latest", "CHANGE REPLICATION SOURCE TO"),
        ("SOURCE_HOST", "mysql:8.0.15", "MASTER_HOST"),
        ("GET_SOURCE_PUBLIC_KEY", "mysql:9.7", "GET_SOURCE_PUBLIC_KEY"),
        ("binlog_expire_logs_seconds", "mysql:8.0.15", "binlog_expire_logs_seconds"),
    ],
)
def test_an_image_is_spoken_to_in_the_words_of_its_version(
    name: str, image: str, words: str
) -> None:
    assert mysql_words(name, image) == words


def test_an_image_that_is_too_old_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match=r"5\.7"):
        mysql_words("change_source", "mysql:5.7")


GIVEN = {
    "log_bin": "mysql-bin",
    "loose-replica_parallel_workers": 4,
    "loose-replica_parallel_type": "LOGICAL_CLOCK",
    "loose-innodb_native_foreign_keys": "ON",
}


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (
            "mysql:8.0.15",
            ["log_bin", "loose-slave_parallel_workers", "loose-slave_parallel_type"],
        ),
        ("mysql:8.0", ["log_bin", "loose-replica_parallel_workers"]),
        ("mysql:8.4.3", ["log_bin", "loose-replica_parallel_workers"]),
        (
            "docker.io/library/mysql:9.7",
            ["log_bin", "loose-replica_parallel_workers", "loose-innodb_native_foreign_keys"],
        ),
        # Nobody knows: each is a note in the log at worst.
        ("mysql:latest", list(GIVEN)),
        ("mysql:5.7", list(GIVEN)),
    ],
)
def test_a_server_is_started_with_the_options_that_its_version_takes_silently(
    image: str, options: list[str]
) -> None:
    made = mysql_options(GIVEN, image)
    assert list(made) == options
    assert made["log_bin"] == "mysql-bin"
