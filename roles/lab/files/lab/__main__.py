# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Start of the lab program: `python3 roles/lab/files/lab <command>`."""

from __future__ import annotations

import sys
from pathlib import Path

# Run as a folder, Python knows no package: name it, so that the modules inside can import each other.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
