# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The API: JSON about the employees and about the instance that answered.

The ingress strips its prefix (``/bucket``) before a request gets here. The server is told it as
its root path (UVICORN_ROOT_PATH), so that links and the documentation lead back through it.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from fastapi import FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from ..common import employees
from ..common.database import Database, DatabaseError, MysqlDatabase, settings_from
from . import docs

LOG = logging.getLogger("apps.api")

DESCRIPTION = "Employees read from the replicas through mysql-read, one new connection a request."


def create() -> FastAPI:
    """Make the app from the environment; what the server starts.

    Raises SettingsError.
    """
    return create_app(MysqlDatabase(settings_from(os.environ)))


def create_app(database: Database) -> FastAPI:
    """Make the app over a database."""
    app = FastAPI(
        title="Employees API",
        version="0.1.0",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    app.add_exception_handler(DatabaseError, _database_error)
    _add_docs(app)
    _add_health(app, database)
    _add_instances(app, database)
    _add_data(app, database)
    return app


async def _database_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DatabaseError)
    LOG.warning("%s %s: %s: %s", request.method, request.url.path, error.cause, error)
    return JSONResponse(status_code=503, content={"error": error.as_dict()})


def _add_docs(app: FastAPI) -> None:
    @app.get("/docs", include_in_schema=False)
    def page(request: Request) -> HTMLResponse:
        text = docs.page(app.title, str(request.scope.get("root_path", "")))
        return HTMLResponse(text, headers=dict(docs.HEADERS))

    @app.get("/docs.js", include_in_schema=False)
    def script() -> Response:
        return Response(docs.SCRIPT, media_type="text/javascript", headers=dict(docs.HEADERS))

    @app.get("/docs.css", include_in_schema=False)
    def style() -> Response:
        return Response(docs.STYLE, media_type="text/css", headers=dict(docs.HEADERS))


def _add_health(app: FastAPI, database: Database) -> None:
    @app.get("/", summary="What this is, and where to go on")
    def home(request: Request) -> dict[str, Any]:
        root = request.scope.get("root_path", "")
        paths = ("docs", "whoami", "write", "departments", "employees", "counts")
        return {
            "app": app.title,
            "version": app.version,
            "description": DESCRIPTION,
            "links": {name: f"{root}/{name}" for name in paths},
        }

    @app.get("/healthz", summary="The process is alive")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="The database answers through mysql-read")
    def readyz() -> dict[str, str]:
        with database.read() as session:
            employees.ping(session)
        return {"status": "ok"}


def _add_instances(app: FastAPI, database: Database) -> None:
    @app.get("/whoami", summary="The instance that mysql-read chose for this request")
    def whoami() -> dict[str, Any]:
        with database.read() as session:
            return employees.instance(session)

    @app.post("/write", summary="The instance that takes a write through mysql-write; rolled back")
    def write() -> dict[str, Any]:
        with database.write() as session:
            return {**employees.write_proof(session), "kept": False}


def _add_data(app: FastAPI, database: Database) -> None:
    @app.get("/counts", summary="Rows of each table")
    def counts() -> dict[str, int]:
        with database.read() as session:
            return employees.counts(session)

    @app.get("/departments", summary="Departments, with how many work there today")
    def departments() -> list[dict[str, Any]]:
        with database.read() as session:
            return employees.departments(session)

    @app.get("/employees", summary="Employees by number, one page")
    def employee_list(
        after: int = Query(
            0, ge=0, le=employees.LARGEST, description="Number of the last employee already seen"
        ),
        limit: int = Query(50, ge=1, le=500),
    ) -> list[dict[str, Any]]:
        with database.read() as session:
            return employees.employees(session, after, limit)

    @app.get("/employees/{emp_no}", summary="One employee with titles, departments and salaries")
    def employee(emp_no: int = Path(ge=1, le=employees.LARGEST)) -> dict[str, Any]:
        with database.read() as session:
            found = employees.employee(session, emp_no)
        if found is None:
            raise HTTPException(404, f"There is no employee {emp_no}")
        return found
