# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one place where libraries that may be missing are imported."""

from __future__ import annotations

import importlib
from types import ModuleType

from .finding import CollectionError

PACKAGES = {
    "pymysql": "PyMySQL",
    "kubernetes": "kubernetes",
    "yaml": "PyYAML",
}


def require(module: str) -> ModuleType:
    """Import a third-party module by its dotted name.

    Raises CollectionError naming the package to install where it is missing.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = PACKAGES.get(module.split(".", maxsplit=1)[0], module)
        raise CollectionError(
            f"The Python package {package} is needed on the controller: pip install {package} ({error})"
        ) from error
