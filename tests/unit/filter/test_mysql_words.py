from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.mysql_on.kubernetes.plugins.filter.mysql_words import mysql_words


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
