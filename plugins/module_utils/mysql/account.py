# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts: who may log in, how, and to do what. Observe, plan; statements are made here alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..finding import CollectionError
from ..plan import Plan, Step
from .connection import Connection
from .dialect import authentication_plugin, quote_identifier

MASK = "********"
GRANT_OPTION = "GRANT OPTION"
EVERYTHING = "*.*"

_GRANT = re.compile(r"GRANT (?P<what>.+?) ON (?P<level>(?:\*|`.*?`)\.(?:\*|`.*?`)) TO (?P<rest>.+)")
_PRIVILEGE = re.compile(r"[A-Z_]+(?: [A-Z_]+)*")

# {level as the user writes it, such as ``shop.*``: privileges in capitals}
Privileges = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Account:
    """One account as it is.

    password_matches: None where nobody asked or it cannot be told. retained: whether an earlier
    password still logs in beside the current one.
    """

    exists: bool
    plugin: str = ""
    tls: bool = False
    privileges: Privileges = field(default_factory=dict)
    password_matches: bool | None = None
    retained: bool = False


@dataclass(frozen=True)
class Wanted:
    """One account as it is to be; None leaves a property as it is.

    old_password: what becomes of the password that another one takes the place of.
    """

    name: str
    host: str
    present: bool = True
    password: str | None = field(default=None, repr=False)
    update_password: Literal["on_create", "always"] = "on_create"
    old_password: Literal["retain", "discard"] | None = None
    plugin: str | None = None
    tls: bool | None = None
    privileges: Privileges | None = None

    @property
    def shown(self) -> str:
        """The account as MySQL writes it."""
        return f"'{self.name}'@'{self.host}'"


def parse_privileges(given: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the option ``privileges`` checked: levels quoted well, privileges in capitals.

    Raises CollectionError naming the level or privilege that cannot be one.
    """
    parsed: dict[str, frozenset[str]] = {}
    for level, privileges in given.items():
        quote_level(level)
        if not isinstance(privileges, list) or not privileges:
            raise CollectionError(f"privileges: {level!r} needs a list of privileges")
        names = {str(privilege).strip().upper() for privilege in privileges}
        for name in names:
            if _PRIVILEGE.fullmatch(name) is None:
                raise CollectionError(
                    f"privileges: {name!r} on {level!r} is not a privilege such as SELECT"
                )
        # ALL holds every other one, and is what SHOW GRANTS then says.
        whole = names & {"ALL", "ALL PRIVILEGES"}
        parsed[level] = frozenset({"ALL"} | (names & {GRANT_OPTION}) if whole else names)
    return parsed


def quote_level(level: str) -> str:
    """Return ``*.*``, ``schema.*`` or ``schema.table`` quoted. Raises CollectionError."""
    schema, dot, table = level.partition(".")
    if not dot or (schema == "*" and table != "*"):
        raise CollectionError(
            f"privileges: {level!r} is not a level: *.*, schema.* or schema.table is allowed"
        )
    quoted = [part if part == "*" else quote_identifier(part) for part in (schema, table)]
    return ".".join(quoted)


def observe(connection: Connection, name: str, host: str) -> Account:
    """Return the account as the server has it. Needs SELECT on mysql.user. Raises MysqlError."""
    rows = connection.query(
        "SELECT plugin, ssl_type,"
        " JSON_CONTAINS_PATH(user_attributes, 'one', '$.additional_password') AS retained"
        " FROM mysql.user WHERE user = %s AND host = %s",
        (name, host),
    )
    if not rows:
        return Account(exists=False)
    grants = connection.query("SHOW GRANTS FOR %s@%s", (name, host))
    return Account(
        exists=True,
        plugin=str(rows[0]["plugin"]),
        tls=bool(rows[0]["ssl_type"]),
        retained=bool(rows[0]["retained"]),
        privileges=read_grants(str(next(iter(row.values()))) for row in grants),
    )


def read_grants(lines: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return what SHOW GRANTS says, level by level; roles and proxies are left aside."""
    found: dict[str, set[str]] = {}
    for line in lines:
        match = _GRANT.fullmatch(line)
        if match is None or line.startswith("GRANT PROXY"):
            continue
        level = ".".join(_bare(part) for part in re.findall(r"\*|`(?:[^`]|``)*`", match["level"]))
        held = found.setdefault(level, set())
        held.update("ALL" if each == "ALL PRIVILEGES" else each for each in _split(match["what"]))
        if match["rest"].endswith("WITH GRANT OPTION"):
            held.add(GRANT_OPTION)
    return {level: frozenset(held - {"USAGE"}) for level, held in found.items() if held - {"USAGE"}}


def every_privilege(connection: Connection) -> frozenset[str]:
    """Return what ALL means on ``*.*`` for this server. Raises MysqlError."""
    rows = connection.query("SHOW PRIVILEGES")
    names = {str(row["privilege"]).upper() for row in rows}
    return frozenset(names - {"USAGE", "PROXY", GRANT_OPTION})


def plan(
    state: Account, wanted: Wanted, connection: Connection, everything: frozenset[str]
) -> Plan[Account]:
    """Return the steps from the account to what is wanted; nothing is touched.

    everything: what ALL means on ``*.*``. Raises CollectionError where that cannot be.
    """
    planner = _Planner(connection, wanted, everything)
    if not wanted.present:
        return Plan(state, planner.dropping(state))
    steps = planner.making(state)
    made = Plan(state, steps).after()
    return Plan(state, (*steps, *planner.granting(made)))


def shown(state: Account, wanted: Wanted) -> dict[str, Any]:
    """Return the managed part of an account, flat, for diffs; no secret in it."""
    flat: dict[str, Any] = {"exists": state.exists}
    if wanted.plugin is not None:
        flat["plugin"] = state.plugin
    if wanted.tls is not None:
        flat["require_tls"] = state.tls
    if wanted.old_password is not None:
        flat["old_password_retained"] = state.retained
    if wanted.privileges is not None or not wanted.present:
        flat["privileges"] = listed(state.privileges)
    if wanted.update_password == "always" and wanted.password is not None:
        flat["password"] = "as wanted" if state.password_matches else "another one or unknown"
    return flat


def listed(privileges: Privileges) -> dict[str, list[str]]:
    """Return privileges as modules return them, sorted."""
    return {level: sorted(privileges[level]) for level in sorted(privileges)}


@dataclass(frozen=True)
class _Planner:
    connection: Connection
    wanted: Wanted
    everything: frozenset[str]

    def step(
        self, sql: str, params: Sequence[Any], display: str, reason: str, after: Account
    ) -> Step[Account]:
        """Return a step after which the account is as said; the name comes last in params."""

        def execute() -> None:
            self.connection.execute(sql, params)

        return Step(display, reason, lambda _before: after, execute)

    def dropping(self, state: Account) -> tuple[Step[Account], ...]:
        if not state.exists:
            return ()
        who = (self.wanted.name, self.wanted.host)
        display = f"DROP USER {self.wanted.shown}"
        return (self.step("DROP USER %s@%s", who, display, "to be absent", Account(False)),)

    def making(self, state: Account) -> tuple[Step[Account], ...]:
        """Return the steps that create or alter the login itself."""
        wanted = self.wanted
        wants_password = wanted.password is not None and (
            not state.exists or (wanted.update_password == "always" and not state.password_matches)
        )
        wants_plugin = wanted.plugin is not None and wanted.plugin != state.plugin
        if state.exists and wants_plugin and wanted.password is None:
            raise CollectionError(f"password: needed to change the plugin of {wanted.shown}")
        wants_tls = wanted.tls is not None and wanted.tls != state.tls
        if state.exists and not (wants_password or wants_plugin or wants_tls):
            return self._discarding(state)
        identified = wants_password or wants_plugin
        if wanted.old_password == "retain" and identified and state.retained:
            # A third password would push out the one that somebody may still use.
            raise CollectionError(
                f"old_password: {wanted.shown} already keeps an earlier password; discard that first"
                " (old_password: discard), once nobody logs in with it"
            )
        reasons = ["account is absent"] if not state.exists else []
        reasons += ["password"] * (state.exists and wants_password)
        reasons += [f"plugin {state.plugin} -> {wanted.plugin}"] * (state.exists and wants_plugin)
        reasons += [f"require TLS: {wanted.tls}"] * (state.exists and wants_tls)
        login = self._login(state, identified, wants_tls, ", ".join(reasons))
        return (login, *self._discarding(login.effect(state)))

    def _discarding(self, state: Account) -> tuple[Step[Account], ...]:
        """Return the step that ends an earlier password, where one is kept and is to go."""
        if self.wanted.old_password != "discard" or not state.retained:
            return ()
        who = (self.wanted.name, self.wanted.host)
        display = f"ALTER USER {self.wanted.shown} DISCARD OLD PASSWORD"
        after = replace(state, retained=False)
        reason = "the earlier password is not to log in any more"
        return (self.step("ALTER USER %s@%s DISCARD OLD PASSWORD", who, display, reason, after),)

    def _login(self, state: Account, identified: bool, tls: bool, reason: str) -> Step[Account]:
        wanted = self.wanted
        verb = "ALTER USER" if state.exists else "CREATE USER"
        plugin = wanted.plugin or (state.plugin if state.exists else "")
        params: list[Any] = [wanted.name, wanted.host]
        words = ""
        if identified:
            version = self.connection.server.version
            with_plugin = f" WITH {authentication_plugin(plugin, version)}" if plugin else ""
            words = f" IDENTIFIED{with_plugin} BY "
            params.append(wanted.password)
        require = f" REQUIRE {'SSL' if wanted.tls else 'NONE'}" if tls else ""
        retain = state.exists and identified and wanted.old_password == "retain"
        kept = " RETAIN CURRENT PASSWORD" if retain else ""
        after = replace(
            state,
            exists=True,
            plugin=plugin,
            tls=bool(wanted.tls) if tls else state.tls,
            password_matches=True if identified else state.password_matches,
            retained=state.retained or retain,
        )
        secret = f"{words}'{MASK}'{kept}" if identified else ""
        sql = f"{verb} %s@%s{words}{'%s' if identified else ''}{kept}{require}"
        return self.step(sql, params, f"{verb} {wanted.shown}{secret}{require}", reason, after)

    def granting(self, state: Account) -> tuple[Step[Account], ...]:
        """Return the steps that make the privileges exactly those wanted."""
        if self.wanted.privileges is None:
            return ()
        steps: list[Step[Account]] = []
        now = dict(state.privileges)
        for level in sorted({*now, *self.wanted.privileges}):
            held = self._expanded(level, now.get(level, frozenset()))
            asked = self.wanted.privileges.get(level, frozenset())
            kept = self._expanded(level, asked)
            for verb, names in self._differences(held, kept):
                held = held - names if verb == "REVOKE" else kept
                now = {**now, level: held}
                after = {key: value for key, value in now.items() if value}
                # ALL is given in one word; SHOW GRANTS may list what it stands for.
                sent = asked if verb == "GRANT" and "ALL" in asked else names
                steps.append(self._grant(verb, level, sent, replace(state, privileges=after)))
        return tuple(steps)

    def _differences(
        self, held: frozenset[str], kept: frozenset[str]
    ) -> list[tuple[str, frozenset[str]]]:
        """Return what to revoke and grant; ALL and GRANT OPTION cannot go in one statement."""
        extra = held - kept
        if "ALL" in kept:
            extra &= {GRANT_OPTION}
        option = extra & {GRANT_OPTION} if "ALL" in extra else frozenset()
        parts = [("REVOKE", option), ("REVOKE", extra - option), ("GRANT", kept - held)]
        return [(verb, names) for verb, names in parts if names]

    def _expanded(self, level: str, names: frozenset[str]) -> frozenset[str]:
        """Return privileges comparable with what SHOW GRANTS says: on *.* it never says ALL."""
        if level != EVERYTHING or "ALL" not in names:
            return names
        return (names - {"ALL"}) | self.everything

    def _grant(self, verb: str, level: str, names: frozenset[str], after: Account) -> Step[Account]:
        who = (self.wanted.name, self.wanted.host)
        option = verb == "GRANT" and GRANT_OPTION in names
        plain = sorted(names - {GRANT_OPTION} if verb == "GRANT" else names) or ["USAGE"]
        to = "TO" if verb == "GRANT" else "FROM"
        words = f"{verb} {', '.join(plain)} ON {quote_level(level)} {to} "
        tail = " WITH GRANT OPTION" if option else ""
        reason = f"privileges on {level} are to be exactly those asked for"
        # The level's own per cent signs are no placeholders.
        sql = f"{words.replace('%', '%%')}%s@%s{tail}"
        return self.step(sql, who, f"{words}{self.wanted.shown}{tail}", reason, after)


def _bare(part: str) -> str:
    return part if part == "*" else part[1:-1].replace("``", "`")


def _split(privileges: str) -> list[str]:
    """Return a list of privileges, columns kept with theirs."""
    return [each.strip() for each in re.split(r",(?![^(]*\))", privileges)]
