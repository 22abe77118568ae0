#!/usr/bin/env bash
# Entrypoint for the lab's mysql images. It keeps the contract of the official image: the same
# variables, the same order, the same statements kept out of the binary log (root's) and left in it
# (time zones, MYSQL_DATABASE, MYSQL_USER, the files of /docker-entrypoint-initdb.d).
set -eEuo pipefail
shopt -s nullglob

readonly INIT_DIR=/docker-entrypoint-initdb.d

log() {
    local level=$1
    shift
    printf '%s [%s] [Entrypoint]: %s\n' "$(date --rfc-3339=seconds)" "$level" "$*"
}
note() { log Note "$@"; }
warn() { log Warn "$@" >&2; }
fail() {
    log ERROR "$@" >&2
    exit 1
}

# Give VARIABLE the content of the file that VARIABLE_FILE names, else the default; never both.
from_file() {
    local name=$1 default=${2:-} file_name="${1}_FILE"
    if [[ -n ${!name:-} && -n ${!file_name:-} ]]; then
        fail "Both $name and $file_name are set (but are exclusive)"
    fi
    local value=${!name:-$default}
    if [[ -n ${!file_name:-} ]]; then
        [[ -r ${!file_name} ]] || fail "$file_name is ${!file_name}, which cannot be read"
        value=$(<"${!file_name}")
    fi
    export "$name=$value"
    unset "$file_name"
}

is_set() { [[ -n ${!1:-} ]]; }

# A help option anywhere means that nobody wants a server.
asks_for_help() {
    local argument
    for argument; do
        case "$argument" in
            -'?' | --help | --print-defaults | -V | --version) return 0 ;;
        esac
    done
    return 1
}

# What mysqld itself would use for an option, given the same arguments and files.
effective() {
    local option=$1
    shift
    "$@" --verbose --help --log-bin-index="$(mktemp -u)" 2>/dev/null |
        awk -v option="$option" '$1 == option && /^[^ \t]/ { sub(/^[^ \t]+[ \t]+/, ""); print; exit }'
}

check_arguments() {
    local problem
    if ! problem=$("$@" --verbose --help --log-bin-index="$(mktemp -u)" 2>&1 >/dev/null); then
        fail $'mysqld failed while attempting to check config\n\tcommand was: '"$*"$'\n\t'"$problem"
    fi
}

read_environment() {
    DATADIR=$(effective datadir "$@")
    SOCKET=$(effective socket "$@")
    [[ $SOCKET == /* ]] || SOCKET="${DATADIR%/}/$SOCKET"
    readonly DATADIR SOCKET
    from_file MYSQL_ROOT_HOST '%'
    from_file MYSQL_DATABASE
    from_file MYSQL_USER
    from_file MYSQL_PASSWORD
    from_file MYSQL_ROOT_PASSWORD
    INITIALIZED=
    [[ -d "${DATADIR%/}/mysql" ]] && INITIALIZED=yes
    readonly INITIALIZED
}

create_directories() {
    mkdir -p "$DATADIR" "$(dirname "$SOCKET")"
    if [[ $(id -u) == 0 ]]; then
        find "$DATADIR" \! -user mysql -exec chown --no-dereference mysql '{}' +
        chown --no-dereference mysql "$(dirname "$SOCKET")"
    fi
}

# A client's default socket is fixed; when the server's is elsewhere, a link leads to it.
link_socket() {
    local default=/var/run/mysqld/mysqld.sock
    [[ $SOCKET == "$default" ]] || ln -sfTn "$SOCKET" "$default" || :
}

require_password_choice() {
    if ! is_set MYSQL_ROOT_PASSWORD && ! is_set MYSQL_ALLOW_EMPTY_PASSWORD && ! is_set MYSQL_RANDOM_ROOT_PASSWORD; then
        fail 'Database is uninitialized and password option is not specified
    You need to specify one of the following as an environment variable:
    - MYSQL_ROOT_PASSWORD
    - MYSQL_ALLOW_EMPTY_PASSWORD
    - MYSQL_RANDOM_ROOT_PASSWORD'
    fi
    if [[ ${MYSQL_USER:-} == root ]]; then
        fail 'MYSQL_USER="root", MYSQL_USER and MYSQL_PASSWORD are for configuring a regular user and cannot be used for the root user'
    fi
    if is_set MYSQL_USER && ! is_set MYSQL_PASSWORD; then
        warn 'MYSQL_USER specified, but missing MYSQL_PASSWORD; MYSQL_USER will not be created'
    elif ! is_set MYSQL_USER && is_set MYSQL_PASSWORD; then
        warn 'MYSQL_PASSWORD specified, but missing MYSQL_USER; MYSQL_PASSWORD will be ignored'
    fi
}

initialize() {
    note 'Initializing database files'
    "$@" --initialize-insecure --default-time-zone=SYSTEM --autocommit=1
    note 'Database files initialized'
}

# --daemonize returns once the server accepts connections; TCP stays closed until the real start.
start_temporary() {
    note 'Starting temporary server'
    if ! "$@" --daemonize --skip-networking --default-time-zone=SYSTEM --socket="$SOCKET"; then
        fail 'Unable to start server.'
    fi
    note 'Temporary server started.'
}

# The root password as a defaults file: never on a command line, where ps would show it.
client_defaults() {
    [[ ${1:-} == --no-password ]] && return 0
    is_set MYSQL_ROOT_PASSWORD || return 0
    local escaped=${MYSQL_ROOT_PASSWORD//\\/\\\\}
    printf '[client]\npassword="%s"\n' "${escaped//\"/\\\"}"
}

# Run SQL from standard input as root; --no-password first while root has none yet.
run_sql() {
    local password=
    if [[ ${1:-} == --no-password ]]; then
        password=--no-password
        shift
    fi
    [[ -z ${MYSQL_DATABASE:-} || -n $password ]] || set -- --database="$MYSQL_DATABASE" "$@"
    mysql --defaults-extra-file=<(client_defaults $password) --protocol=socket --user=root \
        --host=localhost --socket="$SOCKET" --comments "$@"
}

stop_temporary() {
    note 'Stopping temporary server'
    if ! mysqladmin --defaults-extra-file=<(client_defaults) --protocol=socket --user=root \
        --socket="$SOCKET" shutdown; then
        fail 'Unable to shut down server.'
    fi
    note 'Temporary server stopped'
}

literal() {
    local value=${1//\\/\\\\}
    printf "'%s'" "${value//\'/\\\'}"
}

identifier() { printf '%s' "\`${1//\`/\`\`}\`"; }

load_time_zones() {
    is_set MYSQL_INITDB_SKIP_TZINFO && return 0
    mysql_tzinfo_to_sql /usr/share/zoneinfo |
        sed 's/Local time zone must be set--see zic manual page/FCTY/' |
        run_sql --no-password --database=mysql
}

# Root's statements stay out of the binary log: every instance makes its own.
set_root() {
    if is_set MYSQL_RANDOM_ROOT_PASSWORD; then
        MYSQL_ROOT_PASSWORD=$(openssl rand -base64 24)
        export MYSQL_ROOT_PASSWORD
        note "GENERATED ROOT PASSWORD: $MYSQL_ROOT_PASSWORD"
    fi
    local password remote=
    password=$(literal "${MYSQL_ROOT_PASSWORD:-}")
    if is_set MYSQL_ROOT_HOST && [[ $MYSQL_ROOT_HOST != localhost ]]; then
        local account
        account="'root'@$(literal "$MYSQL_ROOT_HOST")"
        remote="CREATE USER $account IDENTIFIED BY $password; GRANT ALL ON *.* TO $account WITH GRANT OPTION;"
    fi
    run_sql --no-password --database=mysql <<-SQL
	SET autocommit = 1;
	SET @@SESSION.SQL_LOG_BIN = 0;
	ALTER USER 'root'@'localhost' IDENTIFIED BY $password;
	GRANT ALL ON *.* TO 'root'@'localhost' WITH GRANT OPTION;
	FLUSH PRIVILEGES;
	$remote
	DROP DATABASE IF EXISTS test;
	SQL
}

create_database_and_user() {
    if is_set MYSQL_DATABASE; then
        note "Creating database $MYSQL_DATABASE"
        run_sql --database=mysql <<<"CREATE DATABASE IF NOT EXISTS $(identifier "$MYSQL_DATABASE");"
    fi
    is_set MYSQL_USER && is_set MYSQL_PASSWORD || return 0
    local account
    account="$(literal "$MYSQL_USER")@'%'"
    note "Creating user $MYSQL_USER"
    run_sql --database=mysql <<<"CREATE USER $account IDENTIFIED BY $(literal "$MYSQL_PASSWORD");"
    is_set MYSQL_DATABASE || return 0
    note "Giving user $MYSQL_USER access to schema $MYSQL_DATABASE"
    # _ and % are wildcards in the database name of a GRANT.
    local schema=${MYSQL_DATABASE//_/\\_}
    run_sql --database=mysql <<<"GRANT ALL ON $(identifier "${schema//%/\\%}").* TO $account;"
}

run_init_files() {
    local file
    for file in "$INIT_DIR"/*; do
        case "$file" in
            *.sh)
                if [[ -x $file ]]; then
                    note "$0: running $file"
                    "$file"
                else
                    note "$0: sourcing $file"
                    # shellcheck source=/dev/null
                    . "$file"
                fi
                ;;
            *.sql) note "$0: running $file"; run_sql <"$file" ;;
            *.sql.bz2) note "$0: running $file"; bunzip2 -c "$file" | run_sql ;;
            *.sql.gz) note "$0: running $file"; gunzip -c "$file" | run_sql ;;
            *.sql.xz) note "$0: running $file"; xzcat "$file" | run_sql ;;
            *.sql.zst) note "$0: running $file"; zstd -dc "$file" | run_sql ;;
            *) warn "$0: ignoring $file" ;;
        esac
    done
}

expire_root() {
    is_set MYSQL_ONETIME_PASSWORD || return 0
    run_sql --database=mysql <<-'SQL'
	SET @@SESSION.SQL_LOG_BIN = 0;
	ALTER USER 'root'@'localhost' PASSWORD EXPIRE;
	SQL
}

first_start() {
    require_password_choice
    initialize "$@"
    start_temporary "$@"
    link_socket
    load_time_zones
    set_root
    create_database_and_user
    run_init_files
    expire_root
    stop_temporary
    note 'MySQL init process done. Ready for start up.'
}

main() {
    # `docker run mysql --some-option` means mysqld with that option.
    if [[ $# -eq 0 || ${1:0:1} == - ]]; then
        set -- mysqld "$@"
    fi
    if [[ $1 == mysqld ]] && ! asks_for_help "$@"; then
        MYSQL_VERSION=$("$1" --no-defaults --version | sed -E 's/.* Ver ([0-9.]+).*/\1/')
        export MYSQL_VERSION
        note "Entrypoint script for MySQL Server $MYSQL_VERSION started."
        check_arguments "$@"
        read_environment "$@"
        create_directories
        if [[ $(id -u) == 0 ]]; then
            note "Switching to dedicated user 'mysql'"
            export HOME=/var/lib/mysql
            exec setpriv --reuid=mysql --regid=mysql --init-groups "${BASH_SOURCE[0]}" "$@"
        fi
        if [[ -z $INITIALIZED ]]; then
            first_start "$@"
        else
            link_socket
        fi
    fi
    exec "$@"
}

# Sourced (by a test, or by an image built on this one), it only defines its functions.
[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
