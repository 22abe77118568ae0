#!/usr/bin/env bash
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Fetches what is new in the binary logs of whoever is primary into the archive, for ever. See lib.sh.
#
# A fetch brings all that is there in one batch and ends. One that stays (--stop-never) is woken for each
# commit, and costs a primary of one processor a seventh of its throughput.
#
#   SERVER_ID      of its dumps, as a replica's: a server ends a dump when another of the same id begins
#   FETCH_SECONDS  from the beginning of one fetch to that of the next
#   STALL_SECONDS  after which a fetch or a question that brings nothing is given up
#   CLUSTER        name that archive.json gets

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

SERVER_ID=${SERVER_ID:?the server-id of the dumps}
FETCH_SECONDS=${FETCH_SECONDS:-0.5}
STALL_SECONDS=${STALL_SECONDS:-20}
CLUSTER=${CLUSTER:-mysql}

# Behind the magic number: where a binary log's first event is.
BEGIN=4
FORMAT_DESCRIPTION=15
# mysqlbinlog takes no position beyond it: the protocol has four bytes for one.
LAST_POSITION=4294967295
ENCRYPTION_HEADER=512

# What is followed: the server, its folder, the log that the archive's end lies in, how much of that log
# is here, on disk and up to the end of an event, and when the server began it.
uuid=
folder=
file=
length=0
created=
# What the last look saw, and when it was begun.
looked=0
source_uuid=
source_file=
source_size=0
declare -a source_names=()
declare -A source_sizes=()

state=connecting
error=
caught_up=0
# Whether the last fetch brought something, and whether the next one may not wait.
busy=
again=
# What was fetched last, and what its first event says.
part=
begun=
head=
running=
word=
sealing=
unsealed=
seal_after=0
reported=
now=0
clock=0
never=
declare -a said=()

main() {
  local began period
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
  # What one before this did not end.
  find "$ARCHIVE/binlog" -name '*.tmp' -delete
  rm -rf "$ARCHIVE/.fetch"
  mkdir "$ARCHIVE/.fetch"
  trap 'stop_running; exit 0' TERM INT
  # Nothing ever comes there: reading it for a time is a sleep without a process.
  exec {never}<> <(:)
  period=$(awk "BEGIN { printf \"%d\", $FETCH_SECONDS * 100 }")
  while :; do
    read_clock
    began=$clock
    turn
    seal_rest
    report
    if [ -z "$again" ]; then pause $((began + period)); fi
  done
}

# Hundredths of a second that no change of the time of day moves. EPOCHREALTIME needs bash 5.
read_clock() {
  local up
  read -r up _ </proc/uptime
  clock=$((10#${up/./}))
}

pause() {
  local left
  read_clock
  left=$(($1 - clock))
  if [ "$left" -gt 0 ]; then
    printf -v left '%d.%02d' $((left / 100)) $((left % 100))
    read -r -t "$left" -u "$never" _ || true
  fi
}

stop_running() {
  if [ -n "$running" ]; then kill -KILL "$running" 2>/dev/null || true; fi
}

# run SECONDS COMMAND...: what it says is in said, a line each, and the last of it in word. It is ended
# where in so many seconds neither a word comes nor a byte in $part; 0: it has all the time it needs.
# This runs twice a second, for ever: no process but the program's own.
run() {
  local patience=$1 out line text="" status waited=0 size before=0
  shift
  said=()
  word=
  exec {out}< <(exec "$@" 2>&1 9>&-)
  running=$!
  while :; do
    status=0
    line=
    IFS= read -r -t 1 -u "$out" line || status=$?
    text+=$line
    if [ "$status" -le 128 ]; then
      if [ -n "$text" ]; then said+=("$text"); word=$text; fi
      text=
      waited=0
      if [ "$status" = 0 ]; then continue; fi
      break
    fi
    waited=$((waited + 1))
    size=$(size_of "$part")
    if [ "$size" != "$before" ]; then waited=0; fi
    before=$size
    if [ "$patience" != 0 ] && [ "$waited" -ge "$patience" ]; then
      word="nothing came for $patience s"
      stop_running
      break
    fi
    report
  done
  exec {out}<&-
  status=0
  wait "$running" || status=$?
  running=
  return "$status"
}

failed() {
  if [ "$1 $2" != "$state $error" ]; then say "$1: $2"; fi
  state=$1
  error=$2
}

# One fetch, or none where there is nothing new.
turn() {
  again=
  # While something comes, the look after one fetch is the one before the next.
  if [ -z "$busy" ] && ! { look && follow; }; then return; fi
  advance || true
  if [ -z "$busy" ] && is_level; then
    caught_up=$looked
    state=archiving
    error=
    return
  fi
  fetch
}

# Each look connects anew: through the Service, to whoever is primary now.
look() {
  local line name size rest server=""
  printf -v looked '%(%s)T' -1
  source_names=()
  source_sizes=()
  source_file=
  if ! run "$STALL_SECONDS" "${SOURCE_CLIENT[@]}" -e "SELECT @@server_uuid; SHOW BINARY LOGS"; then
    failed connecting "$word"
    return 1
  fi
  for line in ${said[@]+"${said[@]}"}; do
    if [[ $line == *$'\t'* ]]; then
      name=${line%%$'\t'*}
      rest=${line#*$'\t'}
      size=${rest%%$'\t'*}
      # A log that is encrypted at rest has a header that no dump brings.
      if [[ $rest == *$'\t'Yes ]]; then size=$((size - ENCRYPTION_HEADER)); fi
      source_names+=("$name")
      source_sizes[$name]=$size
      source_file=$name
      source_size=$size
    elif [[ $line =~ ^[0-9a-f-]{36}$ ]]; then
      server=$line
    fi
  done
  if [ -z "$server" ] || [ -z "$source_file" ]; then
    failed connecting "the server names no binary log: ${word:-it says nothing}"
    return 1
  fi
  source_uuid=$server
  if [ "$state" = connecting ]; then
    state=archiving
    error=
  fi
}

# Turns to the server, and to the history of it, that the last look saw.
follow() {
  if [ "$source_uuid" != "$uuid" ]; then begin || return 1; fi
  if is_other_history; then
    part_with_other_history || return 1
    begin || return 1
  fi
}

begin() {
  if [ -n "$uuid" ] && [ "$uuid" != "$source_uuid" ]; then say "primary was $uuid, is $source_uuid"; fi
  uuid=
  folder=$ARCHIVE/binlog/$source_uuid
  if [ -e "$folder" ]; then finish_sealing; fi
  mkdir -p "$folder" || return 1
  created=
  length=0
  busy=
  file=$(archived_names "$folder" | tail -n 1)
  if [ -n "$file" ]; then
    find_end
  elif ! file=$(first_of_new_server); then
    failed connecting "which binary log to begin with is not known"
    return 1
  fi
  uuid=$source_uuid
  # What another archiver, or another primary, left.
  unsealed=yes
  say "binary logs of $uuid, from $file:$length on"
}

# How much of the newest log is here. One that was sealed, since another server was primary meanwhile, may
# have grown: then it is not complete.
find_end() {
  local sidecar=$folder/$file.json size
  if [ -e "$sidecar" ]; then
    length=$(json_value "$sidecar" size)
    size=${source_sizes[$file]:-0}
    if is_other_history || { [ "$length" -ge "$size" ] && [ "$file" != "$source_file" ]; }; then return; fi
    length=0
    # A packed one is fetched whole again, and stays until that is here.
    if [ "$(json_value "$sidecar" stored)" != "$file" ]; then return; fi
    rm -f "$sidecar"
  fi
  read_length
}

# An append can be cut anywhere: only what was noted after it is known to be whole and on disk. Where
# nothing is known the log is fetched whole, and takes the place of the copy once it is here.
read_length() {
  local name="" noted=""
  length=0
  if { read -r name noted <"$folder/.length"; } 2>/dev/null && [ "$name" = "$file" ] &&
    [[ $noted =~ ^[0-9]{20}$ ]] && [ $((10#$noted)) -le "$(size_of "$folder/$file")" ]; then
    length=$((10#$noted))
  fi
}

# In place, as many bytes each time: there is no moment without it, and no process.
write_length() {
  printf '%s %020d\n' "$file" "$length" 1<>"$folder/.length"
}

number_of() {
  printf '%s' $((10#${1##*.}))
}

# A server that counts anew (RESET) writes another history under the same names.
is_other_history() {
  if [ $((10#${file##*.})) -gt $((10#${source_file##*.})) ]; then return 0; fi
  [ -n "${source_sizes[$file]:-}" ] && [ "$length" -gt "${source_sizes[$file]}" ]
}

# Nothing is deleted.
part_with_other_history() {
  local other
  finish_sealing
  other=$folder.until-$(date +%s)
  say "$source_uuid is at $source_file:$source_size, another history than the archive's at $file:$length:" \
    "the old files are ${other##*/} now"
  mv -T "$folder" "$other" || return 1
  uuid=
  busy=
}

# To the next log, once the archive has all of this one or the server has purged it.
advance() {
  local name
  if [ -n "${source_sizes[$file]:-}" ] && [ "$length" -lt "${source_sizes[$file]}" ]; then return 1; fi
  for name in "${source_names[@]}"; do
    if [ $((10#${name##*.})) -gt $((10#${file##*.})) ]; then
      if [ -n "$part" ]; then rm -f "$part"; fi
      file=$name
      length=0
      created=
      unsealed=yes
      return 0
    fi
  done
  return 1
}

# Whether the archive has all that the source had at the last look.
is_level() {
  [ "$file" = "$source_file" ] && [ "$length" -ge "$source_size" ]
}

# The log to begin with for a server that is new to the archive: the last one that begins with nothing
# that the archive lacks.
first_of_new_server() {
  local have index name previous within
  # What was archived of a history that it has left has the same GTIDs.
  if compgen -G "$folder.until-*" >/dev/null; then
    echo "${source_names[0]}"
    return
  fi
  have=$(archived_gtids)
  if [ -n "$have" ]; then
    for ((index = ${#source_names[@]} - 1; index >= 0; index--)); do
      name=${source_names[index]}
      # Its first two events: the format, and what lies before it.
      previous=$(source_client -e "SHOW BINLOG EVENTS IN '$name' LIMIT 2" |
        awk -F '\t' '$3 == "Previous_gtids" { gsub(/\\n/, "", $6); print $6 }') || return 1
      within=$(source_client -e "SELECT GTID_SUBSET('$previous', '$have')") || return 1
      if [ "$within" = 1 ]; then
        echo "$name"
        return
      fi
    done
  fi
  echo "${source_names[0]}"
}

# Every transaction that the sidecars tell of, as a set that the server merges.
archived_gtids() {
  local document
  for document in "$ARCHIVE"/binlog/*/*.json "$ARCHIVE"/base/*/manifest.json; do
    if [ -e "$document" ]; then
      json_value "$document" previous_gtids
      json_value "$document" gtids
      json_value "$document" gtid_executed
    fi
  done | sed '/^$/d' | paste -sd , -
}

# Fetches what is new of one log, and adds it where both looks, before and after, saw the same server: a
# Service may lead to another one at any time, and nothing in the bytes says whose they are.
fetch() {
  local from=$BEGIN had=$source_file had_size=$source_size since=$looked before=$length complaint=""
  # Beyond the last position the whole log again; a server begins another one after it at once, since such
  # a log is one huge transaction.
  if [ "$length" -gt "$BEGIN" ] && [ "$length" -le "$LAST_POSITION" ]; then from=$length; fi
  busy=
  part=$ARCHIVE/.fetch/$$.$file
  if ! { : >"$part"; } 2>/dev/null; then
    failed failing "$part cannot be written"
    return
  fi
  run "$STALL_SECONDS" mysqlbinlog --defaults-file="$CLIENT_CNF" --read-from-remote-server --raw \
    --connection-server-id="$SERVER_ID" --start-position="$from" --result-file="$ARCHIVE/.fetch/$$." "$file" ||
    complaint="$file from $from on: $word"
  # Of another server or history: the next turn looks again, and follows.
  if look && [ "$source_uuid" = "$uuid" ] && ! is_other_history; then
    read_head
    if [ -z "$created" ]; then created=$(created_of_copy); fi
    if [ -n "$begun" ] && [ "$begun" != "${created:-$begun}" ]; then
      # Also where the server refused the position: it tells of the log before it does.
      part_with_other_history || true
    elif [ -n "$complaint" ]; then
      failed failing "$complaint"
    elif take "$from"; then
      state=archiving
      error=
      if [ "$file" = "$had" ] && [ "$length" -ge "$had_size" ]; then caught_up=$since; fi
      if [ "$length" -gt "$before" ]; then busy=yes; fi
      if advance; then
        busy=yes
        again=yes
      fi
    fi
  fi
  # Its room is free again, and no later fetch finds something of this one.
  if [ -e "$part" ]; then : >"$part"; fi
}

# Of the first event of what was fetched: when the server began the log, wherever the dump began, and the
# event's size. Both empty where nothing came.
read_head() {
  local -a byte=()
  begun=
  head=
  # Moment, type, server-id, size.
  read -r -a byte < <(exec od -An -v -tu1 -j4 -N13 "$part" 2>/dev/null) || true
  if [ "${#byte[@]}" = 13 ] && [ "${byte[4]}" = "$FORMAT_DESCRIPTION" ]; then
    begun=$((byte[0] | byte[1] << 8 | byte[2] << 16 | byte[3] << 24))
    head=$((byte[9] | byte[10] << 8 | byte[11] << 16 | byte[12] << 24))
  fi
}

# take FROM: puts what was fetched where it belongs.
take() {
  local from=$1 size=0
  if [ -z "$begun" ]; then
    failed failing "what came of $file does not begin as a binary log does"
    return 1
  fi
  read -r size < <(exec stat -c %s "$part") || return 1
  if [ "$from" = "$BEGIN" ]; then
    place "$size" || return 1
  else
    append "$from" $((BEGIN + head)) || return 1
    size=$((from + size - BEGIN - head))
  fi
  created=$begun
  length=$size
  write_length || true
}

# When the server began the log, as the copy that is here has it; empty where there is none.
created_of_copy() {
  local sidecar=$folder/$file.json
  if [ -e "$folder/$file" ]; then
    cat "$folder/$file"
  elif [ -e "$sidecar" ]; then
    unpack "$(json_value "$sidecar" compression)" "$(json_value "$sidecar" encryption)" \
      <"$folder/$(json_value "$sidecar" stored)"
  fi 2>/dev/null | first_moment || true
}

first_moment() {
  local -a byte=()
  read -r -a byte < <(exec od -An -v -tu1 -j4 -N4 2>/dev/null) || true
  if [ "${#byte[@]}" = 4 ]; then echo $((byte[0] | byte[1] << 8 | byte[2] << 16 | byte[3] << 24)); fi
}

# place SIZE: a whole log takes the place of what was here of it, if anything was.
place() {
  local copy=$folder/$file sidecar=$folder/$file.json stored=""
  if [ "$(size_of "$copy")" -gt "${source_sizes[$file]:-0}" ]; then
    part_with_other_history
    return 1
  fi
  if [ "$1" -lt "$(size_of "$copy")" ]; then
    failed failing "$file came with $1 bytes, less than the archive has"
    return 1
  fi
  if [ -e "$sidecar" ]; then stored=$(json_value "$sidecar" stored); fi
  if ! { run 0 sync -d "$part" && run 0 mv -f "$part" "$copy" && run 0 sync "$folder"; }; then
    failed failing "$word"
    return 1
  fi
  if [ -n "$stored" ]; then rm -f "$sidecar" "$folder/$stored"; fi
}

# append FROM SKIP: writes what came behind its head at a position of the copy. What an append that was cut
# has left there is written again, with the same bytes: at no moment is there less.
append() {
  if ! run 0 dd if="$part" of="$folder/$file" bs=1M skip="$2" iflag=skip_bytes,fullblock \
    seek="$1" oflag=seek_bytes conv=notrunc,fdatasync status=none; then
    failed failing "$word"
    return 1
  fi
}

# Completes logs that have a successor, beside the fetches.
seal_rest() {
  if [ -n "$sealing" ]; then
    if kill -0 "$sealing" 2>/dev/null; then return; fi
    finish_sealing
  fi
  if [ -n "$uuid" ] && [ -n "$unsealed" ] && [ "$now" -ge "$seal_after" ]; then
    unsealed=
    seal_others &
    sealing=$!
  fi
}

finish_sealing() {
  if [ -z "$sealing" ]; then return; fi
  while kill -0 "$sealing" 2>/dev/null; do
    read_clock
    pause $((clock + 10))
    report
  done
  if ! wait "$sealing"; then
    unsealed=yes
    seal_after=$((now + 10))
  fi
  sealing=
}

# Of other servers everything; of this one what is older than the log that grows.
seal_others() {
  local each name
  for each in "$ARCHIVE"/binlog/*; do
    archived_names "$each" | while read -r name; do
      if [ "$each" = "$folder" ] && [ "$(number_of "$name")" -ge "$(number_of "$file")" ]; then break; fi
      if [ ! -e "$each/$name.json" ] && [ -e "$each/$name" ]; then seal "$each" "$name"; fi
    done
  done
}

report() {
  local behind=-1 name counting="" line quoted='""'
  printf -v now '%(%s)T' -1
  if [ -n "$source_file" ] && [ -n "$uuid" ]; then
    behind=0
    for name in "${source_names[@]}"; do
      if [ "$name" = "$file" ]; then
        counting=yes
        behind=$((source_sizes[$name] > length ? source_sizes[$name] - length : 0))
      elif [ -n "$counting" ]; then
        behind=$((behind + source_sizes[$name]))
      fi
    done
  fi
  line="$state $source_uuid $file $length $source_file $source_size $behind $caught_up $error"
  # While it changes, else now and then as a sign of life.
  if [ "$line" = "${reported#* }" ] && [ $((now - ${reported%% *})) -lt 5 ]; then return; fi
  if [ -n "$error" ]; then quoted=$(quoted "$error"); fi
  # Worth nothing after a crash: no fsync. On a full volume the old one stays, and grows old.
  if printf '{\n  "format": 1,\n  "at": %s,\n  "state": "%s",\n  "server_uuid": "%s",\n  "file": "%s",
  "size": %s,\n  "source_file": "%s",\n  "source_size": %s,\n  "behind_bytes": %s,
  "caught_up_at": %s,\n  "error": %s\n}\n' "$now" "$state" "$source_uuid" "$file" \
    "$length" "$source_file" "$source_size" "$behind" "$caught_up" "$quoted" \
    2>/dev/null >"$ARCHIVE/status.json.tmp"; then
    mv -f "$ARCHIVE/status.json.tmp" "$ARCHIVE/status.json"
    reported="$now $line"
  fi
}

main
