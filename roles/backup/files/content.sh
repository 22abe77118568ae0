# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# shellcheck shell=bash
#
# What a server holds, as lines that two servers are compared by, byte for byte. The statements are
# made by a server and run by a client, so that no name passes the shell unquoted: names are JSON,
# and figures where they stand in a literal. Sessions that run them use "${PLAIN_SESSION[@]}".

# mysql's client takes a backslash in `...` for an escape unless the session says that it is none.
PLAIN_SESSION=(--binary-mode --default-character-set=utf8mb4
  --init-command="SET sql_mode = 'NO_BACKSLASH_ESCAPES', time_zone = '+00:00',
                  group_concat_max_len = 1000000000, information_schema_stats_expiry = 0,
                  max_execution_time = 0, sql_select_limit = 18446744073709551615")

SYSTEM_SCHEMAS="'mysql', 'sys', 'information_schema', 'performance_schema'"

# Engines whose tables have no rows of their own, or none beyond a restart: no base has them.
ROWLESS="'MEMORY', 'FEDERATED', 'MRG_MYISAM', 'EXAMPLE', 'NDB', 'NDBCLUSTER'"

# Whose rows say who may do what, and what else lies in the schema mysql and is carried.
ACCOUNT_TABLES="'user', 'db', 'global_grants', 'default_roles', 'role_edges', 'tables_priv', 'columns_priv',
  'procs_priv', 'proxies_priv', 'password_history', 'func', 'plugin', 'component', 'servers',
  'time_zone', 'time_zone_name', 'time_zone_leap_second', 'time_zone_transition', 'time_zone_transition_type'"

GTIDS_SQL="REPLACE(@@global.gtid_executed, CHAR(10), '')"

# The members of a table's line that name it, and its name for a statement.
MEMBERS="CONCAT('\"name\": ', JSON_QUOTE(CONCAT(t.table_schema, '.', t.table_name)), ', \"schema\": ',
  JSON_QUOTE(t.table_schema), ', \"table\": ', JSON_QUOTE(t.table_name))"
QUOTED='CONCAT(CHAR(96), REPLACE(t.table_schema, CHAR(96), REPEAT(CHAR(96), 2)), CHAR(96), CHAR(46), CHAR(96),
  REPLACE(t.table_name, CHAR(96), REPEAT(CHAR(96), 2)), CHAR(96))'
# A FLOAT is written by mysqldump with six digits; the rest of such a table is compared by this sum.
FLOATING="EXISTS (SELECT 1 FROM information_schema.columns AS c WHERE c.table_schema = t.table_schema
  AND c.table_name = t.table_name AND c.data_type = 'float')"

# tables_sql WHICH [METHOD]: a statement that yields those that read rows and checksum of each table.
# WHICH: held (rows that no snapshot keeps: engines without transactions), kept, all. METHOD: dump,
# where tables with a FLOAT are summed by what a dump can carry.
tables_sql() {
  local which="1" sum="CONCAT('CHECKSUM TABLE ', $QUOTED)"
  case $1 in
    held) which="e.transactions = 'NO'" ;;
    kept) which="COALESCE(e.transactions, 'YES') <> 'NO'" ;;
  esac
  if [ "${2:-}" = dump ]; then
    sum="IF($FLOATING, CONCAT('SELECT 0, BIT_XOR(CAST(CONV(LEFT(SHA2(CONCAT_WS(''#'', ',
      (SELECT GROUP_CONCAT('ISNULL(', q, '), IFNULL(',
         CASE WHEN data_type = 'float' THEN CONCAT('CAST(', q, ' AS CHAR)')
              WHEN data_type IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'double', 'year',
                'date', 'datetime', 'timestamp', 'time') THEN q
              ELSE CONCAT('SHA2(', q, ', 256)') END, ', '''')' ORDER BY ordinal_position SEPARATOR ', ')
         FROM (SELECT table_schema AS s, table_name AS n, data_type, ordinal_position,
                 CONCAT(CHAR(96), REPLACE(column_name, CHAR(96), REPEAT(CHAR(96), 2)), CHAR(96)) AS q
                 FROM information_schema.columns) AS c
        WHERE c.s = t.table_schema AND c.n = t.table_name),
      '), 256), 16), 16, 10) AS UNSIGNED)) FROM ', $QUOTED), $sum)"
  fi
  cat <<END
SELECT CONCAT('SELECT CONVERT(0x', HEX($MEMBERS), ' USING utf8mb4), COUNT(*) FROM ', $QUOTED, '; ', $sum, ';')
  FROM information_schema.tables AS t LEFT JOIN information_schema.engines AS e ON e.engine = t.engine
 WHERE t.table_type = 'BASE TABLE' AND t.table_schema NOT IN ($SYSTEM_SCHEMAS)
   AND COALESCE(t.engine, '') NOT IN ($ROWLESS) AND $which
 ORDER BY t.table_schema, t.table_name;
END
}

# A statement that yields those that read rows and checksum of what the schema mysql holds.
accounts_sql() {
  cat <<END
SELECT CONCAT('SELECT CONVERT(0x', HEX($MEMBERS), ' USING utf8mb4), COUNT(*) FROM ', $QUOTED,
              '; CHECKSUM TABLE ', $QUOTED, ';')
  FROM information_schema.tables AS t
 WHERE t.table_schema = 'mysql' AND t.table_name IN ($ACCOUNT_TABLES) ORDER BY t.table_name;
END
}

# What these two lead to, two lines a table, becomes a line of JSON for each. Without escapes, names
# hold neither tabs nor ends of lines.
sums_as_json() {
  sed 's/\\\\/\\/g' | awk -F '\t' '
    NR % 2 { members = $1; rows = $2; next }
    { if ($NF !~ /^[0-9]+$/) { print "error: no checksum of " members >"/dev/stderr"; exit 1 }
      printf "{%s, \"rows\": %s, \"checksum\": %s}\n", members, rows, $NF }'
}

# Statements that lead to a line for each definition, its name behind the kind; then a statement that
# yields those which need two lines each.
definitions_sql() {
  cat <<END
SELECT CONCAT('routine ', JSON_QUOTE(routine_schema), '.', JSON_QUOTE(routine_name)),
       JSON_ARRAY(routine_type, routine_definition, dtd_identifier, is_deterministic, sql_data_access, security_type,
         sql_mode, routine_comment, definer, character_set_client, collation_connection, database_collation)
  FROM information_schema.routines WHERE routine_schema NOT IN ($SYSTEM_SCHEMAS);
SELECT CONCAT('routine ', JSON_QUOTE(specific_schema), '.', JSON_QUOTE(specific_name)),
       JSON_ARRAY(routine_type, ordinal_position, parameter_mode, parameter_name, dtd_identifier, collation_name)
  FROM information_schema.parameters WHERE specific_schema NOT IN ($SYSTEM_SCHEMAS);
SELECT CONCAT('trigger ', JSON_QUOTE(trigger_schema), '.', JSON_QUOTE(trigger_name)),
       JSON_ARRAY(event_manipulation, event_object_table, action_order, action_statement, action_timing, sql_mode,
         definer, character_set_client, collation_connection, database_collation)
  FROM information_schema.triggers WHERE trigger_schema NOT IN ($SYSTEM_SCHEMAS);
SELECT CONCAT('event ', JSON_QUOTE(event_schema), '.', JSON_QUOTE(event_name)),
       JSON_ARRAY(event_definition, event_type, execute_at, interval_value, interval_field, sql_mode, starts, ends,
         on_completion, event_comment, definer, time_zone, character_set_client, collation_connection,
         database_collation)
  FROM information_schema.events WHERE event_schema NOT IN ($SYSTEM_SCHEMAS);
SELECT CONCAT('state of event ', JSON_QUOTE(event_schema), '.', JSON_QUOTE(event_name)), status
  FROM information_schema.events WHERE event_schema NOT IN ($SYSTEM_SCHEMAS);
END
}

created_sql() {
  cat <<END
SELECT CONCAT('SELECT CONVERT(0x', HEX(CONCAT('definition of ', JSON_QUOTE(schema_name))),
              ' USING utf8mb4); SHOW CREATE DATABASE ', CHAR(96), REPLACE(schema_name, CHAR(96), REPEAT(CHAR(96), 2)),
              CHAR(96), ';')
  FROM information_schema.schemata WHERE schema_name NOT IN ($SYSTEM_SCHEMAS) ORDER BY schema_name;
SELECT CONCAT('SELECT CONVERT(0x', HEX(CONCAT('definition of ', JSON_QUOTE(t.table_schema), '.',
              JSON_QUOTE(t.table_name))), ' USING utf8mb4); SHOW CREATE TABLE ', $QUOTED, ';')
  FROM information_schema.tables AS t
 WHERE t.table_type = 'BASE TABLE' AND t.table_schema NOT IN ($SYSTEM_SCHEMAS)
 ORDER BY t.table_schema, t.table_name;
-- Not by information_schema.views: without grant tables 8.0.15 dies of that.
SELECT CONCAT('SELECT CONVERT(0x', HEX(CONCAT('view ', JSON_QUOTE(t.table_schema), '.', JSON_QUOTE(t.table_name))),
              ' USING utf8mb4); SHOW CREATE VIEW ', $QUOTED, ';')
  FROM information_schema.tables AS t
 WHERE t.table_type = 'VIEW' AND t.table_schema NOT IN ($SYSTEM_SCHEMAS) ORDER BY t.table_schema, t.table_name;
END
}

# The second line of each pair behind the first. What a server counts by itself is left out, and the
# display width that servers before 8.0.19 wrote down: a dump takes it off.
created_as_lines() {
  sed -E 'n
    s/ AUTO_INCREMENT=[0-9]+//g
    s/\b((tiny|small|medium|big)?int|year)\([0-9]+\)/\1/g' |
    awk 'NR % 2 { name = $0; next } { print name "\t" $0 }'
}

# Prepared XA transactions, as the statement names them that ends one.
prepared_as_lines() {
  awk -F '\t' '{ printf "prepared XA transaction X\047%s\047,X\047%s\047,%s\n",
    substr($4, 3, 2 * $2), substr($4, 3 + 2 * $2, 2 * $3), $1 }'
}

# The names that a comparison of two files of lines has to tell: what only one has, or another one.
differing() {
  LC_ALL=C comm -3 <(sort "$1") <(sort "$2") |
    sed -E 's/^\t//; s/^\{"name": .*, "schema": (".*"), "table": (".*"), "rows": .*/table \1.\2/; s/\t.*//' | sort -u
}
