"""Every variable of every role, given wrongly in every way that its declaration rules out."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mysql_on.kubernetes.plugins.action import check_input
from ansible_collections.mysql_on.kubernetes.plugins.plugin_utils import inputs
from ansible_collections.mysql_on.kubernetes.plugins.plugin_utils.inputs import Known

CHECKOUT = Path(__file__).resolve().parents[3]
GROUPS = check_input.everything()
CLUSTER = next(one for one in GROUPS if one.prefix == "cluster_")

WRONG_TYPES: Mapping[str, list[Any]] = {
    "str": [{"a": 1}, ["a", "b"], None],
    "path": [{"a": 1}, ["a", "b"], None],
    "int": ["many", 1.5, True, [1], {"a": 1}],
    "float": ["many", [1.5], {"a": 1}],
    "bool": ["perhaps", 7, [True]],
    "list": [{"a": 1}],
    "dict": ["text", [1], 7],
}
WRONG_FORMS: Mapping[str, list[str]] = {
    "address": ["", "300.1.1.1", "192.168.0", "mysql.example"],
    "addresses_or_empty": ["192.168.0.251", "192.168.0.9-192.168.0.1", "a-b", "10.0.0.0/40"],
    "host": ["", "192.168.0.251", "Upper.example", "a_b", "-a"],
    "host_or_empty": ["192.168.0.251", "Upper.example", "a..b"],
    "identifier": ["", "a/b", "a`b", "a" * 65],
    "identifier_or_empty": ["a/b", "a" * 65],
    "image": ["", "My Image", "mysql:", "https://mysql"],
    "image_or_empty": ["My Image", "mysql:", "https://mysql"],
    "label": ["", "Mysql", "my_sql", "a.b", "a" * 64, "-a"],
    "label_or_empty": ["Mysql", "a" * 64],
    "quantity": ["", "0", "lots", "-1Gi", "4 Gi", "4GiB"],
    "quantity_or_empty": ["0", "lots"],
    "sha256_or_empty": ["abc", "g" * 64],
    "something": ["", " "],
    "url": ["", "pypi.org/simple", "ftp://pypi.org/simple", "https://a b"],
    "user_or_empty": ["a b"],
    "user": ["", "a b", "a'b", "a" * 33],
}


def wrong(spec: Mapping[str, Any], limit: Any) -> Iterator[Any]:
    """Values that a declaration rules out."""
    kind = str(spec.get("type", "str"))
    yield from WRONG_TYPES[kind]
    if spec.get("choices"):
        yield from ("none of them", False, True)
    if isinstance(limit, str):
        for text in WRONG_FORMS[limit]:
            yield [text] if kind == "list" else text
    elif limit and kind in inputs.BOUNDED:
        step = 1 if kind == "int" else 0.0001
        yield from (limit["min"] - step, limit["max"] + step)
    if kind == "list":
        yield [{"a": 1}] if spec.get("elements") == "str" else ["text"]
    if kind == "dict" and spec.get("options"):
        yield {"no_such_key": 1}


def members(spec: Mapping[str, Any], name: str, limits: Mapping[str, Any]) -> Iterator[Any]:
    """Wrong values inside of a dictionary, or of a list of them, whose keys are declared."""
    whole = {
        key: inner.get("choices", ["a"])[0] if inner.get("type") == "str" else 1
        for key, inner in spec["options"].items()
    }
    needs = limits[name].get("needs", ()) if isinstance(limits.get(name), Mapping) else ()
    for key, inner in spec["options"].items():
        if inner.get("required") or key in needs:
            yield {other: whole[other] for other in whole if other != key}
        for value in wrong(inner, limits.get(f"{name}.{key}")):
            yield {**whole, key: value}
    yield {**whole, "no_such_key": 1}


CASES = [pytest.param(known, name, id=name) for known in GROUPS for name in known.options]


@pytest.mark.parametrize(("known", "name"), CASES)
def test_a_bad_value_is_refused_by_name_with_what_is_allowed(known: Known, name: str) -> None:
    spec = known.options[name]
    bad = list(wrong(spec, known.limits.get(name)))
    if spec.get("options"):
        inside = members(spec, name, known.limits)
        bad.extend([one] if spec["type"] == "list" else one for one in inside)
    one = Known(known.prefix, {name: spec}, known.limits)
    for value in bad:
        found = inputs.problems(one, {name: value})
        assert found, f"{name} may be {value!r}"
        assert all(line.startswith((f"{name}:", f"{name}.")) for line in found)
        assert all("allowed: " in line for line in found)


@pytest.mark.parametrize(("known", "name"), CASES)
def test_a_misspelt_name_is_told_with_the_right_one(known: Known, name: str) -> None:
    for misspelt in (name[:-1], f"{name}s", name[:-2] + name[:-3:-1]):
        if misspelt in known.names or len(misspelt) < len(known.prefix) + 3:
            continue
        (told,) = inputs.unknown(GROUPS, [misspelt])
        assert told.startswith(f"{misspelt}: there is no such variable; ")
        assert told.endswith(" is meant?")


@pytest.mark.parametrize("known", GROUPS, ids=[one.prefix for one in GROUPS])
def test_what_is_declared_is_allowed_and_every_number_has_its_bounds(known: Known) -> None:
    defaults = {name: spec["default"] for name, spec in known.options.items() if "default" in spec}
    assert inputs.problems(known, {**_required(known), **defaults}) == []
    assert not set(known.limits) - set(_paths(known))
    if known.limits:
        kinds = {name: spec.get("type") for name, spec in _paths(known).items()}
        numbers = {name for name, kind in kinds.items() if kind in inputs.BOUNDED}
        assert numbers <= set(known.limits), numbers - set(known.limits)


def _required(known: Known) -> dict[str, Any]:
    return {name: "given" for name, spec in known.options.items() if spec.get("required")}


def _paths(known: Known) -> dict[str, Any]:
    found = dict(known.options)
    for name, spec in known.options.items():
        found.update({f"{name}.{key}": one for key, one in (spec.get("options") or {}).items()})
    return found


@pytest.mark.parametrize("prefix", ["db_", "cluster_"])
def test_an_issuer_that_nobody_asks_is_refused(prefix: str) -> None:
    known = next(one for one in GROUPS if one.prefix == prefix)
    tls, issuer = f"{prefix}tls", f"{prefix}tls_issuer"
    (told,) = inputs.problems(known, {tls: "off", issuer: {"name": "ca"}}, complete=False)
    assert told.startswith(f"{issuer}: {{'name': 'ca'}} is given and {tls} is off; allowed: ")
    for given in ({tls: "off", issuer: {}}, {tls: "required", issuer: {"name": "ca"}}):
        assert inputs.problems(known, given, complete=False) == []


def test_a_word_that_yaml_takes_for_a_boolean_is_told_with_its_quotes() -> None:
    (told,) = inputs.problems(CLUSTER, {"cluster_tls": False}, complete=False)
    assert told == 'cluster_tls: False is not allowed; allowed: "off", preferred, required'


def test_a_secret_is_not_shown() -> None:
    known = Known("x_", {"x_password": {"type": "str", "no_log": True}})
    (told,) = inputs.problems(known, {"x_password": {"secret": "word"}})
    assert "word" not in told.replace("x_password", "")


def test_names_of_somebody_elses_are_left_alone() -> None:
    assert inputs.unknown(GROUPS, ["cluster_owner", "app_colour", "database_host"]) == []


def test_everything_that_the_playbooks_declare_has_a_default() -> None:
    defaults = yaml.safe_load((CHECKOUT / "playbooks" / "group_vars" / "all.yml").read_text())
    assert set(CLUSTER.options) <= set(defaults)


def test_the_site_names_all_bad_input_at_once_before_it_asks_any_cluster(tmp_path: Path) -> None:
    given = {
        "cluster_kubeconfig": str(tmp_path / "absent"),
        "cluster_replica": 3,
        "cluster_replicas": "many",
        "cluster_app_ip": "300.1.1.1",
        "cluster_namespace": "My_Space",
        "db_timeout": 0,
        "app_load_reads": "all",
        "infra_instance": [],
    }
    done = subprocess.run(
        [
            *("ansible-playbook", "-i", "localhost,", "-c", "local", "playbooks/site.yml"),
            *("-e", json.dumps(given)),
        ],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    for line in (
        "cluster_replica: there is no such variable; cluster_replicas is meant?",
        "cluster_replicas: 'many' is not allowed; allowed: a whole number from 0 to 9",
        "cluster_app_ip: '300.1.1.1' is not allowed; allowed: an IP address",
        "cluster_namespace: 'My_Space' is not allowed",
        "db_timeout: 0 is not allowed; allowed: a whole number from 1 to 86400",
        "app_load_reads: 'all' is not allowed",
        "infra_instance: there is no such variable; infra_instances is meant?",
    ):
        assert line in said, said
    assert "kubeconfig:" not in said, said
