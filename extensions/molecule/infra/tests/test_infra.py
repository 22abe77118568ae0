"""The claims of the instances are there again, and one of them is a volume that can be written to."""

from __future__ import annotations

from extensions.molecule.shared import lab


def test_each_instance_has_a_claim_of_its_own():
    claims = {claim["metadata"]["name"]: claim for claim in lab.objects("pvc")}
    assert set(claims) == {"mysql-1", "mysql-11"}
    for name, claim in claims.items():
        assert claim["metadata"]["labels"][lab.SERVER_LABEL] == name
    assert claims["mysql-1"]["status"]["phase"] == "Bound"
    # It waits for its first Pod.
    assert claims["mysql-11"]["status"]["phase"] == "Pending"


def test_a_pod_writes_to_the_volume_and_it_stays():
    writer = lab.host("writer", "main")
    writer.check_output("sh -c 'echo here > /data/proof'")
    assert writer.file("/data/proof").content_string == "here\n"
    assert writer.mount_point("/data").exists or writer.file("/data").is_directory
