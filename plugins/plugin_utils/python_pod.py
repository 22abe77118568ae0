# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What makes a Pod run this collection's own Python on a public image.

The code comes from a ConfigMap: the modules that are named and all that they import, found by reading
them. The packages come from an index: an init container installs them, by their hashes, into a volume
that lives as long as the Pod.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..module_utils.finding import CollectionError

COLLECTION = Path(__file__).resolve().parents[2]
REQUIREMENTS = COLLECTION / "requirements"
# What the packages of the code are called in a Pod, and the folders that they are here.
ROOTS: Mapping[str, Path] = {
    "apps": COLLECTION / "apps",
    "mysql_on_kubernetes": COLLECTION / "plugins" / "module_utils",
}
CODE = "/python/code"
PACKAGES = "/python/packages"
CACHE = "/python/cache"
VOLUMES = {"code": "python-code", "packages": "python-packages", "cache": "python-cache"}
INIT_CONTAINER = "python-packages"
LIST = "requirements.txt"
INSTALL = "install.sh"
AUTHORITY = "ca.crt"
DEFAULTS: Mapping[str, Any] = {
    "image": "docker.io/library/python:3.13-slim",
    "index_url": "https://pypi.org/simple",
    "ca": "",
    "environment": {},
    "built_image": "",
}
# What an object may be, less room for its other fields.
LARGEST = 1_000_000
OPTIONS = (
    "--require-hashes --no-deps --only-binary :all: --no-cache-dir --no-input --quiet --progress-bar off"
    " --disable-pip-version-check --retries 2"
)
SCRIPT = f"""\
# The packages lie in a volume that lives as long as the Pod: started again, it asks no index.
set -eu
test ! -e {PACKAGES}/.complete || exit 0
python3 -m pip install {OPTIONS} \\
  --upgrade --no-compile --root-user-action ignore --target {PACKAGES} --requirement {CODE}/{LIST}
touch {PACKAGES}/.complete
"""
# All that Pods will ask for comes, for this image's Python and this processor.
DOWNLOAD = f"""\
printf '%s' "$PACKAGES" > /tmp/{LIST}
test -z "$CA" || {{ printf '%s' "$CA" > /tmp/{AUTHORITY}; export PIP_CERT=/tmp/{AUTHORITY}; }}
exec python3 -m pip download {OPTIONS} --dest /tmp/wheels --requirement /tmp/{LIST}
"""
HOLDS = """\
import importlib.metadata, os, sys
def held(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"
wanted = [line.split()[0].split("==") for line in os.environ["PACKAGES"].splitlines() if "==" in line]
lacking = [f"{name} {version} (it has {held(name)})" for name, version in wanted if held(name) != version]
sys.exit("the image lacks " + ", ".join(lacking) if lacking else 0)
"""
PINNED = re.compile(r"^([^\s#=]+)==", re.MULTILINE)


def _file(module: str) -> Path | None:
    """Return the file of a module of ours, None for anything else."""
    root, _dot, rest = module.partition(".")
    if root not in ROOTS or not rest:
        return None
    file = ROOTS[root].joinpath(*rest.split(".")).with_suffix(".py")
    return file if file.is_file() else None


def _is_for_types_alone(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Go through all that runs: not what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if not _is_for_types_alone(node):
            yield node
            yield from _statements(node)


def _imported(module: str, source: str) -> Iterator[str]:
    """Return each name that a module's source imports and that may be a module of ours."""
    for node in _statements(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def modules_needed(modules: Iterable[str]) -> dict[str, Path]:
    """Return the files of some modules and of all of ours that they import, by their paths in a Pod.

    Raises CollectionError for a module that is none of ours.
    """
    found: dict[str, Path] = {}
    open_ = list(modules)
    for module in open_:
        if _file(module) is None:
            raise CollectionError(f"{module} is no module below {', '.join(sorted(ROOTS))}")
    while open_:
        module = open_.pop()
        file = _file(module)
        if file is not None and (path := _path(file)) not in found:
            found[path] = file
            open_.extend(_imported(module, file.read_text()))
    return dict(sorted(found.items()))


def _path(file: Path) -> str:
    """Return where a file of ours lies in a Pod, below the folder of the code."""
    for name, root in ROOTS.items():
        if file.is_relative_to(root):
            return f"{name}/{file.relative_to(root).as_posix()}"
    raise CollectionError(f"{file} is in none of {', '.join(map(str, ROOTS.values()))}")


def _data(folders: Iterable[str]) -> dict[str, Path]:
    """Return what lies in some folders of the code beside modules. Raises CollectionError."""
    found: dict[str, Path] = {}
    for folder in folders:
        root, _slash, rest = folder.partition("/")
        files = [path for path in sorted((ROOTS[root] / rest).rglob("*")) if path.is_file()]
        if not files:
            raise CollectionError(f"{folder} holds no file")
        found.update((_path(file), file) for file in files)
    return found


def requirements(sets: Iterable[str]) -> str:
    """Return some sets of packages as one list, each package once. Raises CollectionError."""
    found: dict[str, str] = {}
    for name in sets:
        file = REQUIREMENTS / f"{name}.txt"
        if not file.is_file():
            known = ", ".join(sorted(path.stem for path in REQUIREMENTS.glob("*.txt")))
            raise CollectionError(f"{name} is no set of packages; there are {known}")
        text = file.read_text()
        starts = [match.start() for match in PINNED.finditer(text)]
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
            entry = text[start:end]
            found[entry.partition("==")[0]] = entry
    return "".join(found[name] for name in sorted(found))


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with their defaults. Raises CollectionError."""
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise CollectionError(f"{unknown[0]} is none of {', '.join(sorted(DEFAULTS))}")
    return {**DEFAULTS, **given}


def _environment(settings: Mapping[str, Any], folder: str) -> list[dict[str, str]]:
    """Return what pip reads. folder: where it may write."""
    index = settings["index_url"]
    values = {"HOME": folder, "TMPDIR": folder, "PIP_INDEX_URL": index}
    host = re.match(r"http://(?:[^/@]*@)?([^/]+)", index)
    if host:
        # Whoever stands in between can change nothing: each file has its hash.
        values["PIP_TRUSTED_HOST"] = host[1]
    values.update({name: str(value) for name, value in settings["environment"].items()})
    return _variables(values)


def _variables(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _mount(volume: str, path: str, *, read_only: bool) -> dict[str, Any]:
    mount: dict[str, Any] = {"name": VOLUMES[volume], "mountPath": path}
    return {**mount, "readOnly": True} if read_only else mount


def _init_container(settings: Mapping[str, Any]) -> dict[str, Any]:
    own = {"PIP_CERT": f"{CODE}/{AUTHORITY}"} if settings["ca"] else {}
    return {
        "name": INIT_CONTAINER,
        "image": settings["image"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", f"{CODE}/{INSTALL}"],
        "env": [*_environment(settings, CACHE), *_variables(own)],
        "resources": {
            "requests": {"cpu": "50m", "memory": "96Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            _mount("code", CODE, read_only=True),
            _mount("packages", PACKAGES, read_only=False),
            _mount("cache", CACHE, read_only=False),
        ],
    }


def python_pod(
    given: Mapping[str, Any],
    config_map: str,
    modules: Iterable[str],
    packages: Iterable[str],
    data: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the parts of a ConfigMap and of a Pod that make the Pod run some modules.

    given: settings, by the names of DEFAULTS. Raises CollectionError.
    """
    settings = _settings(given)
    built = bool(settings["built_image"])
    files = {**modules_needed(modules), **_data(data)}
    texts = {path: file.read_text() for path, file in files.items()}
    if not built:
        texts[LIST] = requirements(packages)
        texts[INSTALL] = SCRIPT
        if settings["ca"]:
            texts[AUTHORITY] = settings["ca"]
    size = sum(len(text.encode()) for text in texts.values())
    if size > LARGEST:
        raise CollectionError(f"{config_map} would be {size} bytes, more than a ConfigMap holds")
    keys = {path: path.replace("/", "__") for path in texts}
    path = [CODE] if built else [CODE, PACKAGES]
    code = {
        "name": config_map,
        "items": [{"key": keys[each], "path": each} for each in sorted(texts)],
    }
    return {
        "image": settings["built_image"] or settings["image"],
        "data": {keys[each]: texts[each] for each in sorted(texts)},
        "checksum": hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()[:16],
        "init_containers": [] if built else [_init_container(settings)],
        "env": [
            {"name": "PYTHONPATH", "value": ":".join(path)},
            {"name": "PYTHONUNBUFFERED", "value": "1"},
            {"name": "PYTHONPYCACHEPREFIX", "value": CACHE},
        ],
        "volume_mounts": [
            _mount("code", CODE, read_only=True),
            *([] if built else [_mount("packages", PACKAGES, read_only=True)]),
            _mount("cache", CACHE, read_only=False),
        ],
        "volumes": [
            {"name": VOLUMES["code"], "configMap": code},
            *([] if built else [{"name": VOLUMES["packages"], "emptyDir": {}}]),
            {"name": VOLUMES["cache"], "emptyDir": {}},
        ],
    }


def python_check(given: Mapping[str, Any], packages: Iterable[str]) -> dict[str, Any]:
    """Return a container that ends well where Pods get these sets of packages, as they will.

    given: as python_pod takes it. Raises CollectionError.
    """
    settings = _settings(given)
    listed = {"PACKAGES": requirements(packages)}
    if settings["built_image"]:
        command = ["python3", "-c", HOLDS]
        return {
            "name": "python",
            "image": settings["built_image"],
            "command": command,
            "env": _variables(listed),
        }
    more = _variables({**listed, "CA": settings["ca"]})
    return {
        "name": "python",
        "image": settings["image"],
        "command": ["sh", "-c", DOWNLOAD],
        "env": [*_environment(settings, "/tmp"), *more],
    }
