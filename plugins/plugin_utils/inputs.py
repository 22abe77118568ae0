# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a variable may be: types as argument_specs.yml says them, and the limits beside it. Pure."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils.kube.ingress import is_address

Spec = Mapping[str, Any]
# A form's name, the bounds of a number, or of a dictionary that is not empty the keys that it needs (``needs``) and the
# value of another variable with which nobody reads it (``unread``), by variable; ``variable.key`` for a key of a dict.
Limits = Mapping[str, Any]

# A name whose part after the prefix is as close as this to a known one's is that one, misspelt.
NEAR = 0.66
HIDDEN = "(hidden)"
SHOWN = 80

TYPES: Mapping[str, str] = MappingProxyType(
    {
        "str": "text",
        "path": "a path",
        "raw": "anything",
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "list": "a list",
        "dict": "a dictionary",
    }
)
BOUNDED = frozenset({"int", "float"})
TEXTS = frozenset({"str", "path"})
SCALARS = (str, int, float, bool)
# Texts that YAML 1.1 reads as booleans unless they are quoted.
BOOLEAN_WORDS = frozenset({"on", "off", "yes", "no", "true", "false"})


@dataclass(frozen=True)
class Form:
    """A form that a text has. allowed: as people read it."""

    allowed: str
    holds: Callable[[str], bool]


def _matching(pattern: str, longest: int = 253) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: len(text) <= longest and compiled.fullmatch(text) is not None


def _are_addresses(text: str) -> bool:
    """Whether a text is a range that MetalLB takes: ``first-last``, or a network."""
    try:
        if "-" not in text:
            return "/" in text and bool(ipaddress.ip_network(text.strip(), strict=False))
        first, last = (ipaddress.ip_address(part.strip()) for part in text.split("-", 1))
    except ValueError:
        return False
    return first.version == last.version and int(first) <= int(last)


def _or_empty(form: Form) -> Form:
    return Form(f"{form.allowed}, or empty", lambda text: not text or form.holds(text))


_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_HOST = Form(
    "a DNS name in lower case, not an address",
    lambda text: _matching(rf"{_LABEL}(\.{_LABEL})*")(text) and not is_address(text),
)
_QUANTITY = Form(
    "a Kubernetes quantity above 0, such as 500m, 2 or 4Gi",
    _matching(r"(?=.*[1-9])\d+(\.\d+)?(m|k|[KMGTPE]i|[MGTPE])?"),
)
_IDENTIFIER = Form("the name of a database, 1 to 64 characters", _matching(r"[^/\\`]+", 64))
_USER = Form("the name of a MySQL account, 1 to 32 characters", _matching(r"[\w.$-]+", 32))
_LABEL_FORM = Form(
    "a DNS label: lower case letters, digits and -, at most 63", _matching(_LABEL, 63)
)

_ADDRESSES = Form(
    "addresses such as 192.168.0.240-192.168.0.251 or 192.168.0.240/28", _are_addresses
)
_IMAGE = Form(
    "an image such as docker.io/library/mysql:9.7",
    _matching(
        r"[a-z0-9][a-z0-9._-]*(:\d+(?=/))?(/[a-z0-9][a-z0-9._-]*)*"
        r"(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?"
    ),
)
_SHA256 = Form("a sha256, 64 hexadecimal digits", _matching(r"(sha256:)?[0-9a-fA-F]{64}"))

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "addresses_or_empty": _or_empty(_ADDRESSES),
        "address": Form("an IP address", is_address),
        "host": _HOST,
        "host_or_empty": _or_empty(_HOST),
        "identifier": _IDENTIFIER,
        "identifier_or_empty": _or_empty(_IDENTIFIER),
        "image": _IMAGE,
        "image_or_empty": _or_empty(_IMAGE),
        "label": _LABEL_FORM,
        "label_or_empty": _or_empty(_LABEL_FORM),
        "quantity": _QUANTITY,
        "quantity_or_empty": _or_empty(_QUANTITY),
        "sha256_or_empty": _or_empty(_SHA256),
        "something": Form("something", lambda text: bool(text.strip())),
        "url": Form("a URL such as https://pypi.org/simple", _matching(r"https?://\S+", 2000)),
        "user": _USER,
        "user_or_empty": _or_empty(_USER),
    }
)


@dataclass(frozen=True)
class Known:
    """What is known of the variables of one role, or of the playbooks.

    prefix: with which their names begin. options: as in argument_specs.yml. limits: as in limits.yml.
    others: further names that are set on purpose, such as those in vars.
    """

    prefix: str
    options: Spec
    limits: Limits = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    @property
    def names(self) -> set[str]:
        """Every name that may be used."""
        return {*self.options, *self.others}


def problems(known: Known, values: Mapping[str, Any], *, complete: bool = True) -> list[str]:
    """Return what is wrong with the values of known variables, one line each.

    complete: whether what is required and not among the values is wrong.
    """
    found: list[str] = []
    for name, spec in known.options.items():
        if name in values:
            found.extend(_problems(name, spec, values[name], known.limits))
            found.extend(_unread(name, values, known.limits))
        elif complete and spec.get("required"):
            found.append(f"{name}: nothing is given; {allowed(name, spec, known.limits)}")
    return found


def unknown(every: Iterable[Known], names: Iterable[str]) -> list[str]:
    """Return what is wrong with names that nobody knows and that are nearly a known one."""
    found: list[str] = []
    for known in every:
        size = len(known.prefix)
        valid = {name[size:]: name for name in sorted(known.names) if name.startswith(known.prefix)}
        strange = sorted(name for name in names if name.startswith(known.prefix))
        for name in strange:
            near = difflib.get_close_matches(name[size:], valid, n=1, cutoff=NEAR)
            if near and name not in known.names:
                found.append(f"{name}: there is no such variable; {valid[near[0]]} is meant?")
    return found


def allowed(name: str, spec: Spec, limits: Limits) -> str:
    """Return what a variable may be, as people read it."""
    kind, limit = str(spec.get("type", "str")), limits.get(name)
    if spec.get("choices"):
        return f"allowed: {', '.join(map(_written, spec['choices']))}"
    if isinstance(limit, str):
        what = FORMS[limit].allowed
        return f"allowed: {f'a list of: {what}' if kind == 'list' else what}"
    text = TYPES[kind]
    if isinstance(limit, Mapping) and kind in BOUNDED:
        text += f" from {limit['min']} to {limit['max']}"
    if kind in ("list", "dict") and spec.get("options"):
        keys = ", ".join(spec["options"])
        text += f" of dictionaries with {keys}" if kind == "list" else f" with {keys}"
        text += ", or empty" if _needs(limit) else ""
    elif kind == "list" and spec.get("elements"):
        text += f" of {TYPES[str(spec['elements'])]}"
    return f"allowed: {text}"


def _problems(name: str, spec: Spec, value: Any, limits: Limits) -> Iterator[str]:
    shown = HIDDEN if spec.get("no_log") else _short(value)
    if not _is_of_type(spec, value):
        yield f"{name}: {shown} is not allowed; {allowed(name, spec, limits)}"
        return
    limit, kind = limits.get(name), str(spec.get("type", "str"))
    members = _members(value) if kind == "list" else [value]
    if any(not _within(kind, limit, member) for member in members):
        yield f"{name}: {shown} is not allowed; {allowed(name, spec, limits)}"
    yield from _keys(name, spec, members, limits)


def _keys(name: str, spec: Spec, members: Iterable[Any], limits: Limits) -> Iterator[str]:
    """Yield what is wrong inside of dictionaries whose keys are declared."""
    options: Spec = spec.get("options") or {}
    for member in members if options else ():
        if not isinstance(member, Mapping):
            continue
        for key in sorted(set(member) - set(options)):
            yield f"{name}: the key {key} is unknown; {allowed(name, spec, limits)}"
        for key, inner in options.items():
            if key in member:
                yield from _problems(f"{name}.{key}", inner, member[key], limits)
            elif inner.get("required") or (member and key in _needs(limits.get(name))):
                yield f"{name}: the key {key} is missing; {allowed(name, spec, limits)}"


def _unread(name: str, values: Mapping[str, Any], limits: Limits) -> Iterator[str]:
    """Yield that a dictionary is given which the value of another variable leaves without a reader."""
    limit = limits.get(name)
    for other, idle in limit.get("unread", {}).items() if isinstance(limit, Mapping) else ():
        if values[name] and values.get(other) == idle:
            yield (
                f"{name}: {_short(values[name])} is given and {other} is {idle};"
                f" allowed: another {other}, or {name} empty"
            )


def _written(choice: Any) -> str:
    """Return a choice as it is written in YAML, which takes a word such as off for a boolean."""
    return f'"{choice}"' if str(choice) in BOOLEAN_WORDS else str(choice)


def _needs(limit: Any) -> list[str]:
    """Return the keys without which a dictionary must be empty: what is required is so of an empty one too."""
    return list(limit.get("needs", ())) if isinstance(limit, Mapping) else []


def _is_of_type(spec: Spec, value: Any) -> bool:
    """Whether Ansible takes a value for the type and the choices; text is nothing else than that."""
    kind = str(spec.get("type", "str"))
    if value is None or (kind in TEXTS and not isinstance(value, SCALARS)):
        return False
    if kind == "list" and spec.get("elements") in TEXTS:
        members = _members(value)
        if any(not isinstance(member, SCALARS) for member in members):
            return False
    if kind == "int" and isinstance(value, bool):
        return False
    # Ansible would take False for the choice off, and whoever compares with the text would not.
    if kind in TEXTS and spec.get("choices") and isinstance(value, bool):
        return False
    # What lies inside is looked at key by key.
    plain = {key: spec[key] for key in ("type", "elements", "choices") if key in spec}
    validated = ArgumentSpecValidator({"value": plain}).validate({"value": value})
    return not validated.error_messages


def _within(kind: str, limit: Any, value: Any) -> bool:
    if isinstance(limit, str):
        return not isinstance(value, (Mapping, list)) and FORMS[limit].holds(str(value))
    if isinstance(limit, Mapping) and kind in BOUNDED:
        return bool(limit["min"] <= float(value) <= limit["max"])
    return True


def _members(value: Any) -> list[Any]:
    """Return a list's members; Ansible takes a text for a list with commas."""
    if isinstance(value, (list, tuple)):
        return list(value)
    return [part.strip() for part in str(value).split(",")]


def _short(value: Any) -> str:
    text = repr(str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
