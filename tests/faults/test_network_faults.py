# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of a whole cluster's network, on a second lab that nobody else uses (LAB=faults).

Each fault is a row: the commands that break, the cause, and what mends. Where ``mend`` is
empty, what mends is the command that the next step prints, run as it stands there, cause after cause.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import parts
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.polling import look_until

from tests.faults import fixes
from tests.faults.second_lab import KUBECONFIG, LAB, bring_up
from tests.integration import cluster
from tests.integration.runner import codes, run_module

IP = "192.168.0.251"
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
POOL = "kubectl -n metallb-system patch ipaddresspool lab --type=merge -p"
SERVICE = "kubectl -n traefik patch service traefik"
ASK = "kubectl -n traefik annotate service traefik --overwrite metallb.io/loadBalancerIPs"

pytestmark = [pytest.mark.lab, pytest.mark.long]


@dataclass(frozen=True)
class Fault:
    """One way in which the address is lost. undo: what to do afterwards beside the snapshot.

    asked: what metallb_check is asked beside the usual, where that is what is wrong.
    """

    code: str
    breaks: tuple[str, ...]
    proof: str
    mends: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict)


CLIENT = shlex.join([*cluster.lan_client()[:-2], "--lab", LAB, *cluster.lan_client()[-2:]])
# A machine of the LAN that announces nothing for MetalLB: the node that the load balancers leave out.
BYSTANDER = shlex.join(cluster.node("cp1", "net", lab=LAB))

OTHER_SERVICE = (
    'echo \'{"apiVersion":"v1","kind":"Service","metadata":{"name":"other","namespace":"default",'
    '"annotations":{"metallb.io/loadBalancerIPs":"' + IP + '"}},'
    '"spec":{"type":"LoadBalancer","ports":[{"port":80}]}}\' | kubectl apply -f -'
)
KLIPPER = (
    'echo \'{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"svclb-traefik",'
    '"namespace":"kube-system"},"spec":{"selector":{"matchLabels":{"app":"svclb-traefik"}},'
    '"template":{"metadata":{"labels":{"app":"svclb-traefik",'
    '"svccontroller.k3s.cattle.io/svcname":"traefik",'
    '"svccontroller.k3s.cattle.io/svcnamespace":"traefik"}},"spec":{"containers":[{"name":"lb",'
    '"image":"' + cluster.IMAGE + '","imagePullPolicy":"IfNotPresent","command":["sleep","3600"]}],'
    '"terminationGracePeriodSeconds":0}}}}\' | kubectl apply -f -'
)
L2 = "kubectl -n metallb-system patch l2advertisement lab --type=merge -p"
DAEMONSET = "kubectl -n metallb-system patch daemonset speaker --type=merge -p"

PROXY = "kubectl -n kube-system get configmap kube-proxy -o yaml"


def with_proxy_mode(old: str, new: str) -> str:
    """Change what kube-proxy would read at its next start; the one that runs goes on as it is."""
    return f"{PROXY} | sed 's/mode: {old}$/mode: {new}/' | kubectl replace -f -"


STRICT = f"{PROXY} | sed 's/strictARP: false/strictARP: true/' | kubectl replace -f -"

FAULTS = (
    Fault(
        "metallb.strict_arp",
        (with_proxy_mode("nftables", "ipvs"),),
        "ConfigMap kube-system/kube-proxy: mode ipvs, ipvs.strictARP not true",
        # "Set ipvs.strictARP to true."
        (STRICT,),
        undo=(
            with_proxy_mode("ipvs", "nftables"),
            STRICT.replace("true", "later").replace("false", "true").replace("later", "false"),
        ),
    ),
    Fault(
        "metallb.controller_not_ready",
        (
            "kubectl -n metallb-system scale deployment controller --replicas=0",
            "kubectl -n metallb-system wait --for=delete pod -l component=controller --timeout=120s",
        ),
        "Pods of component controller in metallb-system: it has no Pod",
        ("kubectl -n metallb-system scale deployment controller --replicas=1",),
        undo=(
            "kubectl -n metallb-system scale deployment controller --replicas=1",
            "kubectl -n metallb-system rollout status deployment controller --timeout=120s",
        ),
    ),
    Fault(
        "metallb.ip_reserved",
        (
            f'{POOL} \'{{"spec":{{"avoidBuggyIPs":true,'
            '"addresses":["192.168.0.240-192.168.0.255"]}}\'',
        ),
        "IPAddressPool lab: avoidBuggyIPs true",
        # "Choose another address of the pool": the one that is held.
        ("true",),
        asked={"ip": "192.168.0.255", "require": "allocatable"},
    ),
    Fault(
        "metallb.holds_other_ip",
        (
            f"{ASK}=192.168.0.250",
            "kubectl -n traefik wait service traefik --timeout=60s"
            " --for=jsonpath='{.status.loadBalancer.ingress[0].ip}'=192.168.0.250",
            f"{ASK.replace(' --overwrite', '')}-",
        ),
        "Service traefik/traefik: status.loadBalancer.ingress 192.168.0.250",
    ),
    Fault(
        "metallb.no_answer",
        (f"{CLIENT} ip neigh replace {IP} lladdr 02:00:00:00:00:01 dev eth0 nud permanent",),
        f"{IP}",
        (f"{CLIENT} ip neigh del {IP} dev eth0",),
        undo=(f"{CLIENT} ip neigh flush dev eth0 nud all",),
    ),
    Fault(
        "metallb.arp_foreign",
        # Who asks for another address would be told so first.
        (
            f"{ASK.replace(' --overwrite', '')}-",
            f"{BYSTANDER} ip address add 192.168.0.249/32 dev eth0",
        ),
        "Services whose status holds 192.168.0.249: none",
        # "Take it off that machine."
        (f"{BYSTANDER} ip address del 192.168.0.249/32 dev eth0",),
        undo=(f"{ASK}={IP}",),
        asked={"ip": "192.168.0.249", "require": "allocatable"},
    ),
    Fault(
        "ingress.service_missing",
        (),
        "Services of type LoadBalancer: traefik/traefik",
        ("true",),
        asked={"ingress_service": "traefik/traefic"},
    ),
    Fault(
        "metallb.no_pool",
        ("kubectl -n metallb-system delete ipaddresspool --all",),
        "IPAddressPools of the cluster: none",
        undo=(
            "kubectl -n metallb-system delete ipaddresspool default --ignore-not-found",
            "kubectl -n metallb-system delete l2advertisement default --ignore-not-found",
        ),
    ),
    Fault(
        "metallb.ip_in_no_pool",
        (f'{POOL} \'{{"spec":{{"addresses":["192.168.0.240-192.168.0.245"]}}}}\'',),
        "IPAddressPool lab: 192.168.0.240-192.168.0.245",
    ),
    Fault(
        "metallb.no_l2advertisement",
        ("kubectl -n metallb-system delete l2advertisement --all",),
        "L2Advertisements of the cluster: none",
        undo=("kubectl -n metallb-system delete l2advertisement default --ignore-not-found",),
    ),
    Fault(
        "metallb.pool_not_advertised",
        (f'{L2} \'{{"spec":{{"ipAddressPools":["another"]}}}}\'',),
        "L2Advertisement lab: ipAddressPools ['another']",
    ),
    Fault(
        "metallb.advertisement_selects_no_node",
        (f'{L2} \'{{"spec":{{"nodeSelectors":[{{"matchLabels":{{"a":"b"}}}}]}}}}\'',),
        "L2Advertisement lab: nodeSelectors",
        (f'{L2} \'{{"spec":{{"nodeSelectors":null}}}}\'',),
    ),
    Fault(
        "metallb.node_excluded",
        (f"kubectl label nodes --all --overwrite {EXCLUDE}=true",),
        f"Node worker1: label {EXCLUDE}",
        undo=(
            f"kubectl label nodes worker1 worker2 {EXCLUDE}-",
            f"kubectl label nodes cp1 --overwrite {EXCLUDE}=",
        ),
    ),
    Fault(
        "metallb.speaker_not_ready",
        (
            f'{DAEMONSET} \'{{"spec":{{"template":{{"spec":{{"nodeSelector":{{"no":"node"}}}}}}}}}}\'',
            "kubectl -n metallb-system wait --for=delete pod -l component=speaker --timeout=120s",
        ),
        "speaker Pods in metallb-system: none",
        (
            f'{DAEMONSET} \'{{"spec":{{"template":{{"spec":{{"nodeSelector":{{"no":null}}}}}}}}}}\'',
            "kubectl -n metallb-system rollout status daemonset speaker --timeout=120s",
        ),
    ),
    Fault(
        "metallb.ip_taken",
        (
            f"{ASK}=192.168.0.250",
            "kubectl -n traefik wait service traefik --timeout=60s"
            " --for=jsonpath='{.status.loadBalancer.ingress[0].ip}'=192.168.0.250",
            OTHER_SERVICE,
            "kubectl -n default wait service other --timeout=60s"
            " --for=jsonpath='{.status.loadBalancer.ingress[0].ip}'=" + IP,
            f"{ASK}={IP}",
        ),
        "Service default/other: status.loadBalancer.ingress",
        # "Give it up there."
        ("kubectl -n default delete service other",),
    ),
    Fault(
        "metallb.asks_other_ip",
        (f"{ASK}=192.168.0.250",),
        "Service traefik/traefik: metallb.io/loadBalancerIPs 192.168.0.250",
    ),
    Fault(
        "metallb.both_ways",
        (f'{SERVICE} -p \'{{"spec":{{"loadBalancerIP":"{IP}"}}}}\'',),
        f"Service traefik/traefik: spec.loadBalancerIP {IP}",
    ),
    # The next two are no errors: the address is held, in a way that will not be there for ever.
    Fault(
        "metallb.deprecated_way",
        (
            f"{ASK.replace(' --overwrite', '')}-",
            f'{SERVICE} -p \'{{"spec":{{"loadBalancerIP":"{IP}"}}}}\'',
        ),
        f"Service traefik/traefik: spec.loadBalancerIP {IP}",
        (f"{ASK}={IP}", f'{SERVICE} -p \'{{"spec":{{"loadBalancerIP":null}}}}\''),
    ),
    Fault(
        "metallb.pool_not_automatic",
        (f'{POOL} \'{{"spec":{{"autoAssign":false}}}}\'',),
        "IPAddressPool lab",
        # "Keep the annotation": it is there.
        (f'{POOL} \'{{"spec":{{"autoAssign":null}}}}\'',),
    ),
    Fault(
        "metallb.pool_excludes_service",
        (f'{POOL} \'{{"spec":{{"serviceAllocation":{{"namespaces":["another"]}}}}}}\'',),
        "IPAddressPool lab: serviceAllocation",
        (f'{POOL} \'{{"spec":{{"serviceAllocation":null}}}}\'',),
    ),
    Fault(
        "metallb.local_without_endpoint",
        (
            f'{L2} \'{{"spec":{{"nodeSelectors":[{{"matchExpressions":[{{"key":'
            '"kubernetes.io/hostname","operator":"NotIn","values":["\'"$(kubectl -n traefik get pods'
            " -o jsonpath='{.items[0].spec.nodeName}')\"'\"]}]}]}}'",
            f'{SERVICE} -p \'{{"spec":{{"externalTrafficPolicy":"Local"}}}}\'',
        ),
        "Service traefik/traefik: externalTrafficPolicy Local",
    ),
    Fault(
        "metallb.other_load_balancer",
        (
            KLIPPER,
            "kubectl -n kube-system rollout status daemonset svclb-traefik --timeout=120s",
        ),
        "label svccontroller.k3s.cattle.io/svcname=traefik",
    ),
    Fault(
        "ingress.controller_missing",
        (
            "kubectl -n traefik scale deployment traefik --replicas=0",
            "kubectl -n traefik wait --for=delete pod --all --timeout=60s",
        ),
        "running Pods of a program that serves this controller: none",
        ("kubectl -n traefik scale deployment traefik --replicas=1",),
        undo=(
            "kubectl -n traefik scale deployment traefik --replicas=1",
            "kubectl -n traefik rollout status deployment traefik --timeout=120s",
        ),
    ),
    Fault(
        "ingress.class_unknown",
        ("kubectl delete ingressclass nginx",),
        "IngressClasses of the cluster:",
        # Its next step names a class that exists; here the cluster gets its own back.
        ("true",),
    ),
)


def kube(*commands: str) -> None:
    for command in commands:
        fixes.shell(command, KUBECONFIG)


@pytest.fixture(scope="session")
def second_lab() -> None:
    bring_up()


SNAPSHOT = (
    "-n metallb-system get ipaddresspools,l2advertisements",
    "-n traefik get service traefik",
    "get ingressclasses",
)


@pytest.fixture
def network(second_lab: None) -> Iterator[None]:
    """The lab's network, put back afterwards as it was."""
    kept = []
    for query in SNAPSHOT:
        text = fixes.shell(f"kubectl {query} -o json", KUBECONFIG)
        # A new object has no resourceVersion; an old one is replaced whatever its version is.
        kept.append("\n".join(line for line in text.splitlines() if "resourceVersion" not in line))
    yield
    for text in kept:
        applied = subprocess.run(
            [fixes.kubectl(), "--kubeconfig", KUBECONFIG, "replace", "--force=false", "-f", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if applied.returncode:
            again = [fixes.kubectl(), "--kubeconfig", KUBECONFIG, "apply", "-f", "-"]
            subprocess.run(again, input=text, capture_output=True, text=True, check=True)


def look(timeout: int = 0, **asked: str) -> dict[str, Any]:
    given = {"kubeconfig": KUBECONFIG, "ip": IP, "require": "held", "timeout": timeout}
    client = {"lan_client_command": shlex.split(CLIENT)}
    return run_module("metallb_check", {**given, **client, **asked})


def assert_healthy() -> None:
    result = look(timeout=90)
    assert not result.get("failed"), result.get("msg")
    assert result["verdict"] == "ok", result["findings"]
    assert result["answers"] == 404


def seen(fault: Fault) -> dict[str, Any]:
    """Look until that cause is named: MetalLB takes a moment to see what was broken."""
    for _attempt in range(30):
        result = look(**fault.asked)
        if fault.code in codes(result):
            return result
    raise AssertionError(f"{fault.code} was not named, but: {result.get('msg') or result}")


def mend(fault: Fault) -> None:
    if fault.mends:
        kube(*fault.mends)
        return
    # What one command mends may show the next cause: a new pool has to be advertised too.
    for _cause in range(3):
        result = look(timeout=20)
        if not result.get("failed"):
            return
        finding = result["findings"][0]
        if "kubectl" not in finding["fix"]:
            return
        fixes.run_command(finding, KUBECONFIG)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.code for fault in FAULTS])
def test_a_network_fault_is_named_and_mended(network: None, fault: Fault) -> None:
    assert_healthy()
    try:
        kube(*fault.breaks)
        finding = fixes.the(seen(fault), fault.code)
        assert fault.proof in "\n".join(finding["proof"])
        if fault.code == "ingress.class_unknown":
            assert finding["fix"].startswith("Name one that exists")
            return
        mend(fault)
        assert_healthy()
    finally:
        kube(*fault.undo)


def test_a_healthy_network_raises_no_alarm(second_lab: None) -> None:
    assert_healthy()


THEIR_ADVERTISEMENT = (
    'echo \'{"apiVersion":"metallb.io/v1beta1","kind":"L2Advertisement","metadata":{"name":"'
    f"{parts.POOL_NAME}"
    '","namespace":"metallb-system"}}\' | kubectl create -f -'
)
STRANGERS = (
    'echo \'{"apiVersion":"networking.k8s.io/v1","kind":"IngressClass","metadata":{"name":"strangers"},'
    '"spec":{"controller":"example.com/controller"}}\' | kubectl create -f -'
)


def test_an_address_that_nobody_holds(network: None) -> None:
    """Of a controller whose Pods we do not know: who holds the address would be taken for it."""
    asked = {"ip": "192.168.0.249", "ingress_class": "strangers"}
    try:
        kube(
            STRANGERS,
            "kubectl -n traefik expose deployment traefik --name=strangers --type=LoadBalancer"
            " --port=80 --target-port=web",
        )
        result = look(**asked)
        finding = fixes.the(result, "metallb.ip_not_held")
        assert finding["proof"] == ["Services whose status holds 192.168.0.249: none"]
        # "Ask for it on the ingress controller's Service: annotation ..."
        way, ip = finding["fix"].rpartition("annotation ")[2].split(": ")
        kube(f"kubectl -n traefik annotate service strangers {way}={ip}")
        result = look(timeout=60, **asked)
        assert not result.get("failed"), result.get("msg")
        assert (result["verdict"], result["answers"]) == ("ok", 404)
        assert result["holder"] == "traefik/strangers"
    finally:
        kube("kubectl -n traefik delete service strangers --ignore-not-found")
        kube("kubectl delete ingressclass strangers --ignore-not-found")


ROLE = "metallb-system:controller"
BINDING = f"clusterrolebinding {ROLE}"


def test_a_service_gets_no_address_and_nobody_says_why(network: None) -> None:
    """MetalLB's controller lost its rights: it can neither note the address nor say that it cannot."""
    assert_healthy()
    # What it said of faults before would be taken for its answer.
    kube("kubectl -n traefik delete events --all", f"kubectl delete {BINDING}")
    try:
        kube(f'{SERVICE} --subresource=status -p \'{{"status":{{"loadBalancer":null}}}}\'')
        finding = fixes.the(look(), "metallb.service_pending_silently")
        assert finding["proof"] == ["Service traefik/traefik: status.loadBalancer is empty"]
        said = look_until(lambda: fixes.run_command(finding, KUBECONFIG), refused, 60)
        assert refused(said), said
    finally:
        kube(
            f"kubectl create {BINDING} --clusterrole={ROLE} --serviceaccount={ROLE}",
            f"kubectl label {BINDING} app=metallb",
        )
    assert_healthy()


def refused(log: str) -> bool:
    return "is forbidden" in log and "services/status" in log


def test_what_is_to_be_installed_has_the_name_of_somebody_elses(network: None) -> None:
    """The pool is missing, and an announcement of its name is there."""
    taken = f"l2advertisement {parts.POOL_NAME}"
    asked = {
        "kubeconfig": KUBECONFIG,
        "ip": IP,
        "ingress_manifest": "",
        "metallb_manifest": "/not/needed.yaml",
        "provisioner_manifest": "/not/needed.yaml",
    }
    kube("kubectl -n metallb-system delete ipaddresspool --all")
    kube(THEIR_ADVERTISEMENT)
    try:
        result = run_module("kube_parts", asked)
        finding = fixes.the(result, "install.object_taken")
        assert f"without the label {parts.LABEL}=pool" in finding["proof"][0]
        # "See whose it is, and let it go": it has no label that would say that it is ours.
        assert parts.LABEL not in fixes.run_command(finding, KUBECONFIG)
        kube(f"kubectl -n metallb-system delete {taken}")
        result = run_module("kube_parts", asked)
        assert [one["part"] for one in result["missing"]] == ["pool"], result
    finally:
        kube(f"kubectl -n metallb-system delete {taken} --ignore-not-found")


DEFAULT = "storageclass.kubernetes.io/is-default-class"
PROVISIONER = "kubectl -n local-path-storage scale deployment local-path-provisioner --replicas"
SECOND_CLASS = (
    'echo \'{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"second"},'
    '"provisioner":"rancher.io/local-path","volumeBindingMode":"WaitForFirstConsumer"}\''
    " | kubectl create -f -"
)
CLASSES = {
    "storage.no_default_class": (
        f"kubectl annotate storageclass local-path --overwrite {DEFAULT}=false",
        f"kubectl annotate storageclass local-path --overwrite {DEFAULT}=true",
    ),
    "storage.two_defaults": (
        f"kubectl annotate storageclass second --overwrite {DEFAULT}=true",
        f"kubectl annotate storageclass local-path --overwrite {DEFAULT}=true",
    ),
    "storage.provisioner_absent": (
        f"{PROVISIONER}=0 && kubectl -n local-path-storage wait --for=delete pod --all --timeout=60s",
        f"{PROVISIONER}=1",
    ),
}


@pytest.mark.parametrize("code", list(CLASSES))
def test_a_class_that_is_everybodys_is_named(second_lab: None, code: str) -> None:
    """What is wrong with the classes of a cluster; a second one is there meanwhile."""
    breaks, undo = CLASSES[code]
    kube(SECOND_CLASS)
    try:
        kube(breaks)
        finding = fixes.the(check_storage(), code)
        if "kubectl" in finding["fix"]:
            fixes.run_command(finding, KUBECONFIG)
        else:
            kube(undo)
        result = check_storage(timeout=60)
        assert result["verdict"] == "ok", result["findings"]
    finally:
        kube("kubectl delete storageclass second", undo)


def check_storage(timeout: int = 0) -> dict[str, Any]:
    return run_module("storage_check", {"kubeconfig": KUBECONFIG, "timeout": timeout})


def test_a_cluster_without_any_class_is_named(second_lab: None) -> None:
    kept = fixes.shell("kubectl get storageclass -o json", KUBECONFIG)
    kube("kubectl delete storageclass --all")
    try:
        fixes.the(check_storage(), "storage.no_class")
    finally:
        put = [fixes.kubectl(), "--kubeconfig", KUBECONFIG, "create", "-f", "-"]
        text = "\n".join(line for line in kept.splitlines() if "resourceVersion" not in line)
        subprocess.run(put, input=text, capture_output=True, text=True, check=True)


def test_a_node_that_is_cut_off_is_named(second_lab: None) -> None:
    """Its kubelet cannot tell that it lives; connected again, it does."""
    enter = shlex.join(cluster.node("worker2", "net", lab=LAB))
    drop = (
        "add table inet faults; add chain inet faults out { type filter hook output priority 0; }"
    )
    kube(f"{enter} nft '{drop}; add rule inet faults out tcp dport 6443 drop'")
    try:
        kube("kubectl wait node worker2 --for=condition=Ready=Unknown --timeout=120s")
        asked = {"kubeconfig": KUBECONFIG, "namespace": "default", "patience": 0}
        finding = fixes.the(run_module("mysql_doctor", asked), "kube.node_not_ready")
        assert finding["subject"] == "worker2"
    finally:
        kube(f"{enter} nft delete table inet faults")
    kube("kubectl wait node worker2 --for=condition=Ready --timeout=120s")
    told = run_module("mysql_doctor", asked)
    assert "kube.node_not_ready" not in codes(told)
    fixes.the(told, "mysql.not_deployed")
