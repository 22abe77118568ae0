#!/usr/bin/env bash
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Makes a base backup, starts a server from a copy of it, and lists it only then. See lib.sh, server.sh.
#
#   DONORS         hosts to take it from, the best first; separated by spaces
#   METHOD         auto (clone where the donor can), clone, dump
#   BUSY_SECONDS   how long another clone of the donor is waited for
#   PASSWORD_FILE  password of CLIENT_CNF's account once more, as CLONE needs it in a statement

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR source=server.sh
. "$here/server.sh"

DONORS=${DONORS:?hosts to take the base from}
METHOD=${METHOD:-auto}
BUSY_SECONDS=${BUSY_SECONDS:-600}

id=$(date -u +%Y%m%dT%H%M%SZ)
# A folder without manifest.json is no base: that comes last.
making=$ARCHIVE/base/.making-$id

main() {
  local started method
  trap 'stop_server; rm -rf "$making"; find "$WORK" -mindepth 1 -delete' EXIT
  trap 'exit 1' TERM INT
  forget_unfinished
  make_work
  mkdir -p "$making"
  choose_donor
  method=$(method_of_donor)
  started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  say "base $id by $method from $donor, MySQL $donor_version"
  before=$(donor_value "SELECT REPLACE(@@global.gtid_executed, '\n', '')")
  if [ "$method" = clone ]; then take_clone; else take_dump; fi
  after=$(donor_value "SELECT REPLACE(@@global.gtid_executed, '\n', '')")
  ended=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  verify_new "$method"
  pack_folder "$method"
  write_manifest "$method" "$started"
  sync "$making"
  mv "$making" "$ARCHIVE/base/$id"
  sync "$ARCHIVE/base"
  say "base $id: $(du -sh "$ARCHIVE/base/$id" | cut -f 1), verified; it has $executed"
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

know_donor() {
  donor_version=$(donor_value "SELECT VERSION()")
  donor_uuid=$(donor_value "SELECT @@server_uuid")
}

can_clone() {
  [ "$(donor_value "SELECT COUNT(*) FROM information_schema.plugins
                     WHERE plugin_name = 'clone' AND plugin_status = 'ACTIVE'")" = 1 ]
}

method_of_donor() {
  case $METHOD in
    dump) echo dump ;;
    clone)
      can_clone || fail "METHOD: clone; $donor (MySQL $donor_version) has no active clone plugin"
      echo clone
      ;;
    auto) if can_clone; then echo clone; else echo dump; fi ;;
    *) fail "METHOD: $METHOD is none of auto, clone, dump" ;;
  esac
}

# A server of our own takes the donor's data into the archive's folder, beside its own data.
take_clone() {
  local account port page names options plugin password said deadline
  port=$(donor_value "SELECT @@port")
  account=$(donor_value "SELECT SUBSTRING_INDEX(USER(), '@', 1)")
  page=$(donor_value "SELECT @@innodb_page_size")
  names=$(donor_value "SELECT @@lower_case_table_names")
  options=(--innodb-page-size="$page" --lower-case-table-names="$names"
    --character-set-server="$(donor_value "SELECT @@character_set_server")"
    --collation-server="$(donor_value "SELECT @@collation_server")")
  initialize "$WORK/recipient" "${options[@]}"
  # CLONE wants each of the donor's plugins on the recipient too.
  for plugin in $(donor_value "SELECT DISTINCT plugin_library FROM information_schema.plugins
                                WHERE plugin_library IS NOT NULL AND plugin_status = 'ACTIVE'"); do
    options+=(--plugin-load-add="$plugin")
  done
  start_server "$WORK/recipient" "${options[@]}"
  own "$making"
  password=$(sed "s/\\\\/\\\\\\\\/g; s/'/\\\\'/g" "${PASSWORD_FILE:?file with the password}")
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

# One snapshot of all tables; the log's position and the GTIDs are read under the same lock.
take_dump() {
  mysqldump --defaults-file="$CLIENT_CNF" --host="$donor" --single-transaction --source-data=2 \
    --set-gtid-purged=ON --all-databases --routines --events --triggers --hex-blob |
    pack >"$making/$(stored_name dump)"
}

stored_name() {
  local suffix
  suffix=$(packed_suffix)
  if [ "$1" = dump ]; then echo "dump.sql$suffix"; else echo "data${suffix:+.tar$suffix}"; fi
}

# Starts a copy, and holds what it has against what the donor had before and after.
verify_new() {
  local content stored=data compression=none encryption=none
  if [ "$1" = dump ]; then
    stored=$(stored_name dump)
    compression=$COMPRESSION
    encryption=$(encryption_name)
  fi
  restore_content "$making" "$1" "$stored" "$compression" "$encryption" "$WORK/data"
  start_server "$WORK/data" --skip-grant-tables
  content=$(read_content)
  executed=$(head -n 1 <<<"$content")
  tables=$(tail -n +2 <<<"$content")
  is_subset "$before" "$executed" || fail "the base has $executed, the donor had $before before it"
  is_subset "$executed" "$after" || fail "the base has $executed, the donor only $after after it"
  stop_server
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

write_manifest() {
  local comma="" file name rows
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
  "verified": {
    "at": "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
    "how": "a server was started from a copy, its gtid_executed lies between the donor's before and after, every table was read",
    "result": "ok"
  },
  "tables": [
END
    while IFS=$'\t' read -r name rows; do
      if [ -z "$name" ]; then continue; fi
      printf '%s    {"name": %s, "rows": %s}' "$comma" "$(quoted "$name")" "$rows"
      comma=$',\n'
    done <<<"$tables"
    printf '\n  ],\n  "files": [\n'
    comma=
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
