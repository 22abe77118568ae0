"""Install pip into a virtual environment from the wheel that lies beside this file.

ansible-test bootstraps pip with a script that it would download from a host that is not a package
registry. This one takes its place in ansible-test's own cache: it imports pip out of the wheel and
lets it install itself.
"""

import sys
from pathlib import Path

(wheel,) = Path(__file__).parent.glob("pip-*.whl")
sys.path.insert(0, str(wheel))

from pip._internal.cli.main import main  # noqa: E402 - the line above makes it importable

sys.exit(main(["install", "--no-index", "--no-deps", "--disable-pip-version-check", str(wheel)]))
