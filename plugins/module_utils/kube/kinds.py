# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the API server keeps each kind of object, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from ..finding import CollectionError


@dataclass(frozen=True)
class Kind:
    """base: path of the API group and version. plural: the resource. namespaced: as it says."""

    base: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, empty for the core group (as SelfSubjectAccessReview wants it)."""
        parts = self.base.split("/")
        return parts[2] if parts[1] == "apis" else ""

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Return the URL path of one object, or of the list of them."""
        parts = [self.base]
        if self.namespaced and namespace:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=""))
        return "/".join(parts)


CORE = "/api/v1"
APPS = "/apis/apps/v1"
METALLB = "/apis/metallb.io/v1beta1"
CERT_MANAGER = "/apis/cert-manager.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "ConfigMap": Kind(CORE, "configmaps"),
        "Endpoints": Kind(CORE, "endpoints"),
        "Event": Kind(CORE, "events"),
        "Namespace": Kind(CORE, "namespaces", False),
        "Node": Kind(CORE, "nodes", False),
        "PersistentVolume": Kind(CORE, "persistentvolumes", False),
        "PersistentVolumeClaim": Kind(CORE, "persistentvolumeclaims"),
        "Pod": Kind(CORE, "pods"),
        "ResourceQuota": Kind(CORE, "resourcequotas"),
        "Secret": Kind(CORE, "secrets"),
        "Service": Kind(CORE, "services"),
        "ServiceAccount": Kind(CORE, "serviceaccounts"),
        "DaemonSet": Kind(APPS, "daemonsets"),
        "Deployment": Kind(APPS, "deployments"),
        "ReplicaSet": Kind(APPS, "replicasets"),
        "StatefulSet": Kind(APPS, "statefulsets"),
        "Job": Kind("/apis/batch/v1", "jobs"),
        "Lease": Kind("/apis/coordination.k8s.io/v1", "leases"),
        "CronJob": Kind("/apis/batch/v1", "cronjobs"),
        "EndpointSlice": Kind("/apis/discovery.k8s.io/v1", "endpointslices"),
        "Ingress": Kind("/apis/networking.k8s.io/v1", "ingresses"),
        "IngressClass": Kind("/apis/networking.k8s.io/v1", "ingressclasses", False),
        "NetworkPolicy": Kind("/apis/networking.k8s.io/v1", "networkpolicies"),
        "PodDisruptionBudget": Kind("/apis/policy/v1", "poddisruptionbudgets"),
        "ClusterRole": Kind(RBAC, "clusterroles", False),
        "ClusterRoleBinding": Kind(RBAC, "clusterrolebindings", False),
        "Role": Kind(RBAC, "roles"),
        "RoleBinding": Kind(RBAC, "rolebindings"),
        "CustomResourceDefinition": Kind(
            "/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", False
        ),
        "ValidatingWebhookConfiguration": Kind(
            "/apis/admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", False
        ),
        "StorageClass": Kind("/apis/storage.k8s.io/v1", "storageclasses", False),
        "IPAddressPool": Kind(METALLB, "ipaddresspools"),
        "L2Advertisement": Kind(METALLB, "l2advertisements"),
        "BGPAdvertisement": Kind("/apis/metallb.io/v1beta1", "bgpadvertisements"),
        "Certificate": Kind(CERT_MANAGER, "certificates"),
        "CertificateRequest": Kind(CERT_MANAGER, "certificaterequests"),
        "ClusterIssuer": Kind(CERT_MANAGER, "clusterissuers", False),
        "Issuer": Kind(CERT_MANAGER, "issuers"),
        "SelfSubjectAccessReview": Kind(
            "/apis/authorization.k8s.io/v1", "selfsubjectaccessreviews", False
        ),
    }
)


def of(kind: str) -> Kind:
    """Return where a kind is kept. Raises CollectionError for a kind that is not in the table."""
    if kind not in KINDS:
        raise CollectionError(f"kind: {kind!r} is not one of {', '.join(sorted(KINDS))}")
    return KINDS[kind]
