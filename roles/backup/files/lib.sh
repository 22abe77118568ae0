# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# shellcheck shell=bash
#
# What the scripts of the archive share. The layout of the archive is documented in
# plugins/module_utils/binlog/archive.py. Needs bash, coreutils, findutils, awk, sed, mysql's clients;
# zstd or gzip and openssl where they are asked for. No secret is ever an argument of a process.
#
#   ARCHIVE      root folder
#   CLIENT_CNF   defaults file: user, password, TLS, host and port of the source
#   COMPRESSION  none, zstd, gzip: of what is complete
#   KEY_FILE     file that holds the key; empty: nothing is encrypted

set -euo pipefail
# A failure within $(...) ends it too.
shopt -s inherit_errexit
# Text is bytes, whatever the image's locale: names pass as they are. Clients are told of UTF-8.
export LC_ALL=C

ARCHIVE=${ARCHIVE:-/archive}
CLIENT_CNF=${CLIENT_CNF:-/etc/mysql-on-kubernetes/client.cnf}
COMPRESSION=${COMPRESSION:-none}
KEY_FILE=${KEY_FILE:-}
CONNECT_SECONDS=${CONNECT_SECONDS:-5}

say() {
  printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2
}

fail() {
  say "error: $*"
  exit 1
}

# Text as a JSON string.
quoted() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\t'/\\t}
  text=${text//$'\r'/\\r}
  text=${text//$'\n'/\\n}
  printf '"%s"' "$text"
}

# The value of a key in a document that these scripts wrote: one key a line.
json_value() {
  sed -n "s/,\$//; s/^ *\"$2\": \"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$1" | head -n 1
}

size_of() {
  stat -c %s "$1" 2>/dev/null || echo 0
}

sha256_of() {
  sha256sum <"$1" | cut -d ' ' -f 1
}

# Writes standard input to a file so that readers see the old one or the new one, also after a crash.
write_whole() {
  cat >"$1.tmp"
  sync -d "$1.tmp"
  mv -f "$1.tmp" "$1"
}

# How the source is asked: an answer without names, a line each.
SOURCE_CLIENT=(mysql --defaults-file="$CLIENT_CNF" --connect-timeout="$CONNECT_SECONDS" --batch
  --skip-column-names --default-character-set=utf8mb4)

source_client() {
  timeout 30 "${SOURCE_CLIENT[@]}" "$@"
}

# Suffix of what is packed.
packed_suffix() {
  case $COMPRESSION in
    none) ;;
    zstd) printf .zst ;;
    gzip) printf .gz ;;
    *) fail "COMPRESSION: $COMPRESSION is none of none, zstd, gzip" ;;
  esac
  if [ -n "$KEY_FILE" ]; then printf .enc; fi
}

encryption_name() {
  if [ -n "$KEY_FILE" ]; then echo aes-256-ctr; else echo none; fi
}

compressed() {
  case $COMPRESSION in
    none) cat ;;
    zstd) zstd -q -c ;;
    gzip) gzip -c ;;
  esac
}

# Standard input, compressed and then encrypted, as asked for.
pack() {
  if [ -z "$KEY_FILE" ]; then
    compressed
  else
    compressed | openssl enc -aes-256-ctr -pbkdf2 -salt -pass "file:$KEY_FILE"
  fi
}

# unpack COMPRESSION ENCRYPTION: the way back, whatever is asked for today.
unpack() {
  if [ "$2" = none ]; then
    cat
  else
    [ -n "$KEY_FILE" ] || fail "KEY_FILE: the file is encrypted ($2) and no key is given"
    openssl enc -d -aes-256-ctr -pbkdf2 -pass "file:$KEY_FILE"
  fi | case $1 in
    none) cat ;;
    zstd) zstd -q -d -c ;;
    gzip) gzip -d -c ;;
  esac
}

# What a binary log holds, as lines of JSON without braces. A transaction that the file has not got
# to its end is not counted; mysqlbinlog ends with an error there, and with a damaged file too.
describe_binlog() {
  local file=$1 size
  size=$(size_of "$file")
  { mysqlbinlog --no-defaults --base64-output=DECODE-ROWS --verify-binlog-checksum "$file" \
      2>/dev/null || true; } |
    LC_ALL=C awk -v size="$size" '
      function add(gtid,  colon, origin, number) {
        colon = match(gtid, /:[0-9]+$/)
        origin = substr(gtid, 1, colon - 1)
        number = substr(gtid, colon + 1) + 0
        if (!(origin in first)) order[++origins] = origin
        if (origin in first && number == last[origin] + 1) { last[origin] = number; return }
        if (origin in first) done[origin] = done[origin] run(origin)
        first[origin] = last[origin] = number
      }
      function run(origin) {
        if (first[origin] == last[origin]) return sprintf(":%.0f", first[origin])
        return sprintf(":%.0f-%.0f", first[origin], last[origin])
      }
      function after(text, name,  at) {
        at = index(text, name "=")
        return at ? substr(text, at + length(name) + 1) + 0 : 0
      }
      /^# at [0-9]+$/ { at = $3 + 0; behind = 0; next }
      /^#[0-9]+ +[0-9:]+ server id [0-9]+ +end_log_pos [0-9]+/ {
        behind = /\tPrevious-GTIDs/
        opens = 0
        ended = /\tRotate to / ? "rotate" : /\tStop[ \t]*$/ ? "stop" : "none"
        if (match($0, /server v [^ ]+/)) version = substr($0, RSTART + 9, RLENGTH - 9)
        if (/\tlast_committed=/) {
          opens = at + after($0, "transaction_length") <= size
          committed = after($0, "immediate_commit_timestamp")
          original = after($0, "original_committed_timestamp")
        }
        next
      }
      behind && /^# [0-9a-f]/ { previous = previous substr($0, 3); next }
      opens && /^SET @@SESSION.GTID_NEXT= / {
        opens = 0
        split($0, part, "\047")
        if (!earliest || committed < earliest) earliest = committed
        if (committed > latest) latest = committed
        if (!original) unknown++
        if (!earliest_original || original < earliest_original) earliest_original = original
        if (original > latest_original) latest_original = original
        if (part[2] == "ANONYMOUS") { anonymous++; next }
        add(part[2])
        transactions++
      }
      END {
        gsub(/[ \t\r]/, "", previous)
        for (i = 1; i <= origins; i++) {
          origin = order[i]
          gtids = gtids (i > 1 ? "," : "") origin done[origin] run(origin)
        }
        printf "  \"server_version\": \"%s\",\n", version
        printf "  \"previous_gtids\": \"%s\",\n", previous
        printf "  \"gtids\": \"%s\",\n", gtids
        printf "  \"transactions\": %d,\n", transactions
        printf "  \"anonymous\": %d,\n", anonymous
        printf "  \"first_commit\": %s,\n", earliest ? sprintf("%.0f", earliest) : "null"
        printf "  \"last_commit\": %s,\n", latest ? sprintf("%.0f", latest) : "null"
        if (unknown) earliest_original = latest_original = 0
        printf "  \"first_original_commit\": %s,\n",
          earliest_original ? sprintf("%.0f", earliest_original) : "null"
        printf "  \"last_original_commit\": %s,\n",
          latest_original ? sprintf("%.0f", latest_original) : "null"
        printf "  \"size\": %.0f,\n", size
        printf "  \"ended\": \"%s\"", ended ? ended : "none"
      }'
}

# describe_growing FOLDER NAME: a document for a file that has no sidecar yet.
describe_growing() {
  printf '{\n  "format": 1,\n  "server_uuid": "%s",\n  "name": "%s",\n  "stored": "%s",\n' \
    "${1##*/}" "$2" "$2"
  describe_binlog "$1/$2"
  printf '\n}\n'
}

# seal FOLDER NAME: writes the sidecar of a complete file, packed if asked for.
seal() {
  local folder=$1 name=$2 file=$1/$2 stored=$2 described sum
  described=$(describe_binlog "$file")
  sum=$(sha256_of "$file")
  stored=$name$(packed_suffix)
  if [ "$stored" != "$name" ]; then
    pack <"$file" | write_whole "$folder/$stored"
  else
    sync -d "$file"
  fi
  write_whole "$folder/$name.json" <<END
{
  "format": 1,
  "server_uuid": "${folder##*/}",
  "name": "$name",
  "stored": "$stored",
  "compression": "$COMPRESSION",
  "encryption": "$(encryption_name)",
  "sha256": "$sum",
  "stored_size": $(size_of "$folder/$stored"),
  "stored_sha256": "$(sha256_of "$folder/$stored")",
  "sealed": "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
$described
}
END
  if [ "$stored" != "$name" ]; then rm -f "$file"; fi
  say "sealed ${folder##*/}/$stored: $(json_value "$folder/$name.json" transactions) transactions"
}

# The binary logs in a folder, by name and in the server's order, however each is stored.
archived_names() {
  find "$1" -maxdepth 1 -type f ! -name '*.tmp' ! -name '.*' -printf '%f\n' 2>/dev/null |
    sed -E 's/(\.json|(\.zst|\.gz)?(\.enc)?)$//' | sort -uV
}
