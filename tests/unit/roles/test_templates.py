"""The objects that the roles make, rendered as Ansible renders them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from ansible_collections.mysql_on.kubernetes.plugins.filter.mysql_words import mysql_options
from ansible_collections.mysql_on.kubernetes.plugins.plugin_utils.python_pod import python_pod

ROLES = Path(__file__).resolve().parents[3] / "roles"
CLUSTER = Path(__file__).resolve().parents[3] / "playbooks" / "group_vars" / "all.yml"
# What runs Python of our own: the filter's answer by the variable of the role that asks it.
PODS = {
    "app": {
        "app_api_code": python_pod({}, "app-api-code", ["apps.api.main"], ["app"]),
        "app_web_code": python_pod(
            {},
            *("app-web-code", ["apps.web.main"], ["app"]),
            ["apps/web/templates", "apps/web/static"],
        ),
    },
    "recovery": {
        "recovery_code": python_pod(
            {}, "mysql-recovery", ["mysql_on_kubernetes.recovery.remote"], ["tools"]
        )
    },
}


@pytest.fixture(scope="module", autouse=True)
def _plugins():
    """Lookups are plugins: without this Ansible finds none outside of its own commands."""
    init_plugin_loader()


def trusted(value: Any) -> Any:
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return value


def variables(role: str) -> dict[str, Any]:
    found: dict[str, Any] = {"ansible_search_path": [str(ROLES / role)]}
    for part in ("defaults", "vars"):
        path = ROLES / role / part / "main.yml"
        if path.exists():
            found.update(trusted(yaml.safe_load(path.read_text())))
    if "db_config_base" in found:
        # Ansible finds a collection's own filters only where no test has imported the collection yet.
        found["db_config_base"] = mysql_options(found["db_config_every"], "mysql:9.7")
    found.update(PODS.get(role, {}))
    return found


def render(role: str, template: str, **overrides: Any) -> list[dict[str, Any]]:
    loader = DataLoader()
    loader.set_basedir(str(ROLES / role))
    templar = Templar(loader=loader, variables={**variables(role), **overrides})
    text = (ROLES / role / "templates" / template).read_text()
    rendered = templar.template(trust_as_template(text))
    return [document for document in yaml.safe_load_all(str(rendered)) if document]


def evaluate(role: str, name: str, **overrides: Any) -> Any:
    """The value of one of a role's variables, as a task would see it."""
    loader = DataLoader()
    loader.set_basedir(str(ROLES / role))
    values = {**variables(role), **overrides}
    return Templar(loader=loader, variables=values).template(values[name])


def topology(primary: str, *instances: tuple[str, bool]) -> dict[str, Any]:
    """What mysql_topology returns of instances, each with whether it is ready."""
    return {
        "primary": {"name": primary} if primary else {},
        "instances": [
            {"name": name, "ready": ready, "config": "", "image": "", "fenced": False}
            for name, ready in instances
        ],
        "orphans": [],
    }


def compared(*changed: str, unchanged: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a dry run of kubernetes.core.k8s returns of Deployments."""
    results = [
        {"changed": name in changed, "result": {"kind": "Deployment", "metadata": {"name": name}}}
        for name in (*changed, *unchanged)
    ]
    return {"result": {"results": results}}


def cluster_value(name: str, **given: Any) -> Any:
    """The value of one of the playbooks' variables."""
    values = trusted(yaml.safe_load(CLUSTER.read_text()))
    return Templar(loader=DataLoader(), variables={**values, **given}).template(values[name])


def cluster_instances(replicas: Any) -> list[dict[str, Any]]:
    return cluster_value("cluster_instances", cluster_replicas=replicas)


def test_a_scratch_server_gets_the_options_that_the_data_depends_on_and_no_other():
    given = {"lower-case-table-names": 1, "max_connections": 5, "loose_innodb_page_size": "8k"}
    assert cluster_value("cluster_scratch_arguments", cluster_mysql_config=given) == [
        "--loose-innodb-native-foreign-keys=ON",
        "--loose-lower-case-table-names=1",
        "--loose-innodb-page-size=8k",
    ]
    # What is given later wins.
    off = {"innodb_native_foreign_keys": "OFF"}
    found = cluster_value("cluster_scratch_arguments", cluster_mysql_config=off)
    assert found[-1] == "--loose-innodb-native-foreign-keys=OFF"


@pytest.mark.parametrize("replicas", [0, 2, "2", 9])
def test_every_instance_has_a_server_id_of_its_own(replicas):
    instances = cluster_instances(replicas)
    assert [instance["server_id"] for instance in instances] == [1, *range(11, 11 + int(replicas))]
    assert len({instance["name"] for instance in instances}) == int(replicas) + 1


def test_the_server_id_is_an_argument_of_each_deployment():
    deployments = render("db", "mysql-deploy.yaml.j2")
    arguments = {
        deployment["metadata"]["name"]: deployment["spec"]["template"]["spec"]["containers"][0][
            "args"
        ]
        for deployment in deployments
    }
    assert arguments == {
        "mysql-1": ["--server-id=1"],
        "mysql-11": ["--server-id=11"],
        "mysql-12": ["--server-id=12"],
    }


def test_no_instance_is_born_with_transactions_of_its_own():
    for deployment in render("db", "mysql-deploy.yaml.j2"):
        environment = {
            variable["name"]: variable["value"]
            for variable in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        }
        assert environment["MYSQL_INITDB_SKIP_TZINFO"] == "1"
        assert not environment.keys() & {"MYSQL_DATABASE", "MYSQL_USER", "MYSQL_PASSWORD"}


def test_two_servers_never_share_a_volume():
    deployments = render("db", "mysql-deploy.yaml.j2")
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for deployment in deployments
        for volume in deployment["spec"]["template"]["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    ]
    assert len(set(claims)) == len(deployments)
    assert {deployment["spec"]["strategy"]["type"] for deployment in deployments} == {"Recreate"}


def test_writes_lead_to_one_instance_and_reads_to_the_replicas():
    write, read = render("db", "mysql-services.yaml.j2", db_primary_name="mysql-11")
    assert write["spec"]["selector"]["mysql-on.kubernetes/server"] == "mysql-11"
    assert read["spec"]["selector"]["mysql-on.kubernetes/reads"] == "yes"
    labels = [
        deployment["spec"]["template"]["metadata"]["labels"]["mysql-on.kubernetes/reads"]
        for deployment in render("db", "mysql-deploy.yaml.j2")
    ]
    assert labels == ["no", "yes", "yes"]


def test_a_changed_option_changes_the_pods_and_an_unchanged_one_does_not():
    def annotation(**overrides: Any) -> str:
        first = render("db", "mysql-deploy.yaml.j2", **overrides)[0]
        return first["spec"]["template"]["metadata"]["annotations"]["mysql-on.kubernetes/config"]

    assert annotation() == annotation()
    assert annotation() != annotation(db_config={"max_connections": 50})


def test_the_users_options_win_over_the_roles_own():
    config = render("db", "mysql-config.yaml.j2", db_config={"max_connections": 50})[0]
    lines = [line.strip() for line in config["data"]["my.cnf"].splitlines()]
    assert "max_connections = 50" in lines
    assert "max_connections = 300" not in lines
    assert "gtid_mode = ON" in lines


PASSWORDS = {"root": "one", "replication": "two", "app": "three", "probe": "q", "clone": "c"}


def test_a_secret_that_is_there_is_never_made_again():
    def names(found: list[str]) -> list[str]:
        rendered = render(
            "db",
            "mysql-secret.yaml.j2",
            db_secrets={"resources": [{"metadata": {"name": name}} for name in found]},
            db_passwords=PASSWORDS,
        )
        return [secret["metadata"]["name"] for secret in rendered]

    assert names([]) == ["mysql-auth", "mysql-app"]
    assert names(["mysql-auth"]) == ["mysql-app"]
    assert names(["mysql-app"]) == ["mysql-auth"]


def test_each_instance_gets_a_claim_of_the_chosen_class():
    storage = {"storage_class": "hostpath"}
    namespace, *claims = render("infra", "mysql-pvc.yaml.j2", infra_storage=storage)
    assert namespace["kind"] == "Namespace"
    assert [claim["metadata"]["name"] for claim in claims] == ["mysql-1", "mysql-11", "mysql-12"]
    assert {claim["spec"]["storageClassName"] for claim in claims} == {"hostpath"}


THREE = (("mysql-1", True), ("mysql-11", True), ("mysql-12", True))


@pytest.mark.parametrize(
    ("seen", "order"),
    [
        (topology("mysql-1", *THREE), ["mysql-11", "mysql-12", "mysql-1"]),
        (topology("mysql-11", *THREE), ["mysql-1", "mysql-12", "mysql-11"]),
        (
            topology("mysql-1", ("mysql-1", True), ("mysql-11", True), ("mysql-12", False)),
            ["mysql-12", "mysql-11", "mysql-1"],
        ),
        (
            topology("mysql-1", ("mysql-1", False), ("mysql-11", True), ("mysql-12", True)),
            ["mysql-1", "mysql-11", "mysql-12"],
        ),
        (topology("", *THREE), []),
    ],
    ids=["primary last", "after a switchover", "broken first", "broken primary", "not in service"],
)
def test_instances_roll_one_by_one_the_primary_last(seen, order):
    changes = compared("mysql-1", "mysql-11", "mysql-12")
    assert evaluate("db", "db_to_roll", db_topology=seen, db_compared=changes) == order


def test_what_does_not_change_and_what_goes_is_not_rolled():
    seen = topology("mysql-1", *THREE, ("mysql-13", True))
    changes = compared("mysql-12", "mysql-13", unchanged=("mysql-1", "mysql-11"))
    assert evaluate("db", "db_to_roll", db_topology=seen, db_compared=changes) == ["mysql-12"]


def test_an_instance_that_nobody_names_any_more_is_surplus():
    seen = topology("mysql-1", *THREE, ("mysql-13", True))
    surplus = evaluate("db", "db_surplus", db_topology=seen)
    assert [instance["name"] for instance in surplus] == ["mysql-13"]


def test_only_what_is_not_on_this_image_and_these_options_is_checked():
    seen = topology("mysql-1", *THREE)
    image = evaluate("db", "db_image")
    fingerprint = evaluate("db", "db_config_fingerprint")
    seen["instances"][0].update(config=fingerprint, image=image)
    seen["instances"][1].update(config="another", image=image)
    seen["instances"][2].update(config=fingerprint, image="mysql:8.4")
    assert evaluate("db", "db_unchecked", db_topology=seen) == ["mysql-11", "mysql-12"]


def test_a_primary_that_a_failover_ended_stays_so_until_it_is_named():
    seen = topology("mysql-11", *THREE)
    seen["instances"][0].update(fenced=True)
    deployed = render("db", "mysql-deploy.yaml.j2", db_topology=seen)
    assert [one["metadata"]["name"] for one in deployed] == ["mysql-11", "mysql-12"]
    reads = "mysql-on.kubernetes/reads"
    labels = [one["spec"]["template"]["metadata"]["labels"][reads] for one in deployed]
    assert labels == ["yes", "yes"], "as before: a changed label would restart them"
    assert "mysql-1" not in evaluate("db", "db_unchecked", db_topology=seen)
    back = render("db", "mysql-deploy.yaml.j2", db_topology=seen, db_unfence=["mysql-1"])
    assert [one["metadata"]["name"] for one in back] == ["mysql-1", "mysql-11", "mysql-12"]


def test_a_drain_takes_one_instance_at_a_time():
    (budget,) = render("db", "mysql-budget.yaml.j2")
    labels = render("db", "mysql-deploy.yaml.j2")[0]["spec"]["template"]["metadata"]["labels"]
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_a_primary_alone_is_read_from_too():
    alone = [{"name": "mysql-1", "server_id": 1}]
    names = {"db_instances": alone, "db_primary_name": "mysql-1"}
    _write, read = render("db", "mysql-services.yaml.j2", **names)
    assert read["spec"]["selector"]["mysql-on.kubernetes/server"] == "mysql-1"


def test_resources_and_times_are_variables():
    given = {"db_cpu_limit": "2", "db_start_timeout": 601, "db_stop_timeout": 90}
    spec = render("db", "mysql-deploy.yaml.j2", **given)[0]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "2Gi"}
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] == 602
    assert spec["terminationGracePeriodSeconds"] == 90
    default = render("db", "mysql-deploy.yaml.j2")[0]["spec"]["template"]["spec"]
    assert "cpu" not in default["containers"][0]["resources"]["limits"]


SHOP = [
    {"name": "shop_1", "users": [{"name": "Shop_app"}, {"name": "app", "privileges": ["SELECT"]}]},
    {"name": "stock", "users": [{"name": "Shop_app", "privileges": ["SELECT"]}]},
    {"name": "empty"},
]
WRITES = ["SELECT", "INSERT", "UPDATE", "DELETE"]


def test_a_user_of_several_databases_is_one_account_with_a_secret_of_its_own():
    users = evaluate("db", "db_users", db_databases=SHOP)
    assert users == [
        {
            "name": "app",
            "secret": "mysql-app",
            "privileges": {"employees.*": WRITES, r"shop\_1.*": ["SELECT"]},
        },
        {
            "name": "Shop_app",
            "secret": "mysql-app-shop-app",
            "privileges": {r"shop\_1.*": WRITES, "stock.*": ["SELECT"]},
        },
    ]


def test_each_user_gets_a_password_of_its_own():
    secrets = render(
        "db",
        "mysql-secret.yaml.j2",
        db_secrets={"resources": []},
        db_passwords=PASSWORDS,
        db_databases=SHOP,
    )
    made = {secret["metadata"]["name"]: secret["stringData"] for secret in secrets}
    assert made.keys() == {"mysql-auth", "mysql-app", "mysql-app-shop-app"}
    assert made["mysql-app"]["password"] == "three"
    assert made["mysql-app-shop-app"]["username"] == "Shop_app"
    assert len(made["mysql-app-shop-app"]["password"]) == 24


def test_certificates_are_mounted_and_used_where_tls_is_asked_for():
    plain = render("db", "mysql-deploy.yaml.j2")[0]["spec"]["template"]["spec"]
    assert "tls" not in {volume["name"] for volume in plain["volumes"]}
    secure = render("db", "mysql-deploy.yaml.j2", db_tls="required")[0]
    spec = secure["spec"]["template"]["spec"]
    (volume,) = [volume for volume in spec["volumes"] if volume["name"] == "tls"]
    assert volume["secret"]["secretName"] == "mysql-tls"
    config = render("db", "mysql-config.yaml.j2", db_tls="required")[0]["data"]["my.cnf"]
    assert "ssl_ca = /etc/mysql/tls/ca.crt" in config
    assert "ssl_ca" not in render("db", "mysql-config.yaml.j2")[0]["data"]["my.cnf"]


def tls_secret(name: str, certificate: str = "abc", **annotations: str) -> dict[str, Any]:
    """What the cluster has of a Secret with a certificate."""
    meta = {"name": name, "annotations": annotations or None}
    data = {"ca.crt": "ca", "tls.crt": certificate}
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    return {"resources": [{"metadata": meta, "data": encoded}]}


def tls_annotation(**overrides: Any) -> str | None:
    (first, *_others) = render("db", "mysql-deploy.yaml.j2", **overrides)
    found = first["spec"]["template"]["metadata"]["annotations"]
    return found.get("mysql-on.kubernetes/tls")


def test_a_renewed_certificate_changes_the_deployments_and_nothing_else_does():
    held, renewed = tls_secret("mysql-tls"), tls_secret("mysql-tls", "def")
    assert tls_annotation(db_secrets=held) is None
    first = tls_annotation(db_tls="required", db_secrets=held)
    assert first == tls_annotation(db_tls="preferred", db_secrets=held, db_secrets_made={})
    assert first != tls_annotation(db_tls="required", db_secrets=renewed)
    # What this run has read last counts.
    assert first == tls_annotation(db_tls="required", db_secrets=renewed, db_secrets_made=held)


@pytest.mark.parametrize(
    ("tls", "image", "ready", "outdated"),
    [
        ("0123456789abcdef", "mysql:9.7", True, True),
        # It shows none of ours yet: TLS is only being turned on.
        ("", "mysql:9.7", True, False),
        ("0123456789abcdef", "docker.io/library/mysql:8.0.15", True, False),
        ("0123456789abcdef", "docker.io/library/mysql:8.0.16", True, True),
        ("0123456789abcdef", "mysql:8.0", True, True),
        ("0123456789abcdef", "mysql:9.7", False, False),
        (None, "mysql:9.7", True, False),
    ],
)
def test_a_primary_that_shows_an_old_certificate_is_told_to_read_the_new_one(
    tls, image, ready, outdated
):
    given = {"db_secrets": tls_secret("mysql-tls")}
    current = evaluate("db", "db_tls_fingerprint", **given)
    seen = {
        "name": "mysql-1",
        "ready": ready,
        "image": image,
        "tls": current if tls is None else tls,
    }
    replica = {**seen, "name": "mysql-11"}
    where = {"primary": {"name": "mysql-1"}, "instances": [replica, seen]}
    found = evaluate("db", "db_tls_outdated", db_topology=where, **given)
    assert [one["name"] for one in found] == (["mysql-1"] if outdated else [])
    assert evaluate("db", "db_tls_outdated", db_topology={**where, "primary": {}}, **given) == []


@pytest.mark.parametrize(
    ("wanted", "primary", "replica", "leaving"),
    [
        ("off", {"started": True, "tls": "0123456789abcdef"}, {"started": False}, True),
        # An interrupted run is taken up as long as one of them has certificates.
        ("off", {"started": True}, {"started": True, "tls": "0123456789abcdef"}, True),
        ("off", {"started": True}, {"started": True}, False),
        ("required", {"started": True, "tls": "0123456789abcdef"}, {"started": True}, False),
        # Nobody could be asked: it is rolled first.
        ("off", {"started": False, "tls": "0123456789abcdef"}, {"started": True}, False),
    ],
)
def test_replication_leaves_tls_before_the_certificates_go(wanted, primary, replica, leaving):
    instances = [
        {"name": "mysql-1", "tls": "", **primary},
        {"name": "mysql-11", "tls": "", **replica},
    ]
    where = {"primary": {"name": "mysql-1"}, "instances": instances}
    assert evaluate("db", "db_tls_leaving", db_tls=wanted, db_topology=where) is leaving
    assert (
        evaluate("db", "db_tls_leaving", db_tls=wanted, db_topology={**where, "primary": {}})
        is False
    )


def test_cert_manager_is_asked_for_the_names_of_the_services():
    (certificate,) = render(
        "db",
        "mysql-certificate.yaml.j2",
        db_namespace="shop",
        db_cluster_name="orders",
        db_tls_issuer={"name": "ca", "kind": "ClusterIssuer"},
    )
    assert certificate["metadata"]["name"] == "orders-tls"
    spec = certificate["spec"]
    assert spec["secretName"] == "orders-tls"
    assert spec["issuerRef"] == {"name": "ca", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    assert {"localhost", "mysql-write", "mysql-read.shop.svc"} < set(spec["dnsNames"])
    assert spec["ipAddresses"] == ["127.0.0.1"]
    # MySQL 8.0.15 refuses every handshake with an ECDSA key.
    assert spec["privateKey"]["algorithm"] == "RSA"
    # The role finds the Secret by them.
    assert spec["secretTemplate"]["labels"]["app.kubernetes.io/instance"] == "orders"


@pytest.mark.parametrize(
    ("given", "missing", "foreign"),
    [
        ({"db_tls": "off", "db_secrets": {"resources": []}}, False, False),
        ({"db_tls": "required", "db_secrets": {"resources": []}}, True, False),
        ({"db_tls": "required", "db_secrets": tls_secret("mysql-tls")}, False, False),
        # A Secret of cert-manager's is kept where no issuer is named any more.
        (
            {
                "db_tls": "required",
                "db_secrets": tls_secret(
                    "mysql-tls", **{"cert-manager.io/certificate-name": "mysql-tls"}
                ),
            },
            False,
            True,
        ),
        (
            {
                "db_tls": "required",
                "db_tls_issuer": {"name": "ca"},
                "db_secrets": {"resources": []},
            },
            False,
            False,
        ),
    ],
)
def test_a_ca_of_the_cluster_is_made_only_where_there_is_no_certificate(given, missing, foreign):
    assert evaluate("db", "db_certificates_missing", **given) is missing
    assert evaluate("db", "db_tls_by_cert_manager", **given) is foreign


def test_two_clusters_side_by_side_share_nothing():
    def objects(namespace: str) -> list[dict[str, Any]]:
        given = {"db_namespace": namespace, "infra_namespace": namespace}
        made = [
            *render("infra", "mysql-pvc.yaml.j2", infra_storage={"storage_class": "x"}, **given),
            *render(
                "db",
                "mysql-secret.yaml.j2",
                db_secrets={"resources": []},
                db_passwords=PASSWORDS,
                **given,
            ),
            *render("db", "mysql-services.yaml.j2", db_primary_name="mysql-1", **given),
        ]
        for template in ("mysql-config.yaml.j2", "mysql-budget.yaml.j2", "mysql-deploy.yaml.j2"):
            made += render("db", template, **given)
        return made

    def keys(namespace: str) -> set[tuple[str, str, str]]:
        return {
            (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])
            for one in objects(namespace)
        }

    first, second = keys("shop"), keys("stock")
    assert len(first) == len(second) == len(objects("shop"))
    assert not first & second
    assert all(namespace or kind == "Namespace" for kind, namespace, _name in first | second)


def test_a_static_volume_and_its_claim_have_one_class_and_know_each_other():
    given = {
        "infra_volumes": [
            {"instance": "mysql-1", "path": "/data/one", "node": "worker1"},
            {"instance": "mysql-11", "path": "/export/two", "nfs_server": "10.0.0.9"},
        ]
    }
    made, *volumes = render("infra", "mysql-volumes.yaml.j2", **given)
    _namespace, *claims = render("infra", "mysql-pvc.yaml.j2", infra_storage={}, **given)
    classes = {one["spec"]["storageClassName"] for one in (*volumes, *claims)}
    assert classes == {made["metadata"]["name"]}
    refs = [volume["spec"]["claimRef"] for volume in volumes]
    assert [(ref["namespace"], ref["name"]) for ref in refs] == [
        ("mysql", "mysql-1"),
        ("mysql", "mysql-11"),
    ]
    assert volumes[0]["spec"]["hostPath"]["path"] == "/data/one"
    assert volumes[1]["spec"]["nfs"] == {"server": "10.0.0.9", "path": "/export/two"}
    assert {volume["spec"]["persistentVolumeReclaimPolicy"] for volume in volumes} == {"Retain"}


def secret(name: str, *keys: str, accepted: bool = False) -> dict[str, Any]:
    """A Secret as k8s_info returns it; each key's value is its own name."""
    annotations = {"mysql-on.kubernetes/rotation": "accepted"} if accepted else None
    data = {key: base64.b64encode(key.encode()).decode() for key in keys}
    return {"metadata": {"name": name, "annotations": annotations}, "data": data}


@pytest.mark.parametrize(
    ("auth", "app", "stages"),
    [
        ({}, {}, ["idle", "idle", "idle"]),
        ({"next": ["root-password.next"]}, {}, ["next", "idle", "idle"]),
        (
            {"next": ["root-password.next", "replication-password.next"]},
            {"next": ["password.next"]},
            ["next", "next", "next"],
        ),
        ({"accepted": True}, {"next": ["password.next"]}, ["accepted", "accepted", "next"]),
        ({"accepted": True}, {"accepted": True}, ["accepted", "accepted", "accepted"]),
    ],
    ids=["none", "half noted", "noted", "half accepted", "accepted"],
)
def test_where_a_rotation_stands_is_read_from_the_secrets(auth, app, stages):
    resources = [
        secret(
            "mysql-auth",
            *("root-password", "replication-password", "client.cnf", *auth.get("next", [])),
            accepted=auth.get("accepted", False),
        ),
        secret("mysql-app", "password", *app.get("next", []), accepted=app.get("accepted", False)),
    ]
    given = {"db_secrets": {"resources": resources}}
    rotating = evaluate("db", "db_rotating", **given)
    assert [one["stage"] for one in rotating] == stages
    assert [one["user"] for one in rotating] == ["root", "replication", "app"]
    noted = evaluate("db", "db_next_password_of", **given)
    assert set(noted.values()) == {
        f"{one['key']}.next" for one in rotating if one["stage"] == "next"
    }


def test_only_the_accounts_that_are_asked_for_are_rotated():
    given = {"db_secrets": {"resources": [secret("mysql-app", "password")]}}
    rotating = evaluate("db", "db_rotating", db_rotate=["app"], db_databases=SHOP, **given)
    assert [one["secret"] for one in rotating] == ["mysql-app", "mysql-app-shop-app"]


def test_deployments_that_name_a_rotated_secret_are_its_readers():
    def reader(name: str, **spec: Any) -> dict[str, Any]:
        return {"metadata": {"name": name}, "spec": {"template": {"spec": spec}}}

    environment = {"env": [{"valueFrom": {"secretKeyRef": {"name": "mysql-auth", "key": "x"}}}]}
    deployments = [
        reader("api", volumes=[{"secret": {"secretName": "mysql-app"}}]),
        reader("archiver", containers=[environment]),
        reader("other", volumes=[{"secret": {"secretName": "mysql-app-shop"}}]),
    ]
    resources = [
        secret("mysql-auth", "root-password", "replication-password", accepted=True),
        secret("mysql-app", "password", accepted=True),
    ]
    given = {"db_secrets": {"resources": resources}}
    found = evaluate("db", "db_readers", db_deployments={"resources": deployments}, **given)
    assert found == ["api", "archiver"]


ADOPTED = {"mysql-1": "mysql-primary-pvc", "mysql-11": "mysql-11"}


def test_an_adopted_claim_keeps_its_name_and_is_not_made_again():
    storage = {"storage_class": "local-path", "instance_claims": ADOPTED}
    claims = {
        made["metadata"]["name"]
        for made in render("infra", "mysql-pvc.yaml.j2", infra_storage=storage)
        if made["kind"] == "PersistentVolumeClaim"
    }
    assert claims == {"mysql-11", "mysql-12"}


def test_an_instance_is_on_the_claim_that_it_has():
    made = render("db", "mysql-deploy.yaml.j2", db_topology={"claims": ADOPTED})
    found = {
        one["metadata"]["name"]: volume["persistentVolumeClaim"]["claimName"]
        for one in made
        for volume in one["spec"]["template"]["spec"]["volumes"]
        if volume["name"] == "data"
    }
    assert found == {**ADOPTED, "mysql-12": "mysql-12"}


def test_check_mode_asks_every_replica_that_has_started_ready_or_not():
    live = {
        "replicas": [{"name": "mysql-11"}, {"name": "mysql-12"}],
        "instances": [
            {"name": "mysql-11", "started": True, "ready": False},
            {"name": "mysql-12", "started": False, "ready": False},
        ],
    }
    given = {"db_live": live, "db_surplus": []}
    asked = evaluate("db", "db_followers", **given, ansible_check_mode=True)
    assert [one["name"] for one in asked] == ["mysql-11"]
    asked = evaluate("db", "db_followers", **given, ansible_check_mode=False)
    assert [one["name"] for one in asked] == ["mysql-11", "mysql-12"]
