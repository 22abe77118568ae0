# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The certificates of a site: what its Secret holds, what its instances show, and what replication does with them."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import pymysql
import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import portforward
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.polling import look_until
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pymysql.constants import ER

from tests.integration.site import Site

PRIMARY, REPLICA = NAMES = ("mysql-1", "mysql-11")
STEPS = ("--tags", "step1,step2,step3,step4,step5,step6")
# What check mode says of the instances, and of nothing else, where their certificates are other ones.
COMPARED = "Compare the ConfigMap, the budget and the Deployments with what is there"
DEADLINE = 60.0
# The Secret and the key of each account's password.
PASSWORDS = {
    "root": ("mysql-auth", "root-password"),
    "replication": ("mysql-auth", "replication-password"),
    "app": ("mysql-app", "password"),
}
CHANNEL = (
    "SELECT CONCAT(ssl_allowed, ' ', ssl_verify_server_certificate, ' ', ssl_ca_file)"
    " FROM performance_schema.replication_connection_configuration"
)
CHECKED = "YES YES /etc/mysql/tls/ca.crt"
# What the primary sees of the connection by which its replica receives.
RECEIVING = (
    "SELECT GROUP_CONCAT(connection_type) FROM performance_schema.threads"
    " WHERE processlist_command LIKE 'Binlog Dump%'"
)
NO_TLS = "TCP/IP"
TLS = "SSL/TLS"


def held(site: Site) -> dict[str, x509.Certificate]:
    """What the Secret of the instances holds."""
    return {
        name: x509.load_pem_x509_certificate(site.secret("mysql-tls", name).encode())
        for name in ("ca.crt", "tls.crt")
    }


def authority() -> dict[str, str]:
    """A CA of its own, as a Secret holds it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A CA by hand")])
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, bare = Encoding.PEM, (PrivateFormat.PKCS8, NoEncryption())
    return {
        "tls.crt": made.public_bytes(pem).decode(),
        "tls.key": key.private_bytes(pem, *bare).decode(),
    }


def log_in(
    site: Site, name: str, user: str, ca: x509.Certificate | None = None
) -> x509.Certificate | None:
    """Log in at an instance by TCP and return the certificate that it showed.

    ca: who the client trusts, alone, of a server that it calls mysql-write; without one it speaks no TLS.
    Raises OperationalError.
    """
    context = (
        ssl.create_default_context(cadata=ca.public_bytes(Encoding.PEM).decode()) if ca else None
    )
    target = portforward.Target(site.namespace, "Deployment", name)
    forward = portforward.open_forward(site.cluster, target, DEADLINE)
    client: Any = pymysql.connect(
        host="mysql-write",
        user=user,
        password=site.secret(*PASSWORDS[user]),
        ssl=context,
        ssl_disabled=context is None,
        defer_connect=True,
    )
    try:
        client.connect(forward.socket)
        if context is None:
            return None
        return x509.load_der_x509_certificate(client._sock.getpeercert(binary_form=True))
    finally:
        client._force_close()
        forward.close()


def shown(site: Site, ca: x509.Certificate) -> list[x509.Certificate]:
    """What each instance shows to a client that trusts this CA alone."""
    found = [log_in(site, name, "root", ca) for name in NAMES]
    return [one for one in found if one]


def refused(site: Site, user: str) -> None:
    """See that the primary refuses a client that speaks no TLS."""
    with pytest.raises(pymysql.err.OperationalError) as error:
        log_in(site, PRIMARY, user)
    assert error.value.args[0] == ER.ACCESS_DENIED_ERROR


def wait_until(site: Site, name: str, sql: str, wanted: Any) -> None:
    """Wait until an instance answers so."""
    with site.connect(name) as connection:
        found = look_until(lambda: connection.value(sql), lambda now: now == wanted, DEADLINE)
    assert found == wanted, f"{name}: {found!r} instead of {wanted!r}: {sql}"


def replicates(site: Site, by: str) -> None:
    """See that the replica receives that way, and that what is written now arrives."""
    wait_until(site, PRIMARY, RECEIVING, by)
    with site.connect(PRIMARY) as primary:
        primary.execute("CREATE DATABASE IF NOT EXISTS proof")
        primary.execute("CREATE TABLE IF NOT EXISTS proof.t (id INT AUTO_INCREMENT PRIMARY KEY)")
        primary.execute("INSERT INTO proof.t VALUES ()")
        executed = primary.value("SELECT @@global.gtid_executed")
    with site.connect(REPLICA) as replica:
        assert replica.value("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, 60)", (executed,)) == 0
