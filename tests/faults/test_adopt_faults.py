# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a MySQL that somebody built cannot be taken over as it is: named, and taken over once told what it asks for.

The last test tells it all of that at once, and takes it over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import fixes
from tests.integration import cluster
from tests.integration.course import MY_CNF, PASSWORD, ByHand
from tests.integration.runner import codes, fail, succeed
from tests.integration.site import Site

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

Object = dict[str, Any]

PRIMARY, REPLICA = "mysql-primary", "mysql-replica"
FIXED = "lower_case_table_names"
THEIRS = f"""{MY_CNF}{FIXED}=1
datadir=/var/lib/mysql
socket=/var/run/mysqld/mysqld.sock
"""
# What has to be said of the two servers before they can be taken over, as the playbook takes it.
TOLD: Object = {
    "cluster_replicas": 1,
    "cluster_image": cluster.IMAGE,
    "cluster_mysql_config": {FIXED: 1},
    "adopt_primary": PRIMARY,
    "adopt_root_password": PASSWORD,
}


@pytest.fixture(scope="module")
def built() -> Iterator[ByHand]:
    """Two servers that no Service leads to, of a password that no Deployment tells any more."""
    site = Site()
    try:
        made = ByHand(site, cluster.IMAGE, THEIRS)
        for name in (PRIMARY, REPLICA):
            # The image's file turns the resolution of names off for good; the replica's has another one.
            whole = name == REPLICA
            spec = made.deployment(name, made.claim(f"{name}-pvc"), whole_file=whole)
            made.make("Deployment", name, spec=spec)
        for name in (PRIMARY, REPLICA):
            made.wait_until_it_answers(name)
            made.renew(name, f"set env deployment/{name} MYSQL_ROOT_PASSWORD-")
        yield made
    finally:
        site.remove()


def look(built: ByHand, **otherwise: Any) -> Object:
    """What adoption_info is asked: all that has to be said, but for what is given otherwise."""
    return {
        "kubeconfig": cluster.kubeconfig(),
        "namespace": built.site.namespace,
        "instances": ["mysql-1", "mysql-11"],
        "image": cluster.IMAGE,
        "primary": PRIMARY,
        "login_password": PASSWORD,
        "options": {FIXED: 1},
        **otherwise,
    }


def refused(built: ByHand, code: str, **otherwise: Any) -> Object:
    """The finding with which it is not taken over; no other cause is in the way."""
    result = fail("adoption_info", look(built, **otherwise))
    assert [one for one in codes(result) if one.startswith("adopt.")] == [code]
    return fixes.the(result, code)


def assert_it_can_be_adopted(built: ByHand, *options: str, **otherwise: Any) -> None:
    """Assert that the playbook plans it; options: as a next step prints them."""
    variables = {**TOLD, **otherwise}
    played = built.site.play("--check", *options, playbook="adopt", **variables)
    assert not played.failed, played.output
    assert f"Would adopt {PRIMARY} as mysql-1" in played.output


def printed(finding: Object) -> str:
    """The option of ansible-playbook that a next step prints."""
    match = re.search(r"-e (\w+=\S+)", finding["fix"])
    assert match, f"no option in: {finding['fix']}"
    return match[1]


def test_fewer_or_more_servers_than_instances(built: ByHand) -> None:
    names = ["mysql-1", "mysql-11", "mysql-12"]
    finding = refused(built, "adopt.instance_count", instances=names)
    assert finding["proof"][0] == f"found: {PRIMARY}, {REPLICA}"
    assert_it_can_be_adopted(built, "-e", printed(finding), cluster_replicas=2)


def test_nothing_leads_to_a_primary(built: ByHand) -> None:
    finding = refused(built, "adopt.primary_unknown", primary=None)
    assert finding["proof"][0] == "Service mysql-write does not exist"
    option = printed(finding).replace("NAME", PRIMARY)
    assert_it_can_be_adopted(built, "-e", option, adopt_primary="")


def test_no_deployment_tells_the_password(built: ByHand) -> None:
    finding = refused(built, "adopt.password_unknown", login_password=None)
    assert finding["proof"][0] == f"Deployment {PRIMARY}: no MYSQL_ROOT_PASSWORD"
    option = printed(finding).replace("...", PASSWORD)
    assert_it_can_be_adopted(built, "-e", option, adopt_root_password="")


def test_another_image_is_wanted_than_the_one_that_runs(built: ByHand) -> None:
    older = "docker.io/library/mysql:8.0.15"
    result = fail("adoption_info", look(built, image=older))
    finding = fixes.the(result, "adopt.image_differs")
    said = [f"Deployment {PRIMARY}: image {cluster.IMAGE}", f"cluster_image: {older}"]
    assert finding["proof"] == said
    assert_it_can_be_adopted(built, "-e", printed(finding), cluster_image=older)


def test_its_data_was_initialized_with_another_option(built: ByHand) -> None:
    result = fail("adoption_info", look(built, options={}))
    finding = fixes.the(result, "adopt.option_fixed")
    assert finding["proof"][0] == f"@@{FIXED} = 1 on {PRIMARY}"
    words = re.search(r"add (\w+) to cluster_mysql_config with the value (\w+)", finding["fix"])
    assert words
    option = json.dumps({"cluster_mysql_config": {words[1]: words[2]}})
    assert_it_can_be_adopted(built, "-e", option, cluster_mysql_config={})


def test_root_is_known_by_the_name_of_the_machine_alone(built: ByHand) -> None:
    """Where names are not resolved the login is refused now, where they are it would be afterwards."""
    for name, code in ((PRIMARY, "adopt.root_refused"), (REPLICA, "adopt.root_host")):
        with built.connect(name) as connection:
            connection.execute("DROP USER root@'%'")
        finding = refused(built, code)
        assert finding["subject"] == name
        account = re.search(r"'root'@'%'", finding["fix"])
        assert account
        if name == PRIMARY:
            assert sockets_answer(finding).split() == ["host", "localhost"]
        statements = (
            f"CREATE USER {account[0]} IDENTIFIED BY '{PASSWORD}'",
            f"GRANT ALL ON *.* TO {account[0]} WITH GRANT OPTION",
        )
        by_socket(built, name, "; ".join(statements))
    succeed("adoption_info", look(built))


def sockets_answer(finding: Object) -> str:
    """What the command of a next step says: without a terminal, and told the password."""
    said = finding["fix"].replace(" -it ", " ").replace(" -p ", f" -p{PASSWORD} ")
    return fixes.run_command({**finding, "fix": said}, cluster.kubeconfig())


def by_socket(built: ByHand, name: str, statements: str) -> None:
    login = f"mysql -uroot -p{PASSWORD}"
    built.kubectl(f'exec deployment/{name} -- {login} -e "{statements}"')


def test_told_all_of_it_it_is_taken_over(built: ByHand) -> None:
    volumes = built.volumes()
    told = {**TOLD, "adopt_confirm": built.site.word}
    played = built.site.play(playbook="adopt", **told)
    assert not played.failed, played.output
    assert built.volumes() == volumes
    for name in ("mysql-1", "mysql-11"):
        # Names are not resolved any more.
        assert built.value(name, "SELECT CURRENT_USER()") == "root@%"
        assert built.value(name, f"SELECT @@{FIXED}") == 1


def test_its_data_lies_where_it_cannot_be_taken_over() -> None:
    """One server whose data goes with its Pod, of which there are two; another's is in a folder of its claim."""
    site = Site(cluster_replicas=1)
    fleeting, folder = "mysql-fleeting", "mysql-folder"
    try:
        built = ByHand(site, cluster.IMAGE)
        spec = built.deployment(fleeting, {"emptyDir": {}}, replicas=2)
        built.make("Deployment", fleeting, spec=spec)
        claim = built.claim(f"{folder}-pvc")
        built.make("Deployment", folder, spec=built.deployment(folder, claim, sub_path="inner"))
        built.wait_until_it_answers(folder)
        with built.connect(folder) as connection:
            connection.execute("CREATE DATABASE kept")

        asked = look(built, primary=folder, login_password=None, options={})
        found = fail("adoption_info", asked)["findings"]
        assert {one["code"] for one in found} == {"adopt.deployment_form"}
        first, second = found
        assert [line.split(";")[0] for line in first["proof"]] == [
            "spec.replicas = 2",
            "/var/lib/mysql lies on no PersistentVolumeClaim: its data goes with its Pod",
        ]
        assert second["proof"] == [
            "/var/lib/mysql is the folder inner of its claim (subPath), not the whole"
        ]
        assert first["fix"].startswith("bring it into the form that the proof names")

        put_on_a_claim(built, fleeting)
        move_up(built, folder, claim)
        succeed("adoption_info", asked)
        assert built.value(folder, "SHOW DATABASES LIKE 'kept'") == "kept"
    finally:
        site.remove()


def put_on_a_claim(built: ByHand, name: str) -> None:
    """One Pod, and its data on a claim."""
    volume = {"name": "data", "emptyDir": None, **built.claim(f"{name}-pvc")}
    patch(built, name, {"volumes": [volume]})


def move_up(built: ByHand, name: str, claim: Object) -> None:
    """Its data out of the folder of its claim, and the folder out of the Deployment."""
    built.kubectl(f"scale deployment/{name} --replicas=0")
    built.kubectl(f"wait pod -l name={name} --for=delete --timeout=120s")
    move = "cd /claim; find inner -mindepth 1 -maxdepth 1 -exec mv -t . {} + && rmdir inner"
    mount = {"name": "data", "mountPath": "/claim"}
    mover = cluster.container(command=["sh", "-c", move], volumeMounts=[mount])
    more = {"volumes": [{"name": "data", **claim}], "restartPolicy": "Never"}
    built.make("Pod", "mover", spec=cluster.pod_spec(mover, **more))
    built.kubectl("wait pod mover --for=jsonpath='{.status.phase}'=Succeeded --timeout=120s")
    whole = {"mountPath": "/var/lib/mysql", "subPath": None}
    patch(built, name, {"containers": [{"name": "mysql", "volumeMounts": [whole]}]})


def patch(built: ByHand, name: str, pod: Object) -> None:
    """Change the Pod of a Deployment, of which there is one afterwards."""
    text = json.dumps({"spec": {"replicas": 1, "template": {"spec": pod}}})
    built.kubectl(f"patch deployment {name} -p '{text}'")
    built.wait_until_it_answers(name)
