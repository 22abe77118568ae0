# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a lab keeps its files, what it remembers, and who may work on it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .definition import Definition, HostLink, Node
from .errors import LabError
from .system import start_time

DEFAULT_ROOT = Path("/var/lib/mysql_on_kubernetes/labs")
LOCK_WAIT = 1800.0
"""Seconds that one command waits for another to end: as long as a first build may take."""
NAME = re.compile(r"[a-z][a-z0-9-]{0,15}")
LINKS = 255


@dataclass(frozen=True)
class State:
    """What a lab remembers between commands.

    definition: the definition's key. index: the host link's number. initialized: kubeadm init ended well.
    images: per node, the archives that were imported (file names, which hold a hash of their content).
    """

    definition: str
    index: int
    initialized: bool = False
    images: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Lab:
    """One lab: its name and its folders."""

    name: str
    root: Path
    definition: Definition

    @property
    def folder(self) -> Path:
        """All that the lab keeps."""
        return self.root / self.name

    @property
    def pins(self) -> Path:
        """Bind mounts that keep the namespaces without a process in them."""
        return self.folder / "namespaces"

    @property
    def logs(self) -> Path:
        """Logs of the supervisor, containerd, kubelet and kubeadm."""
        return self.folder / "logs"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, as the host uses it."""
        return self.folder / "kubeconfig"

    @property
    def supervisor_pid(self) -> Path:
        """The supervisor's pid and start time."""
        return self.folder / "supervisor.json"

    @property
    def index_pid(self) -> Path:
        """The package index's pid and start time."""
        return self.folder / "index.json"

    def node_folder(self, node: Node) -> Path:
        """A node's disks."""
        return self.folder / "nodes" / node.name

    @property
    def cgroup(self) -> str:
        """The lab's cgroup, without a leading slash."""
        return f"mysql_on_kubernetes/{self.name}"

    def node_cgroup(self, node: Node) -> str:
        """The node's cgroup, without a leading slash."""
        return f"{self.cgroup}/{node.name}"


def open_lab(name: str, definition: Definition, root: Path | None = None) -> Lab:
    """Return the lab of that name, made or not. Raises LabError if the name can't be one."""
    if not NAME.fullmatch(name):
        raise LabError(
            f"LAB is {name!r}: not a name for a lab",
            [f"allowed: a lower-case letter, then at most 15 of a-z, 0-9 and '-' ({NAME.pattern})"],
            "choose such a name, for example LAB=lab2",
        )
    chosen = root or Path(os.environ.get("MYSQL_ON_KUBERNETES_LABS") or DEFAULT_ROOT)
    return Lab(name, chosen, definition)


def read_state(lab: Lab) -> State | None:
    """Return what the lab remembers, or None if there is no such lab. Raises LabError if unreadable."""
    return _read(lab.folder)


def _read(folder: Path) -> State | None:
    file = folder / "state.json"
    try:
        data = json.loads(file.read_text())
        return State(**data)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise LabError(
            f"The lab's state can't be read: {file}",
            [str(error)],
            f"remove the lab with all its data and make it anew: make lab-reset LAB={folder.name}",
        ) from error


def write_state(lab: Lab, state: State) -> None:
    """Write what the lab remembers: whole or not at all."""
    write_file(lab.folder / "state.json", json.dumps(asdict(state), indent=1) + "\n")


def write_file(path: Path, text: str, mode: int = 0o600) -> bool:
    """Write a file in one step; return whether its content changed."""
    if path.exists() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(text)
    draft.chmod(mode)
    draft.rename(path)
    return True


def note_process(file: Path, pid: int) -> None:
    """Write which process does a work, so that it is known for good."""
    write_file(file, json.dumps({"pid": pid, "start": start_time(pid)}))


def noted_process(file: Path) -> int | None:
    """Return the pid that a file notes, or None if that process is gone."""
    try:
        noted = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return noted["pid"] if start_time(noted["pid"]) == noted["start"] else None


def all_labs(root: Path) -> dict[str, State]:
    """Return every lab under the root that remembers something."""
    if not root.is_dir():
        return {}
    found: dict[str, State] = {}
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and NAME.fullmatch(folder.name):
            state = _read(folder)
            if state is not None:
                found[folder.name] = state
    return found


def ensure_state(lab: Lab) -> State:
    """Return the lab's state, made if it is new. Raises LabError for a lab of another definition."""
    state = read_state(lab)
    wanted = lab.definition.key()
    if state is None:
        state = State(definition=wanted, index=free_index(all_labs(lab.root)))
        write_state(lab, state)
    if state.definition != wanted:
        raise LabError(
            f"The lab {lab.name!r} was made from another definition than this checkout's",
            [
                f"the lab's: {state.definition}; this checkout's: {wanted}",
                f"it lies in {lab.folder}, and with it all that is stored in its cluster",
            ],
            "keep it beside a new one (make lab LAB=<another name>), or remove it with all its data: "
            f"make lab-reset LAB={lab.name}",
        )
    return state


def free_index(labs: dict[str, State]) -> int:
    """Return the lowest number that no other lab's host link has. Raises LabError if there is none."""
    taken = {state.index for state in labs.values()}
    for index in range(LINKS):
        if index not in taken:
            return index
    raise LabError(
        f"There are {len(labs)} labs on this machine: no network is left for one more",
        [f"each takes one of {LINKS} networks, from {HostLink(0).network} on"],
        "remove one with all its data: make lab-reset LAB=<name>",
    )


def remember(lab: Lab, state: State) -> State:
    """Write the state and return it."""
    write_state(lab, state)
    return state


@contextmanager
def locked(lab: Lab, report: Callable[[str], None], wait: float = LOCK_WAIT) -> Iterator[None]:
    """Hold the lab alone. Waits for another command to end. Raises LabError after `wait` seconds."""
    lab.root.mkdir(parents=True, exist_ok=True)
    path = lab.root / f".{lab.name}.lock"
    with path.open("a+") as file:
        _take(file.fileno(), path, report, time.monotonic() + wait)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _take(descriptor: int, path: Path, report: Callable[[str], None], deadline: float) -> None:
    """Lock the file, saying every few seconds who holds it."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = path.read_text().strip() or "another"
        if time.monotonic() > deadline:
            raise LabError(
                "Another command works on this lab and does not end",
                [f"process {holder} holds {path}"],
                "look at what it does, end it, and run this again",
            )
        report(f"another command works on this lab (process {holder}): waiting for it to end")
        time.sleep(2)
