"""What came back lies on the scratch volume, and the running cluster was not touched."""

from __future__ import annotations

from extensions.molecule.shared import lab


def test_the_dropped_table_is_on_the_scratch_volume():
    scratch = lab.host("mysql-recovery", "mysqld")
    found = scratch.check_output("find /scratch/recovery -name 'carts.ibd'").split()
    assert len(found) == 1
    assert scratch.file(found[0]).size > 0


def test_the_archive_cannot_be_written_to_from_there():
    scratch = lab.host("mysql-recovery", "mysqld")
    assert scratch.run("touch /archive/proof").failed


def test_the_running_cluster_is_as_it_was():
    for name, host in lab.instances().items():
        assert lab.query(host, "SHOW TABLES IN shop") == "", name
