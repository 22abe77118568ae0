#!/usr/bin/env bash
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Makes a base backup, starts a server from a copy of it, compares that with the donor at one GTID set,
# and lists the base only then. See lib.sh, server.sh, content.sh, donor.sh.
#
#   DONORS         hosts to take it from, the best first; separated by spaces
#   METHOD         auto (clone where the donor can), clone, dump
#   BUSY_SECONDS   how long another clone of the donor is waited for
#   XA_SECONDS     how long a dump waits for the end of prepared XA transactions, which no dump carries
#   PASSWORD_FILE  password of CLIENT_CNF's account once more, as CLONE and replication need it in a statement

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR source=server.sh
. "$here/server.sh"
# shellcheck source-path=SCRIPTDIR source=content.sh
. "$here/content.sh"
# shellcheck source-path=SCRIPTDIR source=donor.sh
. "$here/donor.sh"

DONORS=${DONORS:?hosts to take the base from}
METHOD=${METHOD:-auto}
BUSY_SECONDS=${BUSY_SECONDS:-600}
XA_SECONDS=${XA_SECONDS:-60}

id=$(date -u +%Y%m%dT%H%M%SZ)
# A folder without manifest.json is no base: that comes last.
making=$ARCHIVE/base/.making-$id

main() {
  local started
  trap 'close_donor; stop_server; rm -rf "$making"; find "$WORK" -mindepth 1 -delete' EXIT
  trap 'exit 1' TERM INT
  forget_unfinished
  make_work
  mkdir -p "$making"
  choose_donor
  choose_method
  name_left_out
  started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  say "base $id by $method from $donor, MySQL $donor_version"
  before=$(donor_value "SELECT $GTIDS_SQL")
  if [ "$method" = clone ]; then take_clone; else take_dump; fi
  after=$(donor_value "SELECT $GTIDS_SQL")
  ended=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  verify_new "$method"
  pack_folder "$method"
  write_manifest "$method" "$started"
  sync "$making"
  mv "$making" "$ARCHIVE/base/$id"
  sync "$ARCHIVE/base"
  say "base $id: $(du -sh "$ARCHIVE/base/$id" | cut -f 1), equal to $donor at $compared_at; it has $executed"
  echo "$id"
}

# What an earlier run that was killed has left; nobody else makes bases at the same time.
forget_unfinished() {
  mkdir -p "$ARCHIVE/base"
  exec 8>"$ARCHIVE/base/.lock"
  if command -v flock >/dev/null; then
    flock -n 8 || fail "another base is being made in $ARCHIVE"
  fi
  find "$ARCHIVE/base" -mindepth 1 -maxdepth 1 -name '.making-*' -exec rm -rf {} +
}

donor_client() {
  source_client --host="$donor" "$@"
}

donor_value() {
  donor_client -e "$1"
}

# Behind a name may be several servers: one of their addresses is kept to the end. One that can be
# cloned comes before one that cannot.
choose_donor() {
  local name address first=""
  for name in $DONORS; do
    while read -r address; do
      donor=$address
      if ! donor_value "SELECT 1" >/dev/null; then continue; fi
      first=${first:-$address}
      if [ "$METHOD" = dump ] || can_clone; then
        know_donor
        return
      fi
    done < <(getent ahosts "$name" | awk '{ print $1 }' | sort -u)
  done
  donor=$first
  [ -n "$donor" ] || fail "none of $DONORS answers"
  know_donor
}

# What a copy has to be made and started with comes from the donor.
know_donor() {
  local plugin
  donor_version=$(donor_value "SELECT VERSION()")
  donor_uuid=$(donor_value "SELECT @@server_uuid")
  donor_value "XA RECOVER" >/dev/null ||
    fail "prepared XA transactions of $donor cannot be seen: grant XA_RECOVER_ADMIN to the account of the backups (playbooks/backup.yml does)"
  case_of_names=$(donor_value "SELECT @@lower_case_table_names")
  page_size=$(donor_value "SELECT @@innodb_page_size")
  SETTINGS=(--lower-case-table-names="$case_of_names" --innodb-page-size="$page_size")
  PLUGINS=()
  for plugin in $(donor_value "SELECT DISTINCT plugin_library FROM information_schema.plugins
                                WHERE plugin_library IS NOT NULL AND plugin_status = 'ACTIVE'"); do
    PLUGINS+=(--plugin-load-add="$plugin")
  done
}

can_clone() {
  [ "$(donor_value "SELECT COUNT(*) FROM information_schema.plugins
                     WHERE plugin_name = 'clone' AND plugin_status = 'ACTIVE'")" = 1 ]
}

# Clone copies InnoDB's files and no others: such a table would come back empty.
beyond_clone() {
  donor_plain <<<"SELECT CONCAT(JSON_QUOTE(table_schema), '.', JSON_QUOTE(table_name), ' (', COALESCE(engine, '?'), ')')
    FROM information_schema.tables
   WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ($SYSTEM_SCHEMAS)
     AND COALESCE(engine, '') NOT IN ('InnoDB', 'BLACKHOLE', 'MEMORY', 'FEDERATED', 'EXAMPLE')
   ORDER BY 1;" | first_of
}

# Files beside the data directory are copied to the same place beside the copy, in no base; a dump
# writes the place down, where no other server may write.
beyond_all() {
  donor_plain <<<"SELECT CONCAT(JSON_QUOTE(s.name), ' (', f.path, ')')
    FROM information_schema.innodb_tablespaces AS s JOIN information_schema.innodb_datafiles AS f ON f.space = s.space
   WHERE s.space_type IN ('Single', 'General') AND f.path LIKE '/%' ORDER BY 1;" | first_of
}

prepared() {
  donor_plain <<<"XA RECOVER CONVERT XID;" | prepared_as_lines | sed 's/^prepared XA transaction //' | first_of
}

# Sets $method. What neither way carries, or the one that was asked for does not, is refused here.
choose_method() {
  local names
  case $METHOD in
    auto | clone | dump) ;;
    *) fail "METHOD: $METHOD is none of auto, clone, dump" ;;
  esac
  names=$(beyond_all)
  if [ -n "$names" ]; then
    fail "$donor has tables outside of its data directory, which no base carries: $names; create them again without DATA DIRECTORY"
  fi
  method=dump
  if [ "$METHOD" = dump ]; then return; fi
  if ! can_clone; then
    if [ "$METHOD" = clone ]; then
      fail "METHOD: clone; $donor (MySQL $donor_version) has no active clone plugin"
    fi
    return
  fi
  names=$(beyond_clone)
  if [ -z "$names" ]; then
    method=clone
  elif [ "$METHOD" = clone ]; then
    fail "METHOD: clone; it would leave these tables of $donor empty: $names; use METHOD=dump (backup_method: dump or auto), or ALTER TABLE ... ENGINE=InnoDB"
  else
    say "by dump: a clone would leave these tables of $donor empty: $names"
  fi
}

# Writes what a base does not hold, or what is not compared: for the manifest into $WORK/not_compared, a line
# of JSON each; the names of lines that a comparison has to leave out into $WORK/left_out.
name_left_out() {
  local of_dump="1 = 0" viewed
  : >"$WORK/left_out"
  if [ "$method" = dump ]; then of_dump="1 = 1"; fi
  viewed="FROM information_schema.tables AS t WHERE t.table_type = 'VIEW' AND t.table_comment <> 'VIEW'
    AND t.table_schema NOT IN ($SYSTEM_SCHEMAS) AND $of_dump"
  donor_plain --raw >"$WORK/not_compared" <<END
SELECT JSON_OBJECT('what', CONCAT('rows of ', t.table_schema, '.', t.table_name),
       'reason', CONCAT(t.engine, ' keeps none of its own beyond a restart: the base has none'))
  FROM information_schema.tables AS t
 WHERE t.table_schema NOT IN ($SYSTEM_SCHEMAS) AND t.engine IN ($ROWLESS);
SELECT JSON_OBJECT('what', CONCAT('last digits of FLOAT in ', t.table_schema, '.', t.table_name),
       'reason', 'mysqldump writes six digits: the base may have others')
  FROM information_schema.tables AS t
 WHERE t.table_schema NOT IN ($SYSTEM_SCHEMAS) AND t.table_type = 'BASE TABLE' AND $FLOATING AND $of_dump;
SELECT JSON_OBJECT('what', 'options and persisted variables of the server', 'reason', 'not in a data directory''s tables');
SELECT JSON_OBJECT('what', 'histograms, statistics and logs in tables', 'reason', 'made by each server for itself');
END
  # What a client escapes in a line, JSON escapes alike, but for the quotes.
  donor_plain --raw <<<"SELECT CONCAT('SELECT CONVERT(0x', HEX(JSON_QUOTE(CONCAT('view ', t.table_schema, '.', t.table_name))),
      ' USING utf8mb4); SHOW CREATE VIEW ', $QUOTED, ';') $viewed;" | donor_plain |
    sed 's/\\\\/\\/g; n; s/"/\\"/g' | awk -F '\t' '
      NR % 2 { what = $0; next }
      { print "{\"what\": " what ", \"reason\": \"broken on the donor, so that no dump carries it; the base has another" \
          " broken view of that name. It was: " $2 "\"}" }' >>"$WORK/not_compared"
  # The same names as read_content has, where names are not raw.
  donor_plain >"$WORK/left_out" <<<"SELECT CONCAT('view ', JSON_QUOTE(t.table_schema), '.', JSON_QUOTE(t.table_name)) $viewed;"
  # In figures: a name may hold whatever ends a line.
  donor_plain >"$WORK/ignored" <<<"SELECT HEX(CONCAT(t.table_schema, '.', t.table_name)) $viewed;"
  donor_plain --raw >"$WORK/stubs" <<END
SELECT CONCAT('CREATE TABLE ', q, 'mysql_on_kubernetes_gone (gone INT); CREATE DEFINER=\`mysql.sys\`@localhost SQL SECURITY INVOKER VIEW ',
              n, ' AS SELECT gone FROM ', q, 'mysql_on_kubernetes_gone; DROP TABLE ', q, 'mysql_on_kubernetes_gone;')
  FROM (SELECT $QUOTED AS n, CONCAT(CHAR(96), REPLACE(t.table_schema, CHAR(96), REPEAT(CHAR(96), 2)), CHAR(96), '.') AS q
        $viewed) AS broken;
END
  if [ -s "$WORK/left_out" ]; then
    say "broken on $donor, and broken in the base too: $(sed 's/\\\\/\\/g' "$WORK/left_out" | first_of)"
  fi
}

# A server of our own takes the donor's data into the archive's folder, beside its own data.
take_clone() {
  local account port options password said deadline
  port=$(donor_value "SELECT @@port")
  account=$(donor_value "SELECT SUBSTRING_INDEX(USER(), '@', 1)")
  options=(--character-set-server="$(donor_value "SELECT @@character_set_server")"
    --collation-server="$(donor_value "SELECT @@collation_server")")
  initialize "$WORK/recipient" "${options[@]}"
  # CLONE wants each of the donor's plugins on the recipient too.
  start_server "$WORK/recipient" "${options[@]}" "${PLUGINS[@]}"
  own "$making"
  password=$(as_literal <"${PASSWORD_FILE:?file with the password}")
  # A donor serves one clone at a time, and tells by refusing alone (3634): another one is waited for.
  deadline=$((SECONDS + BUSY_SECONDS))
  until said=$(server_sql 2>&1 <<END
SET GLOBAL clone_valid_donor_list = '$donor:$port';
CLONE INSTANCE FROM '$account'@'$donor':$port IDENTIFIED BY '$password'
  DATA DIRECTORY = '$making/data';
END
  ); do
    if [[ $said != *"Clone Donor Error: 3634"* ]] || [ "$SECONDS" -ge "$deadline" ]; then fail "$said"; fi
    rm -rf "$making/data"
    sleep 1
  done
  stop_server
  rm -rf "$WORK/recipient"
}

# One snapshot of all tables; the log's position and the GTIDs are read under the same lock. Rows that no
# snapshot keeps need that lock to the end.
take_dump() {
  local options=(--single-transaction) position=--source-data=2 hex
  refuse_prepared "$XA_SECONDS"
  if [ -n "$(tables_sql held | donor_plain --raw)" ]; then
    say "writes wait on $donor while it is dumped: it has tables of engines without transactions"
    options=(--lock-all-tables)
  fi
  # Before 8.0.26.
  if ! mysqldump --no-defaults --help | grep -e '--source-data' >/dev/null; then position=--master-data=2; fi
  while read -r hex; do
    # shellcheck disable=SC2059,SC2001 # the bytes of a name
    options+=(--ignore-table="$(printf "$(sed 's/../\\x&/g' <<<"$hex")")")
  done <"$WORK/ignored"
  {
    mysqldump --defaults-file="$CLIENT_CNF" --host="$donor" "${options[@]}" "$position" \
      --set-gtid-purged=ON --all-databases --routines --events --triggers --hex-blob \
      --max-allowed-packet=1G --default-character-set=utf8mb4
    cat "$WORK/stubs"
  } | pack >"$making/$(stored_name dump)"
  # One that was prepared before the snapshot, and is still.
  refuse_prepared 0
}

# A dump has neither the rows of a prepared XA transaction nor the transaction: whoever follows from
# there on would stop at its end (1397). It is waited for.
refuse_prepared() {
  local deadline=$((SECONDS + $1)) names
  names=$(prepared)
  while [ -n "$names" ]; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      fail "prepared XA transactions on $donor, which a dump does not carry: $names; end them (XA COMMIT or XA ROLLBACK), or take a clone"
    fi
    sleep 1
    names=$(prepared)
  done
}

stored_name() {
  local suffix
  suffix=$(packed_suffix)
  if [ "$1" = dump ]; then echo "dump.sql$suffix"; else echo "data${suffix:+.tar$suffix}"; fi
}

# Starts a copy, and holds what it has against what the donor had before and after, and then all that it
# holds against the donor's own.
verify_new() {
  local stored=data compression=none encryption=none
  if [ "$1" = dump ]; then
    stored=$(stored_name dump)
    compression=$COMPRESSION
    encryption=$(encryption_name)
  fi
  restore_content "$making" "$1" "$stored" "$compression" "$encryption" "$WORK/data"
  start_server "$WORK/data" --skip-grant-tables
  executed=$(executed_now)
  is_subset "$before" "$executed" || fail "the base has $executed, the donor had $before before it"
  is_subset "$executed" "$after" || fail "the base has $executed, the donor only $after after it"
  read_content "$WORK/base" "$1"
  stop_server
  compare_with_donor "$1"
  rm -rf "$WORK/data"
}

# The clone's folder becomes one file where it is compressed or encrypted.
pack_folder() {
  local stored
  stored=$(stored_name "$1")
  bytes=$(du -sb "$making" | cut -f 1)
  if [ "$1" = clone ] && [ "$stored" != data ]; then
    tar -c -C "$making/data" . | pack >"$making/$stored"
    rm -rf "$making/data"
  fi
}

# Lines of JSON as members of a list.
members() {
  awk -v indent="$1" '{ printf("%s%s%s", (NR > 1 ? ",\n" : ""), indent, $0) } END { if (NR) print "" }'
}

how_verified() {
  local was="was equal to its donor at one GTID set"
  if [ -n "$followed" ]; then was="followed its donor to one GTID set and was equal to it there"; fi
  echo "a server started from a copy $was: rows and checksum of every table, definitions of tables, views, routines," \
    "triggers and events, accounts and their rights, prepared XA transactions"
}

write_manifest() {
  local comma="" file
  {
    cat <<END
{
  "format": 1,
  "id": "$id",
  "method": "$1",
  "server_version": "$donor_version",
  "server_uuid": "$donor_uuid",
  "donor": "$donor",
  "gtid_executed": "$executed",
  "started": "$2",
  "ended": "$ended",
  "bytes": $bytes,
  "stored": "$(stored_name "$1")",
  "compression": "$COMPRESSION",
  "encryption": "$(encryption_name)",
  "lower_case_table_names": "$case_of_names",
  "innodb_page_size": "$page_size",
  "verified": {
    "at": "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
    "how": "$(how_verified)",
    "result": "ok",
    "compared_with": "$donor_uuid",
    "compared_at": "$compared_at",
    "compared_lines": $(wc -l <"$WORK/one"),
    "not_compared": [
$({
  cat "$WORK/not_compared"
  if [ -n "$followed" ]; then
    echo '{"what": "whether events are on or off", "reason": "a copy that followed has them off"}'
  fi
} | members "      ")
    ]
  },
  "tables": [
$(members "    " <"$WORK/base/tables")
END
    printf '  ],\n  "files": [\n'
    while IFS= read -r file; do
      sync -d "$making/$file"
      printf '%s    {"path": %s, "size": %s, "sha256": "%s"}' "$comma" "$(quoted "$file")" \
        "$(size_of "$making/$file")" "$(sha256_of "$making/$file")"
      comma=$',\n'
    done < <(cd "$making" && find . -type f ! -name 'manifest.json*' -printf '%P\n' | LC_ALL=C sort)
    printf '\n  ]\n}\n'
  } | write_whole "$making/manifest.json"
}

main
