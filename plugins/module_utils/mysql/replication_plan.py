# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From how a channel is to how it is wanted: the steps, pure, and what runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..finding import CollectionError
from ..plan import Plan, Step
from .connection import Connection, Version
from .dialect import option, statement
from .replication import Channel, Setting, State
from .replication_filters import Filters, assignments
from .replication_until import Until

Goal = Literal["following", "stopped", "detached", "promoted"]

GOALS: tuple[Goal, ...] = ("following", "stopped", "detached", "promoted")
MASK = "********"
HELD = "as wanted"

OPTION_OF: Mapping[str, str] = {
    "host": "SOURCE_HOST",
    "port": "SOURCE_PORT",
    "user": "SOURCE_USER",
    "auto_position": "SOURCE_AUTO_POSITION",
    "delay": "SOURCE_DELAY",
    "connect_retry": "SOURCE_CONNECT_RETRY",
    "retry_count": "SOURCE_RETRY_COUNT",
    "heartbeat_period": "SOURCE_HEARTBEAT_PERIOD",
    "ssl": "SOURCE_SSL",
    "ssl_ca": "SOURCE_SSL_CA",
    "ssl_cert": "SOURCE_SSL_CERT",
    "ssl_key": "SOURCE_SSL_KEY",
    "ssl_verify_server_cert": "SOURCE_SSL_VERIFY_SERVER_CERT",
    "public_key_path": "SOURCE_PUBLIC_KEY_PATH",
    "get_public_key": "GET_SOURCE_PUBLIC_KEY",
    "ssl_capath": "SOURCE_SSL_CAPATH",
    "ssl_cipher": "SOURCE_SSL_CIPHER",
    "ssl_crl": "SOURCE_SSL_CRL",
    "ssl_crlpath": "SOURCE_SSL_CRLPATH",
    "tls_version": "SOURCE_TLS_VERSION",
    "tls_ciphersuites": "SOURCE_TLS_CIPHERSUITES",
    "privilege_checks_user": "PRIVILEGE_CHECKS_USER",
    "require_row_format": "REQUIRE_ROW_FORMAT",
    "require_table_primary_key_check": "REQUIRE_TABLE_PRIMARY_KEY_CHECK",
}
# Which thread has to stand while a setting changes: the receiver for all others.
APPLIER_STANDS = frozenset({"delay", "privilege_checks_user", "require_table_primary_key_check"})
BOTH_STAND = frozenset({"auto_position", "require_row_format"})
_EMPTY_AT_FIRST = frozenset(
    {"public_key_path", "privilege_checks_user", "require_row_format", "ssl_capath", "ssl_cipher"}
    | {"ssl_crl", "ssl_crlpath", "tls_version"}
)


@dataclass(frozen=True)
class Wanted:
    """What the user asks for. settings: only what was given, by the names in OPTION_OF.

    log_file, log_pos: where to begin (bytes), used when the channel is made or moved to another
    source. read_only: None leaves it as it is. filters: only the kinds that were given.
    until: where the applier is to stop. wait: whether the run waits until it has.
    source_uuid: server_uuid of the source, empty where it is not known.
    """

    goal: Goal
    channel: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)
    update_password: Literal["on_create", "always"] = "on_create"
    log_file: str | None = None
    log_pos: int | None = None
    read_only: bool | None = None
    filters: Filters = field(default_factory=dict)
    until: Until | None = None
    wait: bool = True
    source_uuid: str = ""

    def misled(self, channel: Channel) -> bool:
        """Whether the channel receives from another server than the source.

        The address can be the right one: a connection outlives what its name or its Service led to.
        """
        receives = self.goal == "following" and channel.receiver == "running"
        return receives and bool(self.source_uuid) and channel.reached_another(self.source_uuid)


Run = Callable[[str, Sequence[Any]], int]
Effect = Callable[[State], State]


@dataclass(frozen=True)
class _Planner:
    """Makes steps for one channel of one server; run: what executes a statement."""

    wanted: Wanted
    state: State
    run: Run

    @property
    def version(self) -> Version:
        """Version of the server that the steps are for."""
        return self.state.server.version

    def step(
        self, sql: str, params: Sequence[Any], shown: str, reason: str, effect: Effect
    ) -> Step[State]:
        def execute() -> None:
            self.run(sql, params)

        return Step(statement=shown, reason=reason, effect=effect, execute=execute)

    def on_channel(
        self, name: str, reason: str, effect: Effect, until: Until | None = None
    ) -> Step[State]:
        """Return a step whose statement differs by version and names the channel."""
        words = statement(name, self.version)
        channel = self.wanted.channel
        clause, params, text = until.clause(self.version) if until else ("", (), "")
        sql = " ".join(filter(None, (words, clause, "FOR CHANNEL %s")))
        shown = " ".join(filter(None, (words, text, f"FOR CHANNEL '{channel}'")))
        return self.step(sql, (*params, channel), shown, reason, effect)

    def threads(self, **threads: str) -> Effect:
        """Return the effect of starting or stopping threads of the channel, or of connecting elsewhere."""

        def effect(state: State) -> State:
            channel = state.channel(self.wanted.channel)
            if channel is None:
                return state
            changes: dict[str, Any] = dict(threads)
            return state.with_channel(replace(channel, **changes))

        return effect

    def variable(self, name: str, on: bool, reason: str, effect: Effect) -> Step[State]:
        """Return a step that sets a variable now and for later starts."""
        sql = f"SET PERSIST {name} = {'ON' if on else 'OFF'}"
        return self.step(sql, (), sql, reason, effect)


def plan(state: State, wanted: Wanted, connection: Connection | None = None) -> Plan[State]:
    """Return the steps from the state to what is wanted; nothing is touched.

    connection: what the steps run on when they are applied; without one they cannot be.
    Raises CollectionError where what is wanted cannot be said to this server.
    """

    def run(sql: str, params: Sequence[Any]) -> int:
        if connection is None:
            raise CollectionError("This plan was made without a connection: it cannot be applied")
        return connection.execute(sql, params)

    planner = _Planner(wanted, state, run)
    channel = state.channel(wanted.channel)
    if wanted.goal in ("detached", "promoted"):
        steps = _leaving(planner, channel)
        steps += _read_only(planner, state)
        return Plan(state, tuple(steps))
    steps = _configuring(planner, channel)
    folded = Plan(state, tuple(steps)).after()
    steps += _reconnecting(planner, folded.channel(wanted.channel))
    folded = Plan(state, tuple(steps)).after()
    steps += _read_only(planner, state)
    steps += _running(planner, folded.channel(wanted.channel))
    return Plan(state, tuple(steps))


def shown(state: State, wanted: Wanted) -> dict[str, Any]:
    """Return the part of a state that the options speak of, flat, for diffs; no secret in it."""
    channel = state.channel(wanted.channel)
    flat: dict[str, Any] = {"configured": channel is not None}
    managed = sorted(wanted.settings) if wanted.goal in ("following", "stopped") else []
    for name in managed:
        flat[name] = channel.settings.get(name) if channel else None
    for kind in sorted(wanted.filters):
        flat[f"filters.{kind}"] = list(channel.filters.get(kind, ())) if channel else []
    if wanted.password is not None and wanted.update_password == "always":
        flat["password"] = (
            HELD if channel and channel.password_matches else "another one or unknown"
        )
    if channel and wanted.misled(channel):
        flat["receives_from"] = channel.source_uuid
    flat["receiver"] = "started" if channel and channel.receiver != "stopped" else "stopped"
    flat["applier"] = "started" if channel and channel.applier != "stopped" else "stopped"
    flat["read_only"] = state.read_only
    flat["super_read_only"] = state.super_read_only
    flat["persisted"] = list(state.persisted)
    return flat


def _leaving(planner: _Planner, channel: Channel | None) -> list[Step[State]]:
    """Return the steps that make an instance forget its source."""
    if channel is None:
        return []
    name = planner.wanted.channel
    steps = _stopping(planner, channel, "the instance is to leave its source")
    reason = f"forget the source {channel.settings.get('host')}:{channel.settings.get('port')}"
    steps.append(
        planner.on_channel("reset_replica_all", reason, lambda state: state.without_channel(name))
    )
    return steps


def _stopping(planner: _Planner, channel: Channel, why: str) -> list[Step[State]]:
    if channel.receiver == "stopped" and channel.applier == "stopped":
        return []
    effect = planner.threads(receiver="stopped", applier="stopped")
    return [planner.on_channel("stop_replica", why, effect)]


def _standing(
    planner: _Planner, channel: Channel, receiver: bool, applier: bool, why: str
) -> list[Step[State]]:
    """Return the step that stops those of the named threads that run."""
    receiver = receiver and channel.receiver != "stopped"
    applier = applier and channel.applier != "stopped"
    if receiver and applier:
        return _stopping(planner, channel, f"{why} while both threads stand")
    if receiver:
        reason = f"{why} while the receiver stands; the applier runs on"
        effect = planner.threads(receiver="stopped")
        return [planner.on_channel("stop_receiver", reason, effect)]
    if applier:
        reason = f"{why} while the applier stands; the receiver runs on"
        effect = planner.threads(applier="stopped")
        return [planner.on_channel("stop_applier", reason, effect)]
    return []


def _configuring(planner: _Planner, channel: Channel | None) -> list[Step[State]]:
    """Return the steps that give the channel its settings."""
    wanted = planner.wanted
    if channel is None and "host" not in wanted.settings:
        if wanted.goal == "stopped":
            return []
        raise CollectionError(
            f"source_host: needed, because channel {wanted.channel!r} is not configured yet"
        )
    held: Mapping[str, Setting] = channel.settings if channel else {}
    changes = {
        name: value for name, value in wanted.settings.items() if _differs(channel, name, value)
    }
    password = _password_reason(wanted, channel)
    filters = {
        kind: rules
        for kind, rules in wanted.filters.items()
        if rules != (channel.filters.get(kind, ()) if channel else ())
    }
    if not changes and not password and not filters:
        return []
    both = bool(changes.keys() & BOTH_STAND)
    receiver = both or bool(changes.keys() - APPLIER_STANDS) or bool(password)
    applier = both or bool(changes.keys() & APPLIER_STANDS) or bool(filters)
    steps: list[Step[State]] = []
    if channel is not None:
        steps = _standing(planner, channel, receiver, applier, "settings change only")
    if changes or password:
        position = _position(wanted, changes, held)
        reason = _change_reason(channel, changes, password)
        sent = {**changes, **_kept(held, changes)}
        steps.append(_change(planner, sent, position, bool(password), reason))
    if filters:
        steps.append(_filter(planner, filters, channel))
    return steps


def _kept(held: Mapping[str, Setting], changes: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return what is said again, because the server forgets it together with the source's address.

    CHANGE REPLICATION SOURCE that names a host or a port puts the heartbeat period back to its default.
    """
    period = held.get("heartbeat_period")
    moved = bool({"host", "port"} & changes.keys())
    if not moved or period is None or "heartbeat_period" in changes:
        return {}
    return {"heartbeat_period": period}


def _differs(channel: Channel | None, name: str, value: Setting) -> bool:
    """Whether a setting is to be sent. What a version lacks holds where nothing is asked for."""
    if value is None:
        return False
    if channel is None:
        # An empty path is what a new channel has.
        return name not in _EMPTY_AT_FIRST or bool(value)
    held = channel.settings.get(name)
    return held != value and not (held is None and not value)


def _filter(planner: _Planner, filters: Filters, channel: Channel | None) -> Step[State]:
    name = planner.wanted.channel
    words = f"{statement('change_filter', planner.version)} {assignments(filters)}"
    held = channel.filters if channel else {}
    reason = "; ".join(
        f"filter {kind} {list(held.get(kind, ()))} -> {list(rules)}"
        for kind, rules in filters.items()
    )

    def effect(state: State) -> State:
        found = state.channel(name)
        if found is None:
            return state
        kept = {kind: rules for kind, rules in {**found.filters, **filters}.items() if rules}
        return state.with_channel(replace(found, filters=kept))

    # The per cent signs of wild rules are no placeholders.
    sql = f"{words.replace('%', '%%')} FOR CHANNEL %s"
    return planner.step(sql, (name,), f"{words} FOR CHANNEL '{name}'", reason, effect)


def _password_reason(wanted: Wanted, channel: Channel | None) -> str:
    """Return why the password is to be sent, empty for not at all."""
    if wanted.password is None:
        return ""
    if channel is None:
        return "password"
    if wanted.update_password == "always" and not channel.password_matches:
        known = channel.password_matches is not None
        return "password" if known else "password (the stored one cannot be read)"
    return ""


def _change_reason(channel: Channel | None, changes: Mapping[str, Setting], password: str) -> str:
    if channel is None:
        return f"channel is not configured: follow {changes.get('host')}"
    words = [
        f"{name} {channel.settings.get(name)!r} -> {value!r}" for name, value in changes.items()
    ]
    return "; ".join([*words, *([password] if password else [])])


def _position(
    wanted: Wanted, changes: Mapping[str, Setting], held: Mapping[str, Setting]
) -> dict[str, Setting]:
    """Return where to begin, by option, where a new beginning is made and GTIDs do not tell."""
    auto = wanted.settings.get("auto_position", held.get("auto_position", True))
    if auto or not {"host", "port", "auto_position"} & changes.keys():
        return {}
    if wanted.log_file is None or wanted.log_pos is None:
        raise CollectionError(
            "source_log_file, source_log_pos: both are needed where source_auto_position is false"
            " and the channel is made or moved to another source"
        )
    return {"SOURCE_LOG_FILE": wanted.log_file, "SOURCE_LOG_POS": wanted.log_pos}


def _change(
    planner: _Planner,
    changes: Mapping[str, Setting],
    position: Mapping[str, Setting],
    with_password: bool,
    reason: str,
) -> Step[State]:
    wanted, version = planner.wanted, planner.version
    values: dict[str, Any] = {OPTION_OF[name]: value for name, value in changes.items()}
    values |= position
    if with_password:
        values["SOURCE_PASSWORD"] = wanted.password
    parts = [_assignment(key, option(key, version), value) for key, value in values.items()]
    words = statement("change_source", version)
    sql = f"{words} {', '.join(part.sql for part in parts)} FOR CHANNEL %s"
    display = f"{words} {', '.join(part.shown for part in parts)} FOR CHANNEL '{wanted.channel}'"
    sent = [value for part in parts for value in part.params]

    def effect(state: State) -> State:
        channel = state.channel(wanted.channel) or Channel(wanted.channel, {})
        matches = True if with_password else channel.password_matches
        settings = {**channel.settings, **changes}
        return state.with_channel(replace(channel, settings=settings, password_matches=matches))

    return planner.step(sql, [*sent, wanted.channel], display, reason, effect)


@dataclass(frozen=True)
class _Part:
    """One assignment of CHANGE REPLICATION SOURCE TO: for the server, its values, and as shown."""

    sql: str
    params: tuple[Any, ...]
    shown: str


def _assignment(key: str, name: str, value: Any) -> _Part:
    if key == "SOURCE_PASSWORD":
        return _Part(f"{name} = %s", (value,), f"{name} = '{MASK}'")
    if key == "REQUIRE_TABLE_PRIMARY_KEY_CHECK":
        # A word of the language; the module's choices are all that it can be.
        return _Part(f"{name} = {value}", (), f"{name} = {value}")
    if key == "PRIVILEGE_CHECKS_USER":
        if not value:
            return _Part(f"{name} = NULL", (), f"{name} = NULL")
        user, host = split_account(value)
        return _Part(f"{name} = %s@%s", (user, host), f"{name} = {value}")
    sent = int(value) if isinstance(value, bool) else value
    shown = str(sent) if isinstance(sent, int | float) else f"'{sent}'"
    return _Part(f"{name} = %s", (sent,), f"{name} = {shown}")


def split_account(account: str) -> tuple[str, str]:
    """Return user and host of an account as the server writes it, ``'user'@'host'``."""
    user, _at, host = account.rpartition("@")
    return user.strip("'"), host.strip("'")


def _read_only(planner: _Planner, state: State) -> list[Step[State]]:
    """Return the steps that set read_only and super_read_only, now and for later starts."""
    on = planner.wanted.read_only
    both = ("read_only", "super_read_only")
    if on is None or (on and state.read_only and state.super_read_only and state.persisted == both):
        return []
    if not on and not (state.read_only or state.super_read_only or state.persisted):
        return []
    why = "a replica is written by replication alone" if on else "the instance takes writes"

    def effect(after: State) -> State:
        return replace(after, read_only=on, super_read_only=on, persisted=both if on else ())

    # super_read_only implies read_only: off, it goes first; on, it comes last.
    first, last = both if on else reversed(both)
    return [
        planner.variable(first, on, why, lambda after: after),
        planner.variable(last, on, why, effect),
    ]


def _reconnecting(planner: _Planner, channel: Channel | None) -> list[Step[State]]:
    """Return the step that ends a connection to another server than the source."""
    if channel is None or not planner.wanted.misled(channel):
        return []
    why = f"it receives from {channel.source_uuid}, and the source is {planner.wanted.source_uuid}"
    effect = planner.threads(receiver="stopped", source_uuid=planner.wanted.source_uuid)
    return [planner.on_channel("stop_receiver", why, effect)]


def _running(planner: _Planner, channel: Channel | None) -> list[Step[State]]:
    """Return the steps that start or stop the threads of a configured channel."""
    if channel is None:
        return []
    if planner.wanted.goal == "stopped":
        return _stopping(planner, channel, "the channel is to stand")
    if planner.wanted.until is not None:
        return _running_until(planner, channel, planner.wanted.until)
    return _both_running(planner, channel)


def _both_running(planner: _Planner, channel: Channel) -> list[Step[State]]:
    running = planner.threads(receiver="running", applier="running")
    standing = [
        name
        for name, thread in (("receiver", channel.receiver), ("applier", channel.applier))
        if thread == "stopped"
    ]
    if standing:
        name = f"start_{standing[0]}" if len(standing) == 1 else "start_replica"
        return [planner.on_channel(name, f"{' and '.join(standing)} stopped", running)]
    if channel.receiver == "connecting" and channel.receiver_errno:
        why = f"the receiver waits after error {channel.receiver_errno}: connect at once"
        still = planner.threads(receiver="stopped")
        return [
            planner.on_channel("stop_receiver", why, still),
            planner.on_channel("start_receiver", why, running),
        ]
    return []


def _running_until(planner: _Planner, channel: Channel, until: Until) -> list[Step[State]]:
    """Return the steps that let the receiver run and the applier stop at its place."""
    steps: list[Step[State]] = []
    if channel.receiver == "stopped":
        running = planner.threads(receiver="running")
        steps.append(planner.on_channel("start_receiver", "receiver stopped", running))
    stopped = planner.threads(applier="stopped")
    runs = channel.applier != "stopped"
    if until.reached(planner.state, channel):
        why = "the applier has come to the place where it is to stop"
        return [*steps, planner.on_channel("stop_applier", why, stopped)] if runs else steps
    if runs and until.held_by(channel):
        return steps
    if runs:
        why = "the applier runs without this place to stop at"
        steps.append(planner.on_channel("stop_applier", why, stopped))
    # Whoever waits for it sees it stopped in the end.
    there = planner.threads(applier="stopped" if planner.wanted.wait else "running")
    why = "apply up to the place asked for and stop there"
    return [*steps, planner.on_channel("start_applier", why, there, until)]
