# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values of files that MySQL's programs and the image's entrypoint read."""

from __future__ import annotations

from collections.abc import Callable

# What an option file, and a literal of SQL, take for something else inside quotes.
ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        '"': '\\"',
        "'": "\\'",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
    }
)


def mysql_escaped(text: str) -> str:
    """Return a text as it is written between quotes, of either kind, in SQL and in an option file."""
    return str(text).translate(ESCAPES)


def mysql_option_value(text: str) -> str:
    """Return a text as the value of an option, for ``password=`` in a file of a client."""
    return f'"{mysql_escaped(text)}"'


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Return them by name."""
        return {"mysql_escaped": mysql_escaped, "mysql_option_value": mysql_option_value}
