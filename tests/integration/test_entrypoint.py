# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's mysql images start as the official ones do: variables, files, what enters the binary log.

Each container is a set of namespaces over the image's own file tree; nothing of it reaches the tree.
"""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration import servers

pytestmark = pytest.mark.servers

START_SECONDS = 180
GTIDS = ("--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--log-bin=binlog")
READY = "port: 3306 "
INSIDE = """
set -e
tree=$1 folder=$2
shift 2
ip link set lo up
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$folder/written,workdir=$folder/work" "$folder/root"
mount -t proc proc "$folder/root/proc"
mount --rbind /dev "$folder/root/dev"
exec chroot "$folder/root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
"""


@dataclass
class Container:
    """One run of the image's entrypoint; `folder` keeps what it writes, as a volume does."""

    version: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def put(self, path: str, content: bytes) -> None:
        """Write a file that the container finds at a path."""
        file = self.folder / "written" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.parent.chmod(0o755)
        file.write_bytes(content)

    def _argv(self, *words: str) -> list[str]:
        for name in ("written", "work", "root"):
            (self.folder / name).mkdir(exist_ok=True)
        tree = servers.tree(self.version).resolve()
        spaces = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"]
        return [*spaces, "bash", "-c", INSIDE, "-", str(tree), str(self.folder), *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run to the end; words: NAME=value first, then the command."""
        argv = self._argv(*words)
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self, *words: str) -> None:
        """Start and return when the real server, not the temporary one, takes connections."""
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                self._argv(*words), stdout=log, stderr=subprocess.STDOUT, cwd="/"
            )
        deadline = time.monotonic() + START_SECONDS
        while READY not in self.log:
            ended = self.process.poll() is not None
            assert not ended, f"the container ended:\n{self.log}"
            assert time.monotonic() < deadline, f"the server did not start:\n{self.log}"
            time.sleep(0.05)

    def _server(self) -> str:
        """The pid of the container's first process, as the host counts."""
        assert self.process is not None
        return (
            Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().strip()
        )

    def client(self, program: str, *words: str, password: str = "") -> str:
        """Run a program inside the container."""
        enter = ["nsenter", f"--target={self._server()}", "--all", "--root", "--wd"]
        done = subprocess.run(
            [*enter, "env", f"MYSQL_PWD={password}", program, *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sql(self, statement: str, password: str) -> str:
        """Run a statement as root by TCP and return its rows, without names."""
        login = ("-uroot", "-h127.0.0.1", "--skip-column-names", "--batch")
        return self.client("mysql", *login, "-e", statement, password=password).strip()

    def binary_log(self) -> str:
        """Return all that the server wrote to its binary logs, as statements."""
        files = "mysqlbinlog /var/lib/mysql/binlog.[0-9]*"
        return self.client("sh", "-c", files)

    def stop(self) -> None:
        """Ask the server to end, as a kubelet does: unshare itself passes no signal on."""
        if self.process is not None and self.process.poll() is None:
            os.kill(int(self._server()), signal.SIGTERM)
            self.process.wait(START_SECONDS)
        self.process = None


@pytest.fixture
def container(tmp_path) -> Iterator[Callable[[str], Container]]:
    made: list[Container] = []

    def make(version: str) -> Container:
        folder = tmp_path / f"container-{len(made)}"
        folder.mkdir()
        made.append(Container(version, folder))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture(params=servers.VERSIONS)
def every_version(request) -> str:
    return str(request.param)


PASSWORD = 'it\'s "quoted" \\ and spaced'


def test_schema_user_and_files_are_made_and_logged_but_root_is_not(container, every_version):
    one = container(every_version)
    init = "/docker-entrypoint-initdb.d"
    one.put(f"{init}/1-table.sql", b"CREATE TABLE one (a INT);")
    one.put(f"{init}/2-packed.sql.gz", gzip.compress(b"CREATE TABLE two (a INT);"))
    one.put(f"{init}/3-script.sh", b'echo "a script for $MYSQL_DATABASE"\n')
    settings = (
        f"MYSQL_ROOT_PASSWORD={PASSWORD}",
        "MYSQL_INITDB_SKIP_TZINFO=1",
        "MYSQL_DATABASE=shop_one",
        "MYSQL_USER=seller",
        "MYSQL_PASSWORD=it's mine",
    )
    one.start(*settings, "docker-entrypoint.sh", "--server-id=7", *GTIDS)
    assert one.sql("SELECT @@server_id", PASSWORD) == "7"
    assert one.sql("SHOW TABLES IN shop_one", PASSWORD).split() == ["one", "two"]
    assert "a script for shop_one" in one.log
    mine = ("-useller", "-h127.0.0.1", "shop_one", "-e", "INSERT INTO one VALUES (1)")
    one.client("mysql", *mine, password="it's mine")

    logged = one.binary_log()
    for statement in (
        "CREATE DATABASE",
        "CREATE USER 'seller'@'%'",
        "CREATE TABLE one",
        "CREATE TABLE two",
    ):
        assert statement in logged
    assert "'root'" not in logged
    assert one.client("stat", "--format=%U", "/proc/1").strip() == "mysql"


def test_an_instance_without_schema_and_user_is_born_without_transactions(container, every_version):
    one = container(every_version)
    one.put("/run/secrets/root", PASSWORD.encode())
    settings = ("MYSQL_ROOT_PASSWORD_FILE=/run/secrets/root", "MYSQL_INITDB_SKIP_TZINFO=1")
    one.start(*settings, "docker-entrypoint.sh", "mysqld", "--server-id=11", *GTIDS)
    assert one.sql("SELECT @@gtid_executed", PASSWORD) == ""
    one.sql("CREATE DATABASE kept", PASSWORD)
    one.stop()

    one.start(*settings, "docker-entrypoint.sh", "mysqld", "--server-id=11", *GTIDS)
    assert "Initializing database files" not in one.log
    assert one.sql("SHOW DATABASES LIKE 'kept'", PASSWORD) == "kept"


def test_without_a_choice_about_root_s_password_nothing_is_made(container):
    one = container(servers.NEWEST)
    ended = one.run("docker-entrypoint.sh", "mysqld")
    assert ended.returncode == 1
    assert "password option is not specified" in ended.stderr
    assert not list((one.folder / "written" / "var" / "lib" / "mysql").glob("*"))


def test_a_password_both_given_and_filed_is_refused(container):
    ended = container(servers.NEWEST).run(
        "MYSQL_ROOT_PASSWORD=a", "MYSQL_ROOT_PASSWORD_FILE=/etc/hostname", "docker-entrypoint.sh"
    )
    assert ended.returncode == 1
    assert "Both MYSQL_ROOT_PASSWORD and MYSQL_ROOT_PASSWORD_FILE are set" in ended.stderr


def test_another_command_runs_as_it_is(container):
    one = container(servers.NEWEST)
    assert one.run("docker-entrypoint.sh", "echo", "hello").stdout == "hello\n"
    assert f"Ver {servers.NEWEST}" in one.run("docker-entrypoint.sh", "mysqld", "--version").stdout
