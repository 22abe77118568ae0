#!/usr/bin/env bash
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Writes all that is to be known of the archive: every document behind a line "@ PATH", what logs
# without a sidecar hold behind "@ PATH growing", and the files with their sizes behind "@ files".
# plugins/module_utils/binlog/archive_reader.py reads it. Changes nothing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

cd "$ARCHIVE"

document() {
  # A file may go while the list is made: retention, or a log that is sealed.
  if content=$(cat "$1" 2>/dev/null); then printf '@ %s\n%s\n' "$1" "$content"; fi
}

printf '@ clock\n{"now": %s}\n' "$(date +%s)"
for file in archive.json status.json base/*/manifest.json; do
  if [ -e "$file" ]; then document "$file"; fi
done
for folder in binlog/*; do
  if [ ! -d "$folder" ]; then continue; fi
  archived_names "$folder" | while read -r name; do
    if [ -e "$folder/$name.json" ]; then
      document "$folder/$name.json"
      continue
    fi
    printf '@ %s growing\n' "$folder/$name"
    describe_growing "$folder" "$name"
  done
done
printf '@ files\n'
# Without what the archiver keeps for itself.
find . -type f ! -name '*.tmp' ! -path './.*' ! -path './binlog/*/.*' -printf '%s %T@ %P\n'
