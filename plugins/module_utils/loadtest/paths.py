# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The check of the app's paths from a host of the LAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..causes import catalogue
from ..finding import CollectionError, Finding
from . import remote
from .options import check_path, target_of, teller, validate

SHOWN = 200


def argument_spec() -> dict[str, Any]:
    """Return what path_check takes beside the target's options."""
    return {
        "paths": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "path": {"type": "str", "required": True},
                "status": {"type": "int", "default": 200},
                "contains": {"type": "str", "default": ""},
            },
        },
        "wait": {"type": "int", "default": 60},
    }


def work(params: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for each path until it answers as wanted. Raises CollectionError where one does not."""
    validate(params)
    if not params["paths"]:
        raise CollectionError("paths: [] is not allowed; it names one path at least")
    for wanted in params["paths"]:
        check_path("paths", wanted["path"])
    job = {"do": "paths", **target_of(params), "paths": params["paths"], "wait": params["wait"]}
    seen = remote.run(
        params["client_command"],
        job,
        seconds=params["wait"] + params["request_timeout"] * len(params["paths"]),
        tell=teller(params["progress_file"]),
        language=params["language"],
    )
    host = params["host_header"] or seen["address"]
    found = explain(host, seen["paths"], params["language"])
    details = {"address": seen["address"], "paths": [shown(answer) for answer in seen["paths"]]}
    if found:
        wrong = sum(not answer["ok"] for answer in seen["paths"])
        raise CollectionError(
            f"{wrong} of {len(seen['paths'])} paths do not answer as they should", found, details
        )
    return {"changed": False, "findings": [], **details}


def shown(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return one path's answer as the module returns it."""
    return {
        "path": answer["path"],
        "ok": answer["ok"],
        "status": answer["status"],
        "content_type": answer.get("type", ""),
        "milliseconds": round(answer["ms"], 1),
        "error": answer.get("error", ""),
    }


def explain(host: str, answers: Sequence[Mapping[str, Any]], language: str) -> list[Finding]:
    """Return a finding for each path that does not answer as wanted. Pure."""
    return [_cause(host, answer, language) for answer in answers if not answer["ok"]]


def _cause(host: str, answer: Mapping[str, Any], language: str) -> Finding:
    status = answer["status"]
    if not status:
        return catalogue.finding(
            "path.no_answer",
            subject=f"http://{host}{answer['path']}",
            proof=[f"{answer['error']}: {answer.get('detail', '')}"],
            language=language,
            kind=answer["error"],
        )
    code = "path.unexpected"
    if status == 404:
        code = "path.not_found"
    elif status in (500, 502, 503, 504):
        code = "path.unavailable"
    body = " ".join(answer.get("body", "").split())
    return catalogue.finding(
        code,
        subject=f"http://{host}{answer['path']}",
        proof=[f"status {status}, {answer.get('type') or 'no type'}: {body[:SHOWN]}"],
        language=language,
        status=status,
    )
