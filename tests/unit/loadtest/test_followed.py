# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from pathlib import Path

from ansible_collections.mysql_on.kubernetes.plugins.plugin_utils.followed import Follower
from ansible_collections.mysql_on.kubernetes.plugins.plugin_utils.progress import Progress


def test_lines_are_shown_whole_and_once(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    path.touch()
    shown: list[str] = []
    with Follower(path, Progress(shown.append)), path.open("a") as stream:
        for line in ("1 of 3\n", "2 of", " 3\n", "3 of 3\n", "never finished"):
            stream.write(line)
            stream.flush()
    assert [line.split(" | ")[1] for line in shown] == ["1 of 3", "2 of 3", "3 of 3"]


def test_letters_of_any_language_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    path.touch()
    shown: list[str] = []
    with Follower(path, Progress(shown.append)):
        path.write_text("요청 2200개 중 10개\n", encoding="utf-8")
    assert shown[0].endswith("요청 2200개 중 10개")
