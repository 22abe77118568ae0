#!/usr/bin/env bash
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Removes what the oldest kept base does not need, and nothing where no base is verified. The rules
# are those of retention() in plugins/module_utils/binlog/archive.py; a test holds them together.
#
#   KEEP_COUNT  verified bases to keep
#   KEEP_DAYS   bases that ended in so many days stay beside those
#   DRY_RUN     not empty: only say what would go

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

KEEP_COUNT=${KEEP_COUNT:-7}
KEEP_DAYS=${KEEP_DAYS:-7}
if [ "$KEEP_COUNT" -lt 1 ]; then KEEP_COUNT=1; fi
since=$(date -u -d "@$(($(date +%s) - KEEP_DAYS * 86400))" +%Y-%m-%dT%H:%M:%SZ)

main() {
  local id newest="" kept=() gone=() usable=0 result ended
  while read -r id; do
    result=$(json_value "$ARCHIVE/base/$id/manifest.json" result)
    ended=$(json_value "$ARCHIVE/base/$id/manifest.json" ended)
    if [ "$result" = ok ]; then
      usable=$((usable + 1))
      if [ -z "$newest" ]; then newest=$id; fi
      if [ "$usable" -le "$KEEP_COUNT" ] || [[ ! $ended < $since ]]; then
        kept+=("$id")
      else
        gone+=("$id")
      fi
    elif [ -n "$newest" ] && [[ $ended < $since ]]; then
      gone+=("$id")
    fi
  done < <(bases_newest_first)
  if [ -z "$newest" ]; then
    say "no base is verified: nothing is removed"
    return
  fi
  prune_binlogs "${kept[@]}"
  for id in ${gone[@]+"${gone[@]}"}; do remove "$ARCHIVE/base/$id"; done
}

bases_newest_first() {
  find "$ARCHIVE/base" -mindepth 2 -maxdepth 2 -name manifest.json -printf '%h\n' |
    sed 's|.*/||' | sort -r
}

# A binary log goes when every kept base has all its transactions; the newest of each server stays.
prune_binlogs() {
  local folder name last condition id
  for folder in "$ARCHIVE"/binlog/*; do
    last=$(archived_names "$folder" | tail -n 1)
    while read -r name; do
      if [ "$name" = "$last" ] || [ ! -e "$folder/$name.json" ]; then continue; fi
      condition=1
      for id in "$@"; do
        condition+=" AND GTID_SUBSET('$(json_value "$folder/$name.json" gtids)',"
        condition+=" '$(json_value "$ARCHIVE/base/$id/manifest.json" gtid_executed)')"
      done
      # Without the server nothing is known, and nothing goes.
      if [ "$(source_client -e "SELECT $condition")" = 1 ]; then
        remove "$folder/$(json_value "$folder/$name.json" stored)"
        remove "$folder/$name.json"
      fi
    done < <(archived_names "$folder")
  done
}

remove() {
  local verb=removed
  if [ -n "${DRY_RUN:-}" ]; then verb="would remove"; fi
  say "$verb ${1#"$ARCHIVE"/}"
  if [ -z "${DRY_RUN:-}" ]; then rm -rf "$1"; fi
}

main
