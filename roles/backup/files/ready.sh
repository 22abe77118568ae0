#!/usr/bin/env bash
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# ready.sh [alive]: whether the archiver fetches and is not behind; with alive, whether it runs.
#
#   BEHIND_SECONDS  how long ago it may have had all that the source had

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

now=$(date +%s)
status=$ARCHIVE/status.json
at=$(json_value "$status" at)
if [ $((now - ${at:-0})) -gt 60 ]; then fail "the archiver wrote its status $((now - ${at:-0})) s ago"; fi
if [ "${1:-}" = alive ]; then exit 0; fi
state=$(json_value "$status" state)
if [ "$state" != archiving ]; then fail "$state: $(json_value "$status" error)"; fi
behind=$((now - $(json_value "$status" caught_up_at)))
if [ "$behind" -gt "${BEHIND_SECONDS:-15}" ]; then
  fail "behind the source for $behind s, by $(json_value "$status" behind_bytes) bytes"
fi
