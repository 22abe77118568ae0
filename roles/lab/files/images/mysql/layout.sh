#!/bin/sh
# The folders that the official image has, with its owners and modes.
set -eu

# Debian's own configuration would be read beside ours.
rm -rf /etc/mysql /var/lib/mysql
install -d -m 0755 /etc/mysql /etc/mysql/conf.d /docker-entrypoint-initdb.d
install -d -m 1777 -o mysql -g mysql /var/lib/mysql
install -d -m 0755 -o mysql -g mysql /var/run/mysqld
# secure_file_priv points here; mysqld refuses to start when it is missing.
install -d -m 0750 -o mysql -g mysql /var/lib/mysql-files
# Compose files and manifests of old call the entrypoint by this path.
ln -sf usr/local/bin/docker-entrypoint.sh /entrypoint.sh
