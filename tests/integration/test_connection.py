# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A session by TCP: encrypted where the server can, and there where it cannot."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.servers import VERSIONS, Server, release

# How a server is told to have no TLS; with 8.0.16 a list of no versions became one.
WITHOUT = {
    version: "--skip-ssl" if release(version) < (8, 0, 16) else "--tls-version="
    for version in VERSIONS
}


@pytest.mark.parametrize("tls", [True, False])
def test_a_session_is_encrypted_where_the_server_offers_it(
    server_factory: Callable[..., Server], version: str, tls: bool
) -> None:
    server = server_factory(version, 1, *([] if tls else [WITHOUT[version]]))
    with server.connect() as connection:
        [row] = connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    assert bool(row["value"]) is tls
