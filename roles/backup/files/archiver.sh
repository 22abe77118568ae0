#!/usr/bin/env bash
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Streams the binary logs of whoever is primary into the archive, for ever. See lib.sh.
#
#   SERVER_ID      the stream's own, as a replica's: unique in the cluster
#   POLL_SECONDS   between two looks at who is primary and how far it is
#   STALL_SECONDS  after which a stream that brings nothing, though there is something, is made anew
#   CLUSTER        name that archive.json gets

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

SERVER_ID=${SERVER_ID:?the server-id of the stream}
POLL_SECONDS=${POLL_SECONDS:-2}
STALL_SECONDS=${STALL_SECONDS:-20}
CLUSTER=${CLUSTER:-mysql}

folder=
stream=
sealing=
state=connecting
error=
source_uuid=
source_file=
source_size=0
caught_up=0
moved_at=0
moved_size=
synced=
polled=0
newest=
newest_size=0
unsealed=
kept_there=
reported=
declare -a source_names=()
declare -A source_sizes=()

main() {
  mkdir -p "$ARCHIVE/binlog" "$ARCHIVE/base"
  # Two archivers would write into the same files.
  exec 9>"$ARCHIVE/.archiver.lock"
  if command -v flock >/dev/null; then
    flock -w 60 9 || fail "another archiver holds $ARCHIVE/.archiver.lock"
  fi
  if [ ! -e "$ARCHIVE/archive.json" ]; then
    printf '{\n  "format": 1,\n  "cluster": "%s",\n  "created": "%s"\n}\n' \
      "$CLUSTER" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" | write_whole "$ARCHIVE/archive.json"
  fi
  trap 'stop_stream; exit 0' TERM INT
  while :; do
    turn
    sleep 1 &
    wait $! || true
  done
}

turn() {
  if [ -n "$stream" ] && ! kill -0 "$stream" 2>/dev/null; then
    wait "$stream" || true
    stream=
    state=connecting
    error=$(tail -n 1 "$ARCHIVE/.stream.log" 2>/dev/null || true)
    say "the stream ended: ${error:-without a word}"
  fi
  scan_folder
  if [ -z "$stream" ] || [ $((EPOCHSECONDS - polled)) -ge "$POLL_SECONDS" ]; then
    polled=$EPOCHSECONDS
    if look_at_source; then follow; fi
    scan_folder
  fi
  tidy
  report
}

# Reads the folder without a process of its own but one: this runs each second, for ever.
scan_folder() {
  local path name number best=-1
  local -A open=()
  newest=
  newest_size=0
  unsealed=
  kept_there=
  if [ -z "$folder" ]; then return; fi
  for path in "$folder"/*; do
    name=${path##*/}
    case $name in
      *.tmp | *.other-*) continue ;;
      *.kept) kept_there=yes ;;
    esac
    name=${name%.enc}
    name=${name%.zst}
    name=${name%.gz}
    name=${name%.json}
    name=${name%.kept}
    number=${name##*.}
    if [[ ! $number =~ ^[0-9]+$ ]]; then continue; fi
    if [ $((10#$number)) -gt "$best" ]; then
      best=$((10#$number))
      newest=$name
    fi
    if [ ! -e "$folder/$name.json" ]; then open[$name]=yes; fi
  done
  if [ -z "$newest" ]; then return; fi
  newest_size=$(size_of "$folder/$newest")
  unset 'open[$newest]'
  if [ "${#open[@]}" -gt 0 ]; then unsealed=yes; fi
}

# Each look connects anew: through the Service, to whoever is primary now.
look_at_source() {
  local answer uuid
  if ! answer=$(source_client -e "SELECT @@server_uuid; SHOW BINARY LOGS" 2>"$ARCHIVE/.look.log"); then
    error=$(tail -n 1 "$ARCHIVE/.look.log")
    source_file=
    if [ -z "$stream" ]; then state=connecting; fi
    return 1
  fi
  uuid=${answer%%$'\n'*}
  source_names=()
  source_sizes=()
  while IFS=$'\t' read -r name size _; do
    source_names+=("$name")
    source_sizes[$name]=$size
  done <<<"${answer#*$'\n'}"
  source_file=${source_names[-1]}
  source_size=${source_sizes[$source_file]}
  if [ "$uuid" != "$source_uuid" ]; then
    if [ -n "$source_uuid" ]; then say "primary was $source_uuid, is $uuid"; fi
    source_uuid=$uuid
    stop_stream
  fi
  return 0
}

# Sees to it that the source's binary logs stream in.
follow() {
  local place=$newest:$newest_size
  if [ -n "$stream" ]; then
    if [ "$place" != "$moved_size" ] || is_level; then
      moved_size=$place
      moved_at=$polled
    elif [ $((polled - moved_at)) -ge "$STALL_SECONDS" ]; then
      say "nothing came for $STALL_SECONDS s though $source_file has $source_size bytes"
      stop_stream
    fi
  fi
  if [ -z "$stream" ]; then start_stream; fi
}

# Whether the archive has all that the source had at the last look.
is_level() {
  [ "$newest" = "$source_file" ] && [ "$newest_size" -ge "$source_size" ]
}

start_stream() {
  local first old
  if [ -n "$sealing" ]; then
    wait "$sealing" || true
    sealing=
  fi
  folder=$ARCHIVE/binlog/$source_uuid
  mkdir -p "$folder"
  part_with_other_history
  for old in "$ARCHIVE"/binlog/*; do
    if [ "$old" != "$folder" ]; then seal_all "$old"; fi
  done
  first=$(first_to_fetch)
  set_aside "$first"
  say "stream from $source_uuid, $first on"
  # It writes a file from its beginning, always; --raw keeps the server's bytes.
  mysqlbinlog --defaults-file="$CLIENT_CNF" --read-from-remote-server --raw --stop-never \
    --connection-server-id="$SERVER_ID" --result-file="$folder/" "$first" \
    >"$ARCHIVE/.stream.log" 2>&1 9>&- &
  stream=$!
  state=streaming
  error=
  moved_at=$polled
}

stop_stream() {
  if [ -n "$stream" ]; then
    kill "$stream" 2>/dev/null || true
    wait "$stream" 2>/dev/null || true
    stream=
  fi
  state=connecting
}

# The binary log to begin with: where this server's folder ends; for a server that is new to the
# archive, the last one that begins with nothing that the archive lacks.
first_to_fetch() {
  local newest name number
  newest=$(archived_names "$folder" | tail -n 1)
  if [ -z "$newest" ]; then
    first_of_new_server
    return
  fi
  if [ -n "${source_sizes[$newest]:-}" ]; then
    if [ -e "$folder/$newest.json" ] && [ "$newest" != "$source_file" ] &&
      [ "$(json_value "$folder/$newest.json" size)" = "${source_sizes[$newest]}" ]; then
      next_of "$newest"
    else
      echo "$newest"
    fi
    return
  fi
  # The server has purged it: what it has is all there is.
  number=$((10#${newest##*.}))
  for name in "${source_names[@]}"; do
    if [ $((10#${name##*.})) -gt "$number" ]; then
      echo "$name"
      return
    fi
  done
  echo "${source_names[0]}"
}

# A server that counts anew (RESET) writes another history under the same names. Nothing is deleted.
part_with_other_history() {
  local newest other
  newest=$(archived_names "$folder" | tail -n 1)
  if [ -n "$newest" ] && [ $((10#${newest##*.})) -gt $((10#${source_file##*.})) ]; then
    other=$folder.until-$(date +%s)
    mv "$folder" "$other"
    mkdir "$folder"
    say "$source_uuid is at $source_file after $newest was archived: the old files are ${other##*/} now"
  fi
}

next_of() {
  local name found=
  for name in "${source_names[@]}"; do
    if [ -n "$found" ]; then
      echo "$name"
      return
    fi
    if [ "$name" = "$1" ]; then found=yes; fi
  done
  echo "$1"
}

first_of_new_server() {
  local have index name previous
  have=$(archived_gtids)
  if [ -n "$have" ]; then
    for ((index = ${#source_names[@]} - 1; index >= 0; index--)); do
      name=${source_names[index]}
      # Its first two events: the format, and what lies before it.
      previous=$(source_client -e "SHOW BINLOG EVENTS IN '$name' LIMIT 2" |
        awk -F '\t' '$3 == "Previous_gtids" { gsub(/\\n/, "", $6); print $6 }')
      if [ "$(source_client -e "SELECT GTID_SUBSET('$previous', '$have')")" = 1 ]; then
        echo "$name"
        return
      fi
    done
  fi
  echo "${source_names[0]}"
}

# Every transaction that the sidecars tell of, as a set that the server merges.
archived_gtids() {
  local file
  for file in "$ARCHIVE"/binlog/*/*.json "$ARCHIVE"/base/*/manifest.json; do
    if [ -e "$file" ]; then
      json_value "$file" previous_gtids
      json_value "$file" gtids
      json_value "$file" gtid_executed
    fi
  done | sed '/^$/d' | paste -sd , -
}

# What is there of a file that will be fetched again stays until the new copy is as long.
set_aside() {
  local name=$1 sidecar=$folder/$1.json stored
  if [ -e "$sidecar" ]; then
    stored=$(json_value "$sidecar" stored)
    if [ "$stored" != "$name" ]; then
      unpack "$(json_value "$sidecar" compression)" "$(json_value "$sidecar" encryption)" \
        <"$folder/$stored" | write_whole "$folder/$name"
    fi
    rm -f "$sidecar"
    if [ "$stored" != "$name" ]; then rm -f "$folder/$stored"; fi
  fi
  # Of two copies from before, the longer one.
  if [ "$(size_of "$folder/$name")" -gt "$(size_of "$folder/$name.kept")" ]; then
    mv -f "$folder/$name" "$folder/$name.kept"
  fi
}

# Makes durable what came, and completes files that have a successor.
tidy() {
  if [ -z "$newest" ]; then return; fi
  # What has not grown is on disk already.
  if [ "$newest:$newest_size" != "$synced" ] && [ -e "$folder/$newest" ]; then
    sync -d "$folder/$newest"
    # The folder too, where a file is new in it.
    if [ "${synced%:*}" != "$newest" ]; then sync "$folder"; fi
    synced=$newest:$newest_size
  fi
  if [ -n "$kept_there" ]; then compare_kept; fi
  if [ -n "$sealing" ] && ! kill -0 "$sealing" 2>/dev/null; then
    wait "$sealing" || true
    sealing=
  fi
  if [ -z "$sealing" ] && [ -n "$stream" ] && [ -n "$unsealed" ]; then
    seal_all "$folder" "$newest" 9>&- &
    sealing=$!
  fi
}

compare_kept() {
  local kept name
  for kept in "$folder"/*.kept; do
    name=${kept%.kept}
    if [ ! -e "$kept" ] || [ "$(size_of "$name")" -lt "$(size_of "$kept")" ]; then continue; fi
    sync -d "$name"
    if cmp -s -n "$(size_of "$kept")" "$name" "$kept"; then
      rm -f "$kept"
    else
      # Another history under the same name.
      mv "$kept" "$name.other-$(date +%s)"
      say "the copy of ${name##*/} from before differs from what the server has now; it is kept"
    fi
  done
}

# seal_all FOLDER [EXCEPT]: of another server, everything; of this one, all but what still grows.
seal_all() {
  local name
  archived_names "$1" | while read -r name; do
    if [ "$name" = "${2:-}" ] || [ -e "$1/$name.json" ]; then continue; fi
    if [ "$(size_of "$1/$name.kept")" -gt "$(size_of "$1/$name")" ]; then
      mv -f "$1/$name.kept" "$1/$name"
    fi
    if [ -e "$1/$name" ]; then seal "$1" "$name"; fi
  done
}

report() {
  local behind=-1 name counting="" line
  if [ -n "$source_file" ] && [ -n "$stream" ] && [ -n "$newest" ]; then
    behind=0
    for name in "${source_names[@]}"; do
      if [ "$name" = "$newest" ]; then
        counting=yes
        behind=$((source_sizes[$name] > newest_size ? source_sizes[$name] - newest_size : 0))
      elif [ -n "$counting" ]; then
        behind=$((behind + source_sizes[$name]))
      fi
    done
    if [ "$behind" = 0 ]; then caught_up=$polled; fi
  fi
  line="$state $source_uuid $newest $newest_size $source_file $source_size $behind $caught_up $error"
  # Every second while it changes, else now and then as a sign of life.
  if [ "$line" = "${reported#* }" ] && [ $((EPOCHSECONDS - ${reported%% *})) -lt 5 ]; then return; fi
  reported="$EPOCHSECONDS $line"
  # Worth nothing after a crash: no fsync.
  printf '{\n  "format": 1,\n  "at": %s,\n  "state": "%s",\n  "server_uuid": "%s",\n  "file": "%s",
  "size": %s,\n  "source_file": "%s",\n  "source_size": %s,\n  "behind_bytes": %s,
  "caught_up_at": %s,\n  "error": %s\n}\n' "$EPOCHSECONDS" "$state" "$source_uuid" "$newest" \
    "$newest_size" "$source_file" "$source_size" "$behind" "$caught_up" "$(quoted "$error")" \
    >"$ARCHIVE/status.json.tmp"
  mv -f "$ARCHIVE/status.json.tmp" "$ARCHIVE/status.json"
}

main
