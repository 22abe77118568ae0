# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""This machine's package source, read as apt reads it, and what image steps get of it."""

from __future__ import annotations

import pytest

from roles.lab.files.lab import buildah, debian
from roles.lab.files.lab.errors import LabError

BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_CODENAME=bookworm\n'


@pytest.fixture
def machine(tmp_path):
    """An empty /etc/apt and the os-release of Debian 12."""
    (tmp_path / "apt" / "sources.list.d").mkdir(parents=True)
    (tmp_path / "os-release").write_text(BOOKWORM)
    return tmp_path


def mirror(machine) -> str:
    return debian.mirror(machine / "apt", machine / "os-release")


def test_the_old_form_is_read_with_its_options_and_comments(machine):
    (machine / "apt" / "sources.list").write_text(
        "# deb http://commented.example/debian bookworm main\n"
        "deb-src http://source.example/debian bookworm main\n"
        "deb http://other.example/updates bookworm-updates main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main # mine\n"
    )
    assert mirror(machine) == "http://mirror.example/debian"


def test_the_new_form_is_read_with_comments_and_disabled_ones(machine):
    (machine / "apt" / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\nEnabled: no\n"
        "\n"
        "Types: deb\n# a note\nURIs: http://mirror.example/debian\nSuites: bookworm\n bookworm-updates\n"
        "Components: main contrib\nSigned-By: /k.gpg\n"
    )
    assert mirror(machine) == "http://mirror.example/debian"


def test_a_source_of_others_is_not_taken_for_debian(machine):
    (machine / "apt" / "sources.list.d" / "other.list").write_text(
        "deb https://packages.example/apt tool-bookworm main\n"
    )
    with pytest.raises(LabError) as failed:
        mirror(machine)
    assert "no source for Debian bookworm main" in str(failed.value)
    assert "https://packages.example/apt tool-bookworm" in str(failed.value)


def test_a_machine_that_is_no_debian_is_told_what_else_works(machine):
    (machine / "os-release").write_text('ID=fedora\nPRETTY_NAME="Fedora Linux 44"\n')
    with pytest.raises(LabError) as failed:
        mirror(machine)
    assert str(failed.value).splitlines()[0] == "The lab needs a Debian machine"
    assert "Fedora Linux 44" in str(failed.value)
    assert "KUBECONFIG=" in str(failed.value)


def test_image_steps_get_packages_where_this_machine_s_pip_does():
    text = buildah.pip_settings(
        ["[global]\nindex-url = https://one.example/simple\ncert = /their/own.pem\n"],
        {"PIP_TIMEOUT": "60"},
    )
    assert text.splitlines() == [
        "[global]",
        f"cert = {buildah.CA_BUNDLE}",
        "index-url = https://one.example/simple",
        "timeout = 60",
    ]


def test_a_variable_wins_over_pip_s_file():
    text = buildah.pip_settings(
        ["[global]\nindex-url = https://file.example/simple\n"],
        {"PIP_INDEX_URL": "https://variable.example/simple"},
    )
    assert "file.example" not in text
    assert "index-url = https://variable.example/simple" in text


def test_image_steps_use_this_machine_s_proxy_and_nothing_else_of_apt():
    text = buildah.apt_settings(
        'Acquire "";\nAcquire::http::Proxy "http://proxy.example:3128";\nAPT::Architecture "amd64";\n'
    )
    assert text == 'Acquire::http::Proxy "http://proxy.example:3128";\n'
    assert buildah.apt_settings('APT::Architecture "amd64";\n') == ""
