#!/usr/bin/env bash
# The honest baseline: what site.yml makes, made by hand with kubectl and mysql, in the same order and
# with nothing proved that a careful person would not look at: no preflight, no canary, no checksums, no
# load test, no second run. docs/benchmarks.md sets site.yml beside it.
#
#   NAMESPACE=plain HOST=plain.example DUMP=.../employees.sql [IMAGE=...] [IP=...] [INDEX=...] [CLIENT="..."] plain.sh
#
# HOST: name of the site at the ingress. DUMP: a dump with its `source` lines. CLIENT: command prefix
# that runs curl on a host of the cluster's LAN. INDEX: where the Pods get Python packages. Needs kubectl, and KUBECONFIG for the cluster.
set -euo pipefail

namespace=${NAMESPACE:?a namespace that is not there yet}
host=${HOST:?a DNS name for the site}
dump=${DUMP:?the path of an employees.sql}
image=${IMAGE:-docker.io/library/mysql:9.7}
ip=${IP:-192.168.0.251}
client=${CLIENT:-}
index=${INDEX:-https://pypi.org/simple}
checkout=$(cd "$(dirname "$0")/../.." && pwd)
python=docker.io/library/python:3.13-slim
servers=(1 11 12)

began=$SECONDS
say() { printf '%4d s  %s\n' $((SECONDS - began)) "$*" >&2; }
kube() { kubectl --namespace "$namespace" "$@"; }
secret() { head -c 512 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | head -c 24 || true; }

# The password stays in the Pod: no command line has it.
sql() {
  local server=$1
  shift
  kube exec --stdin "deploy/mysql-$server" -- \
    mysql --defaults-extra-file=/etc/mysql/probe/client.cnf --batch --skip-column-names "$@"
}

# wait_for SECONDS WHAT COMMAND...: until it succeeds, or fail
wait_for() {
  local until=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || { echo "timed out: $what" >&2; exit 1; }
    sleep 0.5
  done
}

say "namespace and volumes"
kubectl create namespace "$namespace" >/dev/null
for server in "${servers[@]}"; do
  cat <<YAML
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: mysql-$server}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 4Gi}}
YAML
done | kube apply --filename - >/dev/null

say "ConfigMap, Secrets, three Deployments, two Services"
root=$(secret) replication=$(secret) app=$(secret)
{
  cat <<YAML
apiVersion: v1
kind: ConfigMap
metadata: {name: mysql-config}
data:
  my.cnf: |
    [mysqld]
    log_bin = mysql-bin
    gtid_mode = ON
    enforce_gtid_consistency = ON
    binlog_expire_logs_seconds = 604800
    sync_binlog = 1
    innodb_flush_log_at_trx_commit = 1
    relay_log = relay-bin
    relay_log_recovery = ON
    loose-replica_parallel_workers = 4
    innodb_buffer_pool_size = 256M
    max_allowed_packet = 64M
    max_connections = 300
    skip_name_resolve = ON
    loose-mysqlx = OFF
---
apiVersion: v1
kind: Secret
metadata: {name: mysql-auth}
stringData:
  root-password: "$root"
  client.cnf: |
    [client]
    user=root
    password="$root"
    host=127.0.0.1
    protocol=tcp
---
apiVersion: v1
kind: Secret
metadata: {name: mysql-app}
stringData: {username: app, password: "$app"}
---
apiVersion: v1
kind: Service
metadata: {name: mysql-write}
spec:
  selector: {server: mysql-1}
  ports: [{name: mysql, port: 3306}]
---
apiVersion: v1
kind: Service
metadata: {name: mysql-read}
spec:
  selector: {app: mysql, reads: "yes"}
  ports: [{name: mysql, port: 3306}]
YAML
  for server in "${servers[@]}"; do
    reads=yes
    [[ $server == 1 ]] && reads=no
    cat <<YAML
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: mysql-$server}
spec:
  replicas: 1
  strategy: {type: Recreate}
  selector: {matchLabels: {server: mysql-$server}}
  template:
    metadata:
      labels: {app: mysql, server: mysql-$server, reads: "$reads"}
    spec:
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector: {matchLabels: {app: mysql}}
      containers:
        - name: mysql
          image: $image
          imagePullPolicy: IfNotPresent
          args: ["--server-id=$server"]
          env:
            - {name: MYSQL_ROOT_PASSWORD_FILE, value: /etc/mysql/probe/root-password}
            - {name: MYSQL_INITDB_SKIP_TZINFO, value: "1"}
          ports: [{name: mysql, containerPort: 3306}]
          readinessProbe:
            exec:
              command: [mysqladmin, --defaults-extra-file=/etc/mysql/probe/client.cnf, status]
            periodSeconds: 2
            timeoutSeconds: 5
          resources:
            requests: {cpu: 100m, memory: 512Mi}
            limits: {memory: 1536Mi}
          volumeMounts:
            - {name: data, mountPath: /var/lib/mysql}
            - {name: config, mountPath: /etc/mysql/conf.d}
            - {name: auth, mountPath: /etc/mysql/probe, readOnly: true}
      volumes:
        - {name: data, persistentVolumeClaim: {claimName: mysql-$server}}
        - {name: config, configMap: {name: mysql-config, items: [{key: my.cnf, path: site.cnf}]}}
        - {name: auth, secret: {secretName: mysql-auth}}
YAML
  done
} | kube apply --filename - >/dev/null
for server in "${servers[@]}"; do
  kube rollout status "deploy/mysql-$server" --timeout=300s >/dev/null
done

say "accounts, replication between empty databases"
sql 1 <<SQL
CREATE USER 'replication'@'%' IDENTIFIED BY '$replication';
GRANT REPLICATION SLAVE ON *.* TO 'replication'@'%';
CREATE USER 'app'@'%' IDENTIFIED BY '$app';
GRANT SELECT, INSERT, UPDATE, DELETE ON employees.* TO 'app'@'%';
SQL
for server in "${servers[@]:1}"; do
  sql "$server" <<SQL
CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'mysql-write', SOURCE_USER = 'replication',
  SOURCE_PASSWORD = '$replication', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1;
START REPLICA;
SET PERSIST super_read_only = ON;
SQL
done

caught_up() {
  local set
  set=$(sql 1 --execute 'SELECT @@GLOBAL.gtid_executed' | sed 's/\\n//g')
  [[ $(sql "$1" --execute "SELECT WAIT_FOR_EXECUTED_GTID_SET('$set', 300)") == 0 ]]
}
for server in "${servers[@]:1}"; do
  wait_for 300 "mysql-$server follows" caught_up "$server"
done

say "data"
# What the client's `source` would read is written in its place: the files lie here, not in the Pod.
(
  cd "$(dirname "$dump")"
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ $line =~ ^source[[:space:]]+([^[:space:]\;]+) ]]; then
      cat "${BASH_REMATCH[1]}"
    else
      printf '%s\n' "$line"
    fi
  done <"$(basename "$dump")"
) | sql 1 >/dev/null
for server in "${servers[@]:1}"; do
  wait_for 300 "mysql-$server has the data" caught_up "$server"
done

say "applications and their paths"
tar --create --directory "$checkout" --exclude __pycache__ apps requirements/app.txt |
  kube create configmap app --from-file=app.tar=/dev/stdin >/dev/null
{
  for app in api web; do
    cat <<YAML
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app-$app}
spec:
  replicas: 2
  selector: {matchLabels: {app: app-$app}}
  template:
    metadata: {labels: {app: app-$app}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001}
      initContainers:
        - name: packages
          image: $python
          imagePullPolicy: IfNotPresent
          workingDir: /app
          command: [sh, -c, "tar xf /code/app.tar && pip install --quiet --no-cache-dir --no-compile --no-deps --require-hashes -r requirements/app.txt --target ."]
          env:
            - {name: PIP_INDEX_URL, value: $index}
            - {name: PIP_TRUSTED_HOST, value: "$(sed -E 's#^https?://([^/]+).*#\1#' <<<"$index")"}
            - {name: HOME, value: /tmp}
          volumeMounts: [{name: code, mountPath: /code}, {name: app, mountPath: /app}]
      containers:
        - name: $app
          image: $python
          imagePullPolicy: IfNotPresent
          workingDir: /app
          command: [python3, -m, uvicorn, --factory, "apps.$app.main:create", --host, 0.0.0.0, --port, "8000", --no-access-log]
          env:
            - {name: DB_WRITE_HOST, value: mysql-write}
            - {name: DB_READ_HOST, value: mysql-read}
            - {name: DB_NAME, value: employees}
            - {name: DB_USER, value: app}
            - {name: DB_PASSWORD_FILE, value: /etc/app/account/password}
            - {name: UVICORN_ROOT_PATH, value: "$([[ $app == api ]] && echo /bucket)"}
          ports: [{name: http, containerPort: 8000}]
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 2
            timeoutSeconds: 5
          resources:
            requests: {cpu: 50m, memory: 96Mi}
            limits: {memory: 256Mi}
          volumeMounts: [{name: account, mountPath: /etc/app/account, readOnly: true}, {name: app, mountPath: /app, readOnly: true}]
      volumes: [{name: account, secret: {secretName: mysql-app}}, {name: code, configMap: {name: app}}, {name: app, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: app-$app}
spec:
  selector: {app: app-$app}
  ports: [{name: http, port: 80, targetPort: http}]
YAML
  done
  while read -r name service rewrite paths; do
    cat <<YAML
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: app-$name
  annotations:
    nginx.ingress.kubernetes.io/use-regex: "true"
    nginx.ingress.kubernetes.io/rewrite-target: $rewrite
spec:
  ingressClassName: nginx
  rules:
    - host: $host
      http:
        paths:
YAML
    for path in $paths; do
      cat <<YAML
          - path: /$path(/|$)(.*)
            pathType: ImplementationSpecific
            backend: {service: {name: $service, port: {name: http}}}
YAML
    done
  done <<'TABLE'
view app-web /view/$2 vew view
bucket app-api /$2 bucket
TABLE
  cat <<YAML
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app-home}
spec:
  ingressClassName: nginx
  rules:
    - host: $host
      http:
        paths: [{path: /, pathType: Prefix, backend: {service: {name: app-web, port: {name: http}}}}]
YAML
} | kube apply --filename - >/dev/null
for app in api web; do
  kube rollout status "deploy/app-$app" --timeout=180s >/dev/null
done
for path in / /vew /view /bucket; do
  # shellcheck disable=SC2086 # a command and its arguments
  wait_for 60 "$path answers" $client curl --silent --fail --output /dev/null --max-time 5 \
    --header "Host: $host" "http://$ip$path"
done
say "done"
