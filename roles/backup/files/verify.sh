#!/usr/bin/env bash
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# verify.sh [ID]: verifies a base again, the newest without ID: every file by its sum, then a server
# on a copy, its GTIDs, rows and checksums, against what was noted when the base was made. No donor is
# asked: it has moved on. The manifest gets the result. See lib.sh, server.sh, content.sh.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR source=server.sh
. "$here/server.sh"
# shellcheck source-path=SCRIPTDIR source=content.sh
. "$here/content.sh"

newest() {
  find "$ARCHIVE/base" -mindepth 2 -maxdepth 2 -name manifest.json -printf '%h\n' | sort | tail -n 1
}

folder=$ARCHIVE/base/${1:-}
if [ -z "${1:-}" ]; then folder=$(newest); fi
manifest=$folder/manifest.json
if [ -z "$folder" ] || [ ! -e "$manifest" ]; then fail "no base ${1:-} in $ARCHIVE"; fi

main() {
  local wrong failed name value
  trap 'stop_server; find "$WORK" -mindepth 1 -delete' EXIT
  trap 'exit 1' TERM INT
  make_work
  for name in lower_case_table_names innodb_page_size; do
    value=$(json_value "$manifest" "$name")
    if [ -n "$value" ]; then SETTINGS+=("--${name//_/-}=$value"); fi
  done
  # In a shell of its own: what fails there is the result. A condition would switch off -e in it.
  set +e
  wrong=$(set -e; { sums; started; } 2>&1)
  failed=$?
  set -e
  if [ "$failed" = 0 ]; then
    note ok
    say "base ${folder##*/} is as it was made"
  else
    wrong=${wrong##*error: }
    note "$wrong"
    fail "base ${folder##*/}: $wrong"
  fi
}

# The manifest's line of each file.
sums() {
  local path sum
  sed -n 's/^    {"path": "\(.*\)", "size": [0-9]*, "sha256": "\([0-9a-f]*\)"},\{0,1\}$/\1\t\2/p' "$manifest" |
    while IFS=$'\t' read -r path sum; do
      if [ ! -e "$folder/$path" ]; then
        echo "error: $path is missing"
        return 1
      fi
      if [ "$(sha256_of "$folder/$path")" != "$sum" ]; then
        echo "error: $path is not what it was: its sha256 differs"
        return 1
      fi
    done
}

started() {
  local executed has
  trap stop_server EXIT
  restore_content "$folder" "$(json_value "$manifest" method)" "$(json_value "$manifest" stored)" \
    "$(json_value "$manifest" compression)" "$(json_value "$manifest" encryption)" "$WORK/data"
  start_server "$WORK/data" --skip-grant-tables
  has=$(executed_now)
  executed=$(json_value "$manifest" gtid_executed)
  if [ "$has" != "$executed" ]; then
    fail "a server started from it has $has, the manifest says $executed"
  fi
  # Those of before counted MEMORY tables too.
  if ! summed; then ROWLESS="''"; fi
  read_content "$WORK/base"
  stop_server
  # The lines as they were written; those of a manifest of before have the rows alone.
  sed -n '/^  "tables": \[/,/^  \]/{ /^    {"name": /{ s/^ *//; s/,$//; p } }' "$manifest" >"$WORK/noted"
  if summed; then
    cp "$WORK/base/tables" "$WORK/found"
  else
    sed -E 's/^(\{"name": ".*"), "schema": ".*", "table": ".*", ("rows": [0-9]+), "checksum": [0-9]+\}$/\1, \2}/' \
      "$WORK/base/tables" >"$WORK/found"
  fi
  wrong=$(differing "$WORK/noted" "$WORK/found")
  if [ -n "$wrong" ]; then
    fail "a server started from it has other tables, rows or checksums than the manifest says: $(head -n 10 <<<"$wrong" | paste -s -d ' ')"
  fi
}

# Whether the manifest has checksums; one without tables lacks none.
summed() {
  ! grep -E '^    \{"name": .*"rows": [0-9]+\},?$' "$manifest" >/dev/null
}

note() {
  local how="every file's sha256; a server started from a copy: its gtid_executed, rows"
  if summed; then how+=" and checksum of every table"; else how+=" of every table"; fi
  how+=", compared with what was noted when the base was made"
  if grep '^    "compared_at": ' "$manifest" >/dev/null; then
    how+=" and compared with its donor"
  else
    how+=", which was not compared with its donor"
  fi
  sed -e "/^  \"verified\": {/,/^  }/{
            s/^    \"at\": .*/    \"at\": \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",/
            s/^    \"how\": .*/    \"how\": \"$how\",/
          }" "$manifest" |
    RESULT=$(quoted "$1") awk '
      /^  "verified": \{/ { inside = 1 }
      inside && /^    "result": / {
        print "    \"result\": " ENVIRON["RESULT"] (/,$/ ? "," : ""); inside = 0; next }
      { print }' | write_whole "$manifest"
}

main
