from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.upgrade import change


@pytest.mark.parametrize(
    ("running", "wanted"),
    [
        ((9, 7, 0), (9, 7, 4)),
        ((8, 0, 15), (8, 0, 44)),
        ((8, 0, 40), (8, 4, 6)),
        ((8, 0, 40), (8, 2, 0)),
        ((8, 1, 0), (8, 4, 0)),
        ((8, 4, 6), (9, 3, 0)),
        ((8, 4, 6), (9, 7, 4)),
        ((9, 3, 0), (9, 7, 4)),
        ((9, 7, 4), (26, 7, 0)),
        ((9, 7, 4), (28, 4, 0)),
    ],
)
def test_the_next_lts_and_what_lies_before_it_open_the_data_directory(running, wanted):
    assert change(running, wanted).verdict == "upgrade"
    assert change(running, wanted).allowed


@pytest.mark.parametrize(
    ("running", "wanted", "through"),
    [
        ((8, 0, 15), (9, 7, 4), "8.4"),
        ((8, 0, 40), (9, 0, 0), "8.4"),
        ((8, 2, 0), (9, 7, 0), "8.4"),
        ((8, 4, 6), (26, 7, 0), "9.7"),
    ],
)
def test_an_lts_series_is_not_skipped(running, wanted, through):
    found = change(running, wanted)
    assert found.verdict == "skips_lts"
    assert found.through == through
    assert not found.allowed


@pytest.mark.parametrize("wanted", [(9, 7, 3), (9, 6, 0), (8, 4, 6), (8, 0, 15)])
def test_nothing_goes_back(wanted):
    assert change((9, 7, 4), wanted).verdict == "downgrade"
    assert not change((9, 7, 4), wanted).allowed


def test_the_same_version_is_no_change():
    assert change((9, 7, 4), (9, 7, 4)).verdict == "same"
    assert change((9, 7, 4), (9, 7, 4)).allowed
