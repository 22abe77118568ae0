# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The words of the dialect table for templates: what is said to the MySQL of an image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils.finding import CollectionError
from ..module_utils.kube.room import image_version
from ..module_utils.mysql import dialect

# A tag such as 8.0 means the newest of its series; no tag at all the newest of all.
NEWEST = 999
# What makes an option that a server does not know a note in its log.
LOOSE = "loose-"


def mysql_words(name: str, image: str) -> str:
    """Return a statement, an option of change_source or a variable as the image's MySQL knows it."""
    version = (*image_version(image), NEWEST, NEWEST, NEWEST)[:3]
    look_up: Callable[[str, tuple[int, ...]], str] = dialect.variable
    if name in dialect.STATEMENTS:
        look_up = dialect.statement
    elif name in dialect.OPTIONS:
        look_up = dialect.option
    try:
        return look_up(name, version)
    except CollectionError as error:
        raise AnsibleFilterError(error.message) from error


def mysql_options(config: Mapping[str, Any], image: str) -> dict[str, Any]:
    """Return options of my.cnf as the image's MySQL takes them without a warning.

    They are named as the newest version does, with or without ``loose-``. Where the tag tells no
    version that is known here they stay as they are.
    """
    told = image_version(image)
    version = (*told, NEWEST, NEWEST, NEWEST)[:3]
    if not told or version < dialect.OLDEST:
        return dict(config)
    made = {}
    for option, value in config.items():
        name = option.removeprefix(LOOSE)
        said = dialect.server_option(name, version)
        if said is not None:
            made[option[: len(option) - len(name)] + said] = value
    return made


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"mysql_words": mysql_words, "mysql_options": mysql_options}
