#!/bin/sh
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Copies the archive to another place, S3 or anything else that rclone knows, again and again. It runs in
# rclone's own image: a POSIX shell, and no bash. What is there is an archive like this one: a file comes
# before the document that tells of it, and the log that still grows comes as far as it is.
#
#   ARCHIVE        root folder
#   OFFSITE        the place, as rclone names it: remote:bucket/folder; the remote is told by variables
#                  of rclone (RCLONE_CONFIG_...), so that no secret is an argument
#   EVERY_SECONDS  between two rounds; 0: one round
#   WORK           folder for a copy of what grows

set -eu

ARCHIVE=${ARCHIVE:-/archive}
OFFSITE=${OFFSITE:?the place, as remote:bucket/folder}
EVERY_SECONDS=${EVERY_SECONDS:-60}
WORK=${WORK:-/tmp/offsite}
# Nothing of the machine's own settings.
export RCLONE_CONFIG="${RCLONE_CONFIG:-/dev/null}"

say() {
  printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2
}

main() {
  mkdir -p "$WORK"
  trap 'exit 0' TERM INT
  while :; do
    # Each round in a shell of its own, in no condition: one would switch off -e in it.
    set +e
    (set -e; round)
    failed=$?
    set -e
    report "$failed"
    if [ "$EVERY_SECONDS" = 0 ]; then exit "$failed"; fi
    sleep "$EVERY_SECONDS" &
    wait $! || true
  done
}

round() {
  # An empty volume in the archive's place must not look like an archive.
  [ -e "$ARCHIVE/archive.json" ] || { say "error: no archive in $ARCHIVE"; return 1; }
  grown > "$WORK/growing"
  {
    sed 's|^|- /|' "$WORK/growing"
    printf '%s\n' '- .*' '- .*/**' '- *.tmp' '- /status.json' '- /offsite.json'
  } > "$WORK/unfinished"
  { cat "$WORK/unfinished"; printf '%s\n' '- /binlog/*/*.json' '- /base/*/manifest.json' '- /archive.json'; } \
    > "$WORK/content"
  # What is complete never changes: its size tells whether it is there.
  copy --size-only --filter-from "$WORK/content"
  copy --checksum --filter-from "$WORK/unfinished"
  while read -r path; do send_growing "$path"; done < "$WORK/growing"
  prune
}

copy() {
  rclone copy --fast-list --no-update-modtime --stats-log-level DEBUG "$@" "$ARCHIVE" "$OFFSITE"
}

# Binary logs without their document: they grow still, or wait to be sealed.
grown() {
  cd "$ARCHIVE"
  for path in binlog/*/*; do
    case $path in *.json | *.tmp | 'binlog/*/*') continue ;; esac
    bare "$path"
    if [ ! -e "$name.json" ]; then echo "$path"; fi
  done
}

# Sets name to what the log of a file is called.
bare() {
  name=${1%.json}
  name=${name%.enc}
  name=${name%.zst}
  name=${name%.gz}
}

# A copy of what is there now: rclone refuses a file that changes under its hands.
send_growing() {
  cp "$ARCHIVE/$1" "$WORK/part"
  rclone copyto --checksum "$WORK/part" "$OFFSITE/$1"
  rm -f "$WORK/part"
}

# Removes there what retention removed here, and nothing else: what is gone here for any other reason stays.
prune() {
  find "$ARCHIVE/base" -mindepth 2 -maxdepth 2 -name manifest.json | sed 's|/manifest.json$||; s|.*/||' |
    sort > "$WORK/bases"
  # Without a verified base nothing was ever removed.
  grep -qs '"result": "ok"' "$ARCHIVE"/base/*/manifest.json || return 0
  oldest=$(head -n 1 "$WORK/bases")
  rclone lsf "$OFFSITE/base/" --dirs-only 2>/dev/null | sed 's|/$||' | while read -r id; do
    if [ "$id" != "$oldest" ] && [ "$(printf '%s\n%s\n' "$id" "$oldest" | sort | head -n 1)" = "$id" ]; then
      say "removing base/$id"
      rclone purge "$OFFSITE/base/$id"
    fi
  done
  rclone lsf "$OFFSITE/binlog/" --recursive --files-only 2>/dev/null | while read -r path; do
    if [ -e "$ARCHIVE/binlog/$path" ] || ! gone_here "$path"; then continue; fi
    say "removing binlog/$path"
    rclone deletefile "$OFFSITE/binlog/$path"
  done
}

# Whether a file was pruned here, or sealed under another name meanwhile.
gone_here() {
  bare "${1##*/}"
  if [ -e "$ARCHIVE/binlog/${1%/*}/$name.json" ]; then return 0; fi
  # The one that grows counts: right after retention there may be no other.
  first=$(find "$ARCHIVE/binlog/${1%/*}" -type f ! -name '*.tmp' ! -name '.*' 2>/dev/null |
    while read -r path; do bare "${path##*/}" && echo "$name"; done | sort | head -n 1)
  [ -n "$first" ] && [ "$(number_of "$name")" -lt "$(number_of "$first")" ]
}

number_of() {
  printf '%s' "${1##*.}" | sed 's/^0*//; s/^$/0/; s/[^0-9].*$//'
}

report() {
  now=$(date +%s)
  if [ "$1" = 0 ]; then
    say "the archive is in $OFFSITE"
    result=ok
    level=$now
  else
    say "error: a round ended with $1"
    result=failed
    level=$(sed -n 's/^ *"level_at": \([0-9]*\).*/\1/p' "$ARCHIVE/offsite.json" 2>/dev/null || true)
  fi
  printf '{\n  "at": %s,\n  "result": "%s",\n  "level_at": %s\n}\n' "$now" "$result" "${level:-0}" \
    > "$ARCHIVE/offsite.json.tmp" && mv -f "$ARCHIVE/offsite.json.tmp" "$ARCHIVE/offsite.json"
}

main
