# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The web pages: a home page at ``/`` and the data under ``/view``.

The ingress leads ``/`` here as it is, and ``/vew`` (the course's own spelling) and ``/view`` to
``/view``. Links are absolute, so both spellings lead on alike.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from ..common import employees
from ..common.database import Database, DatabaseError, MysqlDatabase, Row, settings_from

LOG = logging.getLogger("apps.web")

FOLDER = Path(__file__).parent
PAGE_ROWS = 25
# How many connections the instances page opens to see the replicas take turns.
LOOKS = 12

Render = Callable[..., HTMLResponse]

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

NEXT_STEPS = {
    "database.unreachable": "Look at the endpoints of the Service: kubectl get endpointslices",
    "database.access_denied": "Compare the app's Secret with the MySQL account it names.",
    "database.data_missing": "Run the data phase: ansible-playbook playbooks/site.yml --tags data",
}


def create() -> Starlette:
    """Make the app from the environment; what the server starts.

    Raises SettingsError.
    """
    return create_app(MysqlDatabase(settings_from(os.environ)))


def create_app(database: Database) -> Starlette:
    """Make the app over a database."""
    templates = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined
    )
    render = partial(_page, templates)
    return Starlette(
        routes=[*_health(database), *_pages(database, render), _static()],
        exception_handlers={
            DatabaseError: partial(_database_error, render),
            HTTPException: partial(_http_error, render),
        },
    )


def _page(templates: Environment, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    body = templates.get_template(name).render(**values)
    return HTMLResponse(body, status_code=status, headers=HEADERS)


def _static() -> Mount:
    return Mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")


def _note(request: Request, error: DatabaseError) -> None:
    LOG.warning("%s %s: %s: %s", request.method, request.url.path, error.cause, error)


async def _database_error(render: Render, request: Request, error: Exception) -> Response:
    assert isinstance(error, DatabaseError)
    _note(request, error)
    step = NEXT_STEPS.get(error.cause, "Look at the log of the instance that this names.")
    return render("unavailable.html", status=503, error=error, step=step)


async def _http_error(render: Render, request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return render(
        "error.html", status=error.status_code, status_code=error.status_code, detail=error.detail
    )


def _health(database: Database) -> Sequence[BaseRoute]:
    async def healthz(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    def readyz(request: Request) -> JSONResponse:
        try:
            with database.read() as session:
                employees.ping(session)
        except DatabaseError as error:
            _note(request, error)
            return JSONResponse({"error": error.as_dict()}, status_code=503)
        return JSONResponse({"status": "ok"})

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def _pages(database: Database, render: Render) -> Sequence[BaseRoute]:
    def home(request: Request) -> Response:
        with database.read() as session:
            instance = employees.instance(session)
        return render("home.html", instance=instance)

    def view(request: Request) -> Response:
        with database.read() as session:
            return render(
                "view.html",
                instance=employees.instance(session),
                departments=employees.departments(session),
            )

    return [
        Route("/", home),
        Route("/view", view),
        Route("/view/", view),
        Route("/view/instances", partial(_instances_page, database, render)),
        Route("/view/departments/{dept_no}", partial(_department_page, database, render)),
        Route("/view/employees", partial(_employees_page, database, render)),
        Route("/view/employees/{emp_no:int}", partial(_employee_page, database, render)),
    ]


def _instances_page(database: Database, render: Render, request: Request) -> Response:
    """Show which replicas a few new connections reached."""
    seen: dict[str, Row] = {}
    for _look in range(LOOKS):
        with database.read() as session:
            found = employees.instance(session)
        known = seen.setdefault(found["server_uuid"], {**found, "answers": 0})
        known["answers"] += 1
    ordered = sorted(seen.values(), key=lambda row: row["server_id"])
    return render("instances.html", instances=ordered, looks=LOOKS)


def _department_page(database: Database, render: Render, request: Request) -> Response:
    dept_no = request.path_params["dept_no"]
    if len(dept_no) > employees.DEPT_NO_LENGTH:
        raise HTTPException(404, "There is no such department.")
    with database.read() as session:
        department = employees.department(session, dept_no)
        if department is None:
            raise HTTPException(404, f"There is no department {dept_no}.")
        people = employees.department_employees(session, dept_no, PAGE_ROWS)
        instance = employees.instance(session)
    return render("department.html", department=department, employees=people, instance=instance)


def _employees_page(database: Database, render: Render, request: Request) -> Response:
    after = request.query_params.get("after", "0")
    if (
        not after.isascii()
        or not after.isdigit()
        or len(after) > 10
        or int(after) > employees.LARGEST
    ):
        raise HTTPException(400, f"after: {after[:40]!r} is not an employee's number.")
    with database.read() as session:
        people = employees.employees(session, int(after), PAGE_ROWS)
        instance = employees.instance(session)
    following = people[-1]["emp_no"] if len(people) == PAGE_ROWS else None
    return render("employees.html", employees=people, following=following, instance=instance)


def _employee_page(database: Database, render: Render, request: Request) -> Response:
    emp_no = request.path_params["emp_no"]
    if emp_no > employees.LARGEST:
        raise HTTPException(404, "There is no such employee.")
    with database.read() as session:
        employee = employees.employee(session, emp_no)
        instance = employees.instance(session)
    if employee is None:
        raise HTTPException(404, f"There is no employee {emp_no}.")
    return render("employee.html", employee=employee, instance=instance)
