# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why cert-manager gives no certificate: pure, over what was read."""

from __future__ import annotations

from ..finding import Finding
from ..kube import certificates, kinds
from ..kube.waiting import Observation
from .catalogue import finding

# What no time heals. An issuer is judged by cert-manager within a second of its being made.
HOPELESS = frozenset(
    {
        "tls.cert_manager_missing",
        "tls.issuer_missing",
        "tls.issuer_not_ready",
        "tls.certificate_refused",
    }
)


def explain(seen: Observation, language: str = "en") -> list[Finding]:
    """Return why an issuer or a Certificate is not Ready. Pure."""
    subject, kind = str(seen.wanted), seen.wanted.kind
    where = kinds.of(kind)
    facts = {
        "kind": where.plural,
        "name": seen.wanted.name,
        "option": f" -n {seen.wanted.namespace}" if where.namespaced else "",
    }
    if not seen.served:
        code, proof = "tls.cert_manager_missing", [f"GET {where.base}: {where.plural} is not there"]
    elif seen.obj is None:
        code = "kube.absent" if kind == certificates.CERTIFICATE else "tls.issuer_missing"
        proof = [f"GET {subject}: not found"]
    elif kind in certificates.ISSUERS:
        code, proof = "tls.issuer_not_ready", certificates.conditions(seen.obj)
    else:
        newest = seen.requests[-1:]
        refused = any(certificates.has_failed(one) for one in newest)
        code = "tls.certificate_refused" if refused else "tls.certificate_late"
        proof = [line for one in (seen.obj, *newest) for line in certificates.conditions(one)]
        if not seen.secret:
            proof.append(f"Secret {seen.obj['spec']['secretName']}: not found")
    return [finding(code, subject=subject, proof=proof, language=language, **facts)]
