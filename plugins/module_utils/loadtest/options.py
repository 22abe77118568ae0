# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options that load_test and path_check share, and what they allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..finding import CollectionError

# Bounds of the whole numbers; a load test may tire a cluster, never hurt a network.
BOUNDS: Mapping[str, tuple[int, int]] = {
    "reads": (1, 100_000),
    "writes": (0, 10_000),
    "concurrency": (1, 64),
    "max_seconds": (1, 600),
    "wait": (0, 600),
    "request_timeout": (1, 60),
}


def target_argument_spec() -> dict[str, Any]:
    """Return the options of the fragment ``target``."""
    return {
        "url": {"type": "str", "required": True},
        "host_header": {"type": "str", "default": ""},
        "client_command": {"type": "list", "elements": "str", "default": []},
        "request_timeout": {"type": "int", "default": 10},
        "allow_public": {"type": "bool", "default": False},
        "progress_file": {"type": "path"},
    }


def validate(params: Mapping[str, Any]) -> None:
    """Raise CollectionError naming the option, what was given and what is allowed."""
    url = urlsplit(params["url"])
    if url.scheme != "http" or not url.hostname or url.path not in ("", "/") or url.query:
        raise CollectionError(
            f"url: {params['url']!r} is not allowed; it is http://HOST or http://HOST:PORT,"
            " without a path"
        )
    for name, (least, most) in BOUNDS.items():
        if name in params and not least <= params[name] <= most:
            raise CollectionError(
                f"{name}: {params[name]} is not allowed; it is a whole number from {least} to {most}"
            )
    for name in ("read_path", "write_path"):
        if name in params:
            check_path(name, params[name])


def check_path(name: str, path: str) -> None:
    """Raise CollectionError where a path is not one that an HTTP request can name."""
    if not path.startswith("/") or not path.isascii() or any(c.isspace() for c in path):
        raise CollectionError(
            f"{name}: {path!r} is not allowed; it begins with / and has no spaces"
        )


def target_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the client program's job that says where to send requests."""
    names = ("url", "host_header", "request_timeout", "allow_public")
    return {name: params[name] for name in names}


def teller(path: str | None) -> Callable[[str], None]:
    """Return what shows a line of progress: it appends to the file, or does nothing."""

    def append(line: str) -> None:
        with open(str(path), "a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    return append if path else lambda line: None
