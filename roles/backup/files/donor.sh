# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# shellcheck shell=bash
#
# The donor of a base: what it holds at one GTID set, and whether a copy that followed it there holds
# the same. Needs lib.sh, server.sh, content.sh; in $donor is its address.
#
# The copy lets one account in besides those that the base brought: nothing else than this script knows
# its password, and it is gone before the copy is compared.

COMPARE_TRIES=${COMPARE_TRIES:-3}
FOLLOW_SECONDS=${FOLLOW_SECONDS:-3600}
LOCK_SECONDS=${LOCK_SECONDS:-30}
COPY_USER=mysql_on_kubernetes_base

donor_session=
why=

# One session to the end, so that it can keep a snapshot: statements into file descriptor 7, answers
# into a file, the end of each round by a line of its own.
open_donor() {
  rm -f "$WORK/ask"
  mkfifo "$WORK/ask"
  "${SOURCE_CLIENT[@]}" --host="$donor" --unbuffered "${PLAIN_SESSION[@]}" \
    <"$WORK/ask" >"$WORK/told" 2>"$WORK/told.err" 8>&- &
  donor_session=$!
  exec 7>"$WORK/ask"
  rounds=0
}

close_donor() {
  if [ -n "$donor_session" ]; then
    exec 7>&-
    wait "$donor_session" 2>/dev/null || true
    donor_session=
  fi
}

# ask_donor: runs the statements of standard input in that session; what they lead to is in $WORK/answer.
ask_donor() {
  local begin="-- round $rounds" end
  rounds=$((rounds + 1))
  end="-- round $rounds"
  # By programs of their own: a session that is gone ends those, not this shell.
  cat >&7 || true
  echo "SELECT '$end';" | cat >&7 || true
  until [ "$(tail -n 1 "$WORK/told")" = "$end" ]; do
    if ! kill -0 "$donor_session" 2>/dev/null; then
      why=$(head -n 1 "$WORK/told.err")
      return 1
    fi
    sleep 0.05
  done
  awk -v begin="$begin" -v end="$end" -v inside="$((rounds == 1))" '
    $0 == end { exit }
    inside { print }
    $0 == begin { inside = 1 }' "$WORK/told" >"$WORK/answer"
}

# The same in a session of its own: what the statements of standard input lead to.
donor_plain() {
  "${SOURCE_CLIENT[@]}" --host="$donor" "${PLAIN_SESSION[@]}" "$@"
}

donor_definitions() {
  definitions_sql | donor_plain || return 1
  created_sql | donor_plain --raw | donor_plain | created_as_lines || return 1
  echo "XA RECOVER CONVERT XID;" | donor_plain | prepared_as_lines
}

# read_donor FOLDER METHOD LOCKED: what it holds at the set that is then in $snapshot, into FOLDER/lines.
# Definitions are in no snapshot: they were the same before and after it, or it is to be read again.
# LOCKED: writes wait while the snapshot is taken, as with mysqldump; without it, a commit may be
# seen before its GTID. Rows that no snapshot keeps are read under the lock in any case.
# Returns 1, and says in $why, where it could not be read.
read_donor() {
  local done=0
  mkdir -p "$1"
  why="its definitions could not be read"
  donor_definitions >"$1/before" || return 1
  tables_sql held "$2" | donor_plain --raw >"$1/held.sql" || return 1
  { tables_sql kept "$2"; accounts_sql; } | donor_plain --raw >"$1/kept.sql" || return 1
  open_donor
  if take_snapshot "$1" "$3" && ask_donor <"$1/kept.sql"; then done=1; fi
  close_donor
  if [ "$done" = 0 ]; then return 1; fi
  sums_as_json <"$WORK/answer" >>"$1/lines" || return 1
  donor_definitions >"$1/after" || return 1
  if [ "$(sha256_of "$1/before")" != "$(sha256_of "$1/after")" ]; then
    why="its definitions changed meanwhile"
    return 1
  fi
  cat "$1/after" >>"$1/lines"
}

# take_snapshot FOLDER LOCKED: see read_donor.
take_snapshot() {
  local begin="START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY; SELECT $GTIDS_SQL;"
  : >"$1/lines"
  if [ ! -s "$1/held.sql" ] && [ -z "$2" ]; then
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      ask_donor <<<"SELECT $GTIDS_SQL; $begin" || return 1
      snapshot=$(tail -n 1 "$WORK/answer")
      if [ "$(head -n 1 "$WORK/answer")" = "$snapshot" ]; then return 0; fi
    done
  fi
  ask_donor <<<"SET lock_wait_timeout = $LOCK_SECONDS; FLUSH TABLES WITH READ LOCK; $begin" || return 1
  snapshot=$(tail -n 1 "$WORK/answer")
  if [ -s "$1/held.sql" ]; then
    ask_donor <"$1/held.sql" || return 1
    sums_as_json <"$WORK/answer" >"$1/lines" || return 1
  fi
  ask_donor <<<"UNLOCK TABLES;"
}

# The words of a version for replication's statements.
old_words() {
  if [ "$(printf '%s\n' 8.0.23 "${donor_version%%-*}" | sort -V | head -n 1)" = 8.0.23 ]; then
    cat
  else
    sed 's/REPLICATION SOURCE/MASTER/g; s/SOURCE_/MASTER_/g; s/REPLICA/SLAVE/g'
  fi
}

# follow_donor SET: starts the copy, lets it apply what the donor has of the set, and stops it.
follow_donor() {
  local word account port tls=0 password statements
  word=Aa1!$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (
    umask 077
    printf '[client]\nuser=%s\npassword=%s\n' "$COPY_USER" "$word" >"$WORK/copy.cnf"
    printf '%s\n' "CREATE USER '$COPY_USER'@'localhost' IDENTIFIED BY '$word';" \
      "GRANT ALL ON *.* TO '$COPY_USER'@'localhost';" >"$WORK/init.sql"
  )
  own "$WORK/init.sql"
  SERVER_LOGIN=(--defaults-file="$WORK/copy.cnf")
  start_server "$WORK/data" "${PLUGINS[@]}" --gtid-mode=ON --enforce-gtid-consistency=ON --relay-log=relay \
    --init-file="$WORK/init.sql"
  rm -f "$WORK/init.sql"
  account=$(donor_value "SELECT SUBSTRING_INDEX(USER(), '@', 1)")
  port=$(donor_value "SELECT @@port")
  if [ -n "$(donor_value "SHOW STATUS LIKE 'Ssl_cipher'" | cut -f 2)" ]; then tls=1; fi
  password=$(as_literal <"${PASSWORD_FILE:?file with the password}")
  # The copy of a replica knows that one's source.
  statements=$(old_words <<END
RESET REPLICA ALL;
CHANGE REPLICATION SOURCE TO SOURCE_HOST='$donor', SOURCE_PORT=$port, SOURCE_USER='$account',
  SOURCE_PASSWORD='@', SOURCE_AUTO_POSITION=1, SOURCE_SSL=$tls, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1;
START REPLICA UNTIL SQL_AFTER_GTIDS='$1';
END
  )
  server_sql <<<"${statements/@/"$password"}"
  await_set "$1"
  echo "STOP REPLICA; RESET REPLICA ALL; DROP USER '$COPY_USER'@'localhost';" | old_words | server_sql
  stop_server
  SERVER_LOGIN=(--no-defaults --user=root)
  rm -f "$WORK/copy.cnf"
}

as_literal() {
  sed "s/\\\\/\\\\\\\\/g; s/'/\\\\'/g"
}

# A receiver that was refused tries again: it is given some seconds.
await_set() {
  local deadline=$((SECONDS + FOLLOW_SECONDS)) refused=0 applier receiver
  until [ "$(server_sql -e "SELECT WAIT_FOR_EXECUTED_GTID_SET('$1', 1)")" = 0 ]; do
    applier=$(server_sql -e "
      SELECT last_error_number, last_error_message FROM performance_schema.replication_applier_status_by_worker
       WHERE last_error_number <> 0
      UNION ALL SELECT last_error_number, last_error_message
        FROM performance_schema.replication_applier_status_by_coordinator WHERE last_error_number <> 0")
    if [ -n "$applier" ]; then
      fail "the base cannot follow $donor, so what it holds is not what $donor had: ${applier//$'\t'/ }"
    fi
    receiver=$(server_sql -e "SELECT last_error_number, last_error_message
      FROM performance_schema.replication_connection_status WHERE last_error_number <> 0")
    if [ -z "$receiver" ]; then refused=0; else refused=$((refused + 1)); fi
    if [ "$refused" -gt 20 ] || [ "$SECONDS" -gt "$deadline" ]; then
      fail "the base was not compared with $donor: it got nothing from its binary logs: ${receiver//$'\t'/ }"
    fi
  done
}

# compare_with_donor METHOD: holds the copy in $WORK/data, whose content is in $WORK/base and whose set
# in $executed, against the donor. Fails with the names of what differs; then $compared_at is the set.
compare_with_donor() {
  local try has=$executed lines=$WORK/base/lines
  followed=
  wrong=
  for ((try = 1; try <= COMPARE_TRIES; try++)); do
    # In a condition nothing ends by itself: read_donor says what failed.
    if ! read_donor "$WORK/donor" "$1" "$([ "$try" = 1 ] || echo locked)"; then
      say "what $donor holds could not be read, try $try of $COMPARE_TRIES: $why"
      continue
    fi
    why=
    if [ "$snapshot" != "$has" ] && [ -n "$snapshot" ]; then
      follow_donor "$snapshot"
      start_server "$WORK/data" --skip-grant-tables
      read_content "$WORK/copy" "$1"
      has=$(executed_now)
      stop_server
      lines=$WORK/copy/lines
      followed=yes
    fi
    if [ "$snapshot" != "$has" ]; then
      why="the copy has $has, $donor had $snapshot"
      continue
    fi
    comparable <"$lines" >"$WORK/one"
    comparable <"$WORK/donor/lines" >"$WORK/other"
    wrong=$(differing "$WORK/one" "$WORK/other")
    if [ -z "$wrong" ]; then
      compared_at=$snapshot
      return
    fi
    say "not yet as $donor has it, try $try of $COMPARE_TRIES: $(first_of <<<"$wrong")"
  done
  if [ -n "$wrong" ]; then
    fail "the base is not what $donor has at $snapshot; different are: $(first_of <<<"$wrong")"
  fi
  fail "the base was not compared with $donor: $why"
}

# A few of many names.
first_of() {
  awk 'NR <= 10 { printf("%s%s", (NR > 1 ? ", " : ""), $0) } END { if (NR > 10) printf " and %d more", NR - 10 }'
}

# Without what a base by dump had to leave out; a copy that followed has its own state of events.
comparable() {
  awk -F '\t' -v file="$WORK/left_out" -v followed="$followed" '
    BEGIN { while ((getline name <file) > 0) left_out[name] }
    !($1 in left_out) && !(followed && /^state of event /)'
}
