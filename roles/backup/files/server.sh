# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# shellcheck shell=bash
#
# A mysqld of one's own on a data directory of one's own: nobody reaches it but by its socket.
#
#   WORK            folder for it; empty or not there yet, removed by who made it
#   MYSQLD          the server's program
#   MYSQLD_OPTIONS  what it needs beside what is given here, separated by spaces
#   SETTINGS        array: what a data directory is made with, and can be started with alone

WORK=${WORK:-/work}
MYSQLD=${MYSQLD:-mysqld}
START_SECONDS=${START_SECONDS:-300}
SETTINGS=()

server=
server_socket=$WORK/mysqld.sock
server_log=$WORK/error.log

# Options that every start of a server here has. --no-defaults: the image's my.cnf is the cluster's.
server_options() {
  # shellcheck disable=SC2206 # words on purpose
  options=(${MYSQLD_OPTIONS:-} ${SETTINGS[@]+"${SETTINGS[@]}"} --socket="$server_socket" --pid-file="$WORK/mysqld.pid"
    --secure-file-priv="$WORK" --loose-mysqlx=OFF --loose-innodb-use-native-aio=OFF "$@")
  if [ "$(id -u)" = 0 ]; then options+=(--user=mysql); fi
}

# make_work: an empty folder that the server may write to.
make_work() {
  mkdir -p "$WORK"
  find "$WORK" -mindepth 1 -delete
  if [ "$(id -u)" = 0 ]; then chown mysql:mysql "$WORK"; fi
}

own() {
  if [ "$(id -u)" = 0 ]; then chown -R mysql:mysql "$1"; fi
}

# initialize DATADIR [OPTION...]
initialize() {
  local data=$1 options
  shift
  server_options "$@"
  "$MYSQLD" --no-defaults "${options[@]}" --datadir="$data" --skip-log-bin --initialize-insecure \
    >"$server_log" 2>&1 || server_failed "initialization"
}

# start_server DATADIR [OPTION...]: returns when it answers on its socket.
start_server() {
  local data=$1 options deadline=$((SECONDS + START_SECONDS))
  shift
  server_options "$@"
  : >"$server_log"
  # A statement of a dump is twice as long as the longest value in it. Nobody's events run here.
  "$MYSQLD" --no-defaults "${options[@]}" --datadir="$data" --skip-networking --skip-log-bin \
    --event-scheduler=OFF --max-allowed-packet=1G --loose-skip-replica-start --loose-skip-slave-start --server-id="${SERVER_ID:-3}" \
    >>"$server_log" 2>&1 &
  server=$!
  until server_sql -e "SELECT 1" >/dev/null 2>&1; do
    if ! kill -0 "$server" 2>/dev/null; then server_failed "start"; fi
    if [ "$SECONDS" -gt "$deadline" ]; then server_failed "start within $START_SECONDS s"; fi
    sleep 0.2
  done
}

# Shut down in order: SIGTERM needs no account.
stop_server() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
  fi
}

server_failed() {
  tail -n 30 "$server_log" >&2
  server=
  fail "no $1 of mysqld on ${2:-$WORK}: $(grep -F '[ERROR]' "$server_log" | head -n 1 || true)"
}

# Who asks it: root without a password, unless somebody else was let in.
SERVER_LOGIN=(--no-defaults --user=root)

server_sql() {
  mysql "${SERVER_LOGIN[@]}" --socket="$server_socket" --batch --skip-column-names --max-allowed-packet=1G \
    --default-character-set=utf8mb4 "$@"
}

# restore_content FOLDER METHOD STORED COMPRESSION ENCRYPTION DATADIR
# Makes a data directory of what a base holds; nothing of the base is changed.
restore_content() {
  local folder=$1 method=$2 stored=$3 compression=$4 encryption=$5 data=$6
  if [ "$method" = dump ]; then
    initialize "$data"
    # Rows as they are: those that the donor took without innodb_strict_mode too.
    start_server "$data" --innodb-strict-mode=OFF
    # The dump brings its own GTIDs, and its own accounts: from then on root's password is another.
    unpack "$compression" "$encryption" <"$folder/$stored" | server_sql --binary-mode
    stop_server
  elif [ "$stored" = data ]; then
    cp -a --reflink=auto "$folder/data" "$data"
  else
    mkdir -p "$data"
    unpack "$compression" "$encryption" <"$folder/$stored" | tar -x -C "$data"
  fi
  # Two servers of one uuid are one too many.
  rm -f "$data/auto.cnf"
  own "$data"
}

# read_content FOLDER [METHOD]: what the started server holds, into FOLDER/tables, a line of JSON each,
# and FOLDER/lines, all that is compared with a donor. See content.sh; METHOD as there.
read_content() {
  mkdir -p "$1"
  generated "$(tables_sql all)" | sums_as_json >"$1/tables"
  if [ "${2:-}" = dump ]; then
    generated "$(tables_sql all dump)" | sums_as_json >"$1/lines"
  else
    cp "$1/tables" "$1/lines"
  fi
  {
    generated "$(accounts_sql)" | sums_as_json
    definitions_sql | server_plain
    generated "$(created_sql)" | created_as_lines
    echo "XA RECOVER CONVERT XID;" | server_plain | prepared_as_lines
  } >>"$1/lines"
}

server_plain() {
  server_sql "${PLAIN_SESSION[@]}" "$@"
}

# What the statements lead to that a statement yields.
generated() {
  server_plain --raw <<<"$1" | server_plain
}

executed_now() {
  server_sql -e "SELECT $GTIDS_SQL"
}

# Whether one set of GTIDs lies in another, as a server sees it.
is_subset() {
  [ "$(server_sql -e "SELECT GTID_SUBSET('$1', '$2')")" = 1 ]
}
