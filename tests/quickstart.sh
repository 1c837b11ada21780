#!/usr/bin/env bash
# Shows the whole way once: a registry behind a NodePort, a Helm repository, the controller with the rights of its own chart, a
# ChartPublication that becomes Ready, and helm that pulls what was published.
#
#   tests/quickstart.sh                              in a cluster of its own (tests/bed), gone afterwards
#   QUICKSTART_CLUSTER=current tests/quickstart.sh   in the cluster of the current kubeconfig, namespace chart-publisher-quickstart
#
# In a cluster of its own there is no kubelet, so what would be Pods are processes with a Pod's view of the network. In the
# current cluster the registry is a Pod (QUICKSTART_IMAGE, default registry:3), and controller and Helm repository run here, so
# the NodePorts must be reachable from here.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
where=${QUICKSTART_CLUSTER:-bed}
# The programs that only tests need are not built for this.
export CHART_PUBLISHER_TOOLS=quickstart
if [ "$where" = bed ] && [ -z "${CHART_PUBLISHER_BED:-}" ]; then
  exec tests/tools/with-bed.sh "$0"
fi

begin=$SECONDS
tools=$(tests/tools/install.sh)
export PATH=$tools:$PATH
work=$(mktemp -d "${CHART_PUBLISHER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/chart-publisher}/quickstart-XXXXXX")
children=()
namespace=chart-publisher-quickstart
title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '$ %s\n' "$*" >&2; "$@"; }
show_in_pod() { printf '$ %s\n' "$*" >&2; in_pod "$@"; }

end() {
  local status=$?
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait "${children[@]}" 2>/dev/null || true
  if [ "$where" = current ]; then
    helm uninstall chart-publisher --namespace "$namespace" >/dev/null 2>&1 || true
    [ -n "${had_crds-kept}" ] || kubectl delete -f crds --wait=false >/dev/null 2>&1 || true
    kubectl delete namespace "$namespace" --wait=false >/dev/null 2>&1 || true
  fi
  if [ "$status" != 0 ] && [ -s "$work/controller.log" ]; then
    title "The controller's last words"
    tail -20 "$work/controller.log"
  fi
  rm -rf "$work"
  exit "$status"
}
trap end EXIT
trap 'exit 130' INT TERM

# background NAME COMMAND...: a process that ends with this script; its output goes to NAME.log.
background() {
  local name=$1; shift
  setpriv --pdeathsig KILL -- "$@" >"$work/$name.log" 2>&1 &
  children+=("$!")
}

if [ "$where" = current ]; then
  title "Building the controller"
  cargo build --quiet
fi
program=${CARGO_TARGET_DIR:-$root/target}/debug/chart-publisher

if [ "$where" = bed ]; then
  field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$CHART_PUBLISHER_BED"; }
  node=$(field node) pod=$(field pod)
  KUBECONFIG=$(field kubeconfig) inner=$(field innerKubeconfig)
  export KUBECONFIG
  if [ -z "$node" ]; then
    echo "quickstart: a registry behind a NodePort needs nodes, and only root can make them here: run it as root, or set QUICKSTART_CLUSTER=current" >&2
    exit 1
  fi
  on_node() { ip netns exec "$node" "$@"; }
  in_pod() { ip netns exec "$pod" "$@"; }
  charts_address=10.90.0.20:80 registry_address=10.90.0.21
  # Where a registry Pod would have its address from the cluster, and the Helm repository one of the office next door.
  ip -n "$node" address add 10.90.0.20/32 dev bridge 2>/dev/null || true
  ip -n "$node" address add 10.90.0.21/32 dev bridge 2>/dev/null || true
  grep -q charts.example.com "/etc/netns/$pod/hosts" || echo "10.90.0.20 charts.example.com" >>"/etc/netns/$pod/hosts"
  repository_url=http://charts.example.com
else
  on_node() { "$@"; }
  in_pod() { "$@"; }
  inner=$work/kubeconfig
  kubectl config view --raw --minify --flatten >"$inner"
  charts_address=127.0.0.1:18080
  repository_url=http://127.0.0.1:18080
fi

title "A Helm repository with charts that helm packaged"
mkdir -p "$work/charts" "$work/sources"
(
  cd "$work/sources"
  export HELM_CACHE_HOME=$work/helm-cache HELM_CONFIG_HOME=$work/helm-config
  for chart in small umbrella large; do helm create "$chart" >/dev/null; done
  printf 'dependencies:\n- name: small\n  version: ">=0.0.0"\n  repository: file://../small\n' >>umbrella/Chart.yaml
  mkdir large/files
  for part in first second; do head -c 3000000 /dev/urandom >"large/files/$part.bin"; done
  helm package small --version 1.2.3+4 --destination "$work/charts" >/dev/null
  helm package umbrella --version 2.0.0 --dependency-update --destination "$work/charts" >/dev/null
  helm package large --version 3.0.0 --destination "$work/charts" >/dev/null
  helm repo index "$work/charts"
)
user=""; [ "$(id -u)" != 0 ] || user="user root;"
mkdir -p "$work/nginx"
cat >"$work/nginx/nginx.conf" <<CONFIG
$user daemon off; master_process off; pid nginx.pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
  server { listen $charts_address; root $work/charts; }
}
CONFIG
if [ "$where" = bed ]; then
  background repository ip netns exec "$node" nginx -p "$work/nginx" -c nginx.conf -e stderr
else
  background repository nginx -p "$work/nginx" -c nginx.conf -e stderr
fi
ls -l "$work/charts" | awk 'NR > 1 { printf "  %9d  %s\n", $5, $9 }'

title "The controller's rights: its Helm chart, in $namespace"
# The CRDs stay out of this release, which goes at the end: a release that comes later may own them.
had_crds=$(kubectl get crd chartpublications.chartpublisher.io --ignore-not-found -o name)
kubectl apply --server-side --force-conflicts -f crds >/dev/null
show helm install chart-publisher charts/chart-publisher --namespace "$namespace" --create-namespace \
  --set watchNamespaces="{$namespace}" --set crds.install=false >/dev/null
# The controller runs below, as a process of its own.
kubectl scale --namespace "$namespace" deployment/chart-publisher --replicas=0 >/dev/null
kubectl wait --for=condition=Established crd/chartpublications.chartpublisher.io --timeout=30s >/dev/null

title "A registry behind a NodePort"
if [ "$where" = bed ]; then
  cat >"$work/registry.yml" <<CONFIG
version: 0.1
storage: {filesystem: {rootdirectory: $work/storage}, delete: {enabled: true}}
http: {addr: "$registry_address:5000", secret: quickstart}
CONFIG
  background registry ip netns exec "$node" env OTEL_TRACES_EXPORTER=none registry3 serve "$work/registry.yml"
  kubectl apply --namespace "$namespace" -f - <<OBJECTS
apiVersion: v1
kind: Service
metadata: {name: registry}
spec: {type: NodePort, ports: [{name: http, port: 5000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: registry-1, labels: {kubernetes.io/service-name: registry}}
addressType: IPv4
endpoints: [{addresses: [$registry_address], conditions: {ready: true}, nodeName: node-1}]
ports: [{name: http, port: 5000}]
OBJECTS
else
  kubectl apply --namespace "$namespace" -f - <<OBJECTS
apiVersion: v1
kind: Service
metadata: {name: registry}
spec: {type: NodePort, selector: {app: registry}, ports: [{name: http, port: 5000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: registry}
spec:
  selector: {matchLabels: {app: registry}}
  template:
    metadata: {labels: {app: registry}}
    spec: {containers: [{name: registry, image: "${QUICKSTART_IMAGE:-registry:3}", ports: [{containerPort: 5000}]}]}
OBJECTS
  kubectl rollout status --namespace "$namespace" deployment/registry --timeout=120s
fi

title "The controller"
token=$(kubectl create token chart-publisher --namespace "$namespace")
kubectl --kubeconfig "$inner" config view --raw --minify --flatten >"$work/controller.kubeconfig"
kubectl --kubeconfig "$work/controller.kubeconfig" config set-credentials controller --token="$token" >/dev/null
kubectl --kubeconfig "$work/controller.kubeconfig" config set-context --current --user=controller >/dev/null
arguments=(run --kubeconfig "$work/controller.kubeconfig" --namespace "$namespace" --spool-dir "$work/spool" --health-address 127.0.0.1:18081 --log-format text)
mkdir -p "$work/spool"
if [ "$where" = bed ]; then
  background controller ip netns exec "$pod" "$program" "${arguments[@]}"
else
  background controller "$program" "${arguments[@]}" --allow-address 127.0.0.0/8
fi

title "A ChartPublication"
sed "s|http://charts.example.com|$repository_url|" deploy/samples/quickstart.yaml >"$work/publication.yaml"
cat "$work/publication.yaml"
echo
show kubectl apply --namespace "$namespace" -f "$work/publication.yaml"
show kubectl wait --namespace "$namespace" --for=condition=Ready chartpub/quickstart --timeout=60s
show kubectl get --namespace "$namespace" chartpub
show kubectl get --namespace "$namespace" chartpub quickstart -o yaml | sed -n '/^status:/,$p'

title "Pulled by helm"
address=$(kubectl get --namespace "$namespace" chartpub quickstart -o 'jsonpath={.status.targets[0].pull}')
echo "status.targets[0].pull is $address"
mkdir -p "$work/pulled"
export HELM_CACHE_HOME=$work/helm-cache HELM_CONFIG_HOME=$work/helm-config
for chart in small:1.2.3+4 umbrella:2.0.0 large:3.0.0; do
  show_in_pod helm pull "$address/${chart%%:*}" --version "${chart##*:}" --plain-http --destination "$work/pulled"
done
for archive in "$work"/charts/*.tgz; do cmp "$archive" "$work/pulled/$(basename "$archive")"; done
echo "The bytes are those of the source."
show_in_pod helm template demo "$address/umbrella" --version 2.0.0 --plain-http | sed -n '1,12p'
title "Done after $((SECONDS - begin)) s"
