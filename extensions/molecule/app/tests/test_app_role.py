"""The application after it was broken and mended: each path answers from another host of the LAN."""

from __future__ import annotations

import pytest

from extensions.molecule.shared import lab
from tests.integration.cluster import lan_client
from tests.integration.runner import succeed

HOST = f"{lab.NAMESPACE}.example"


@pytest.mark.parametrize(
    ("path", "words"),
    [("/", "A replicated MySQL"), ("/vew", "Departments"), ("/bucket", "Employees API")],
)
def test_the_paths_answer_from_the_lan(path: str, words: str) -> None:
    wanted = {
        "url": "http://192.168.0.251",
        "host_header": HOST,
        "client_command": lan_client(),
        "paths": [{"path": path, "contains": words}],
        "wait": 20,
    }
    assert succeed("path_check", wanted)["paths"][0]["status"] == 200


def test_the_backend_runs_as_nobody_special_and_its_password_is_no_argument() -> None:
    (pod,) = lab.objects("pods", "app.kubernetes.io/name=app-api")
    container = pod["spec"]["containers"][0]["name"]
    api = lab.host(pod["metadata"]["name"], container)
    assert api.check_output("id -u") != "0"
    assert "password" not in api.file("/proc/1/cmdline").content_string.lower()
