from __future__ import annotations

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import topology


def deployment(name: str, *args: str) -> dict:
    container = {"name": "mysql", "image": "mysql:9.7", "args": list(args)}
    return {
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def pod(server: str, name: str, *, reads: str = "yes", made: str = "1", leaving: bool = False):
    metadata = {
        "name": name,
        "creationTimestamp": made,
        "labels": {topology.SERVER_LABEL: server, topology.READS_LABEL: reads},
    }
    if leaving:
        metadata["deletionTimestamp"] = "2"
    return {
        "metadata": metadata,
        "spec": {"nodeName": "worker1"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def service(server: str) -> dict:
    return {"spec": {"selector": {topology.SERVER_LABEL: server}}}


THREE = [
    deployment("mysql-12", "--server-id=12"),
    deployment("mysql-1", "--server-id=1"),
    deployment("mysql-11", "--server-id=11"),
]


def test_the_primary_is_the_instance_that_the_service_selects():
    seen = topology.build("shop", THREE, [], service("mysql-11"))
    assert seen.primary == "mysql-11"
    assert [replica.name for replica in seen.replicas()] == ["mysql-1", "mysql-12"]


def test_without_a_service_nobody_is_primary_and_nobody_a_replica():
    seen = topology.build("shop", THREE, [], None)
    assert seen.primary == ""
    assert seen.replicas() == []
    assert seen.names() == ["mysql-1", "mysql-11", "mysql-12"]


def test_a_service_that_selects_a_stranger_leaves_no_primary():
    assert topology.build("shop", THREE, [], service("mysql-99")).primary == ""


def test_a_pod_that_is_going_away_is_not_the_instances_pod():
    pods = [pod("mysql-1", "old", made="3", leaving=True), pod("mysql-1", "new", reads="no")]
    seen = topology.build("shop", THREE, pods, service("mysql-1"))
    first = seen.instances[0]
    assert (first.pod, first.node, first.ready, first.reads) == ("new", "worker1", True, False)


def test_a_deployment_without_a_server_id_shows_zero():
    seen = topology.build("shop", [deployment("mysql-1")], [], None)
    assert seen.instances[0].server_id == 0


def test_an_instance_is_reached_through_its_deployment():
    seen = topology.build("shop", THREE, [], service("mysql-1"))
    assert seen.instances[0].as_dict("shop") == {
        "name": "mysql-1",
        "pod": {"namespace": "shop", "deployment": "mysql-1"},
    }


def test_a_pod_without_its_deployment_is_an_orphan_while_reads_may_go_to_it():
    pods = [
        pod("mysql-11", "mysql-11-a"),
        pod("mysql-13", "mysql-13-a"),
        pod("mysql-14", "mysql-14-a", reads="no"),
        pod("mysql-15", "mysql-15-a", leaving=True),
    ]
    assert topology.build("shop", THREE, pods, None).orphans == ("mysql-13-a",)


def test_what_an_instance_was_made_with_is_read_from_its_template():
    made = deployment("mysql-1")
    made["spec"]["template"]["metadata"] = {
        "annotations": {
            topology.CONFIG_ANNOTATION: "0123456789abcdef",
            topology.TLS_ANNOTATION: "ab",
        }
    }
    (found,) = topology.build("shop", [made], [], None).instances
    assert (found.config, found.tls) == ("0123456789abcdef", "ab")
    assert topology.build("shop", THREE, [], None).instances[0].config == ""
