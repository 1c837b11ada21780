#!/usr/bin/env bash
# Finds, installs or builds the real programs that the tests run, once, and links them into one folder.
#
#   tests/tools/install.sh          prepare everything; the last line printed is the folder
#   tests/tools/install.sh --pods   also what a node with Pods runs: kubelet, kube-scheduler, containerd, runc, CNI plugins (root)
#
# Order for each program: KUBEBUILDER_ASSETS, then PATH (when the version fits), then the cache, then a build
# with Go at a pinned version or a Debian package. The cache lies outside of the repository:
# $CHART_PUBLISHER_CACHE, else $XDG_CACHE_HOME/chart-publisher, else ~/.cache/chart-publisher.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
pods=""
for argument in "$@"; do
  case $argument in
    --pods) pods=yes ;;
    *) printf 'tools: unknown argument `%s`; there is --pods\n' "$argument" >&2; exit 2 ;;
  esac
done
# CHART_PUBLISHER_TOOLS=quickstart leaves out what only tests use.
for_tests() { [ "${CHART_PUBLISHER_TOOLS:-all}" != quickstart ]; }
cache=${CHART_PUBLISHER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/chart-publisher}

# The dependency bot reads the comments.
# renovate: datasource=github-releases depName=kubernetes/kubernetes
KUBERNETES=v1.34.4
# renovate: datasource=go depName=helm.sh/helm/v4
HELM4=v4.3.1
# renovate: datasource=go depName=helm.sh/helm/v3
HELM3=v3.22.0
# renovate: datasource=go depName=github.com/distribution/distribution/v3
DISTRIBUTION3=v3.1.2
# renovate: datasource=go depName=github.com/google/go-containerregistry
CRANE=v0.22.1
# renovate: datasource=go depName=oras.land/oras
ORAS=v1.3.6
# renovate: datasource=go depName=github.com/regclient/regclient
REGCTL=v0.11.7

bin=$cache/bin
mkdir -p "$bin" "$cache/build"
exec 9>"$cache/lock"
flock 9

say() { printf 'tools: %s\n' "$*" >&2; }

# link NAME FILE: what the tests will start under this name.
link() { [ -n "$2" ] || exit 1; [ "$(readlink "$bin/$1" 2>/dev/null)" = "$2" ] || { ln -sfn "$2" "$bin/$1"; say "$1 is $2"; }; }

# on_path NAME PATTERN ARGS...: the program on PATH, when what it prints of its version fits. What was linked before is none of those.
on_path() {
  local name=$1 pattern=$2 found; shift 2
  found=$(type -aP "$name" | grep -vxF "$bin/$name" | head -1) || return 1
  "$found" "$@" 2>&1 | head -20 | grep -qE "$pattern" || return 1
  printf '%s' "$found"
}

# go_program NAME VERSION PACKAGE [LDFLAGS]: builds once, by version.
go_program() {
  local name=$1 version=$2 package=$3 ldflags=${4:-} dir=$cache/build/$1-$2
  if [ ! -x "$dir/$name" ]; then
    say "building $name $version (Go; half a minute to five minutes on two cores)"
    rm -rf "$dir.part"; mkdir -p "$dir.part"
    GOBIN=$dir.part CGO_ENABLED=0 GOFLAGS= go install -trimpath -ldflags "-s -w $ldflags" "$package@$version" >&2
    local built; built=$(find "$dir.part" -type f | head -1)
    [ "$built" = "$dir.part/$name" ] || mv "$built" "$dir.part/$name"
    rm -rf "$dir"; mv "$dir.part" "$dir"
  fi
  link "$name" "$dir/$name"
}

# kubernetes_program NAME: from KUBEBUILDER_ASSETS, PATH, or built from the pinned modules.
kubernetes_program() {
  local name=$1 dir=$cache/build/kubernetes-$KUBERNETES found
  if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$name" ]; then link "$name" "$KUBEBUILDER_ASSETS/$name"; return; fi
  if found=$(on_path "$name" 'v1\.(3[4-9]|[4-9][0-9])\.' --version); then link "$name" "$found"; return; fi
  if [ ! -x "$dir/$name" ]; then
    say "building $name $KUBERNETES (Go; kube-apiserver takes five minutes on two cores, the others about one)"
    mkdir -p "$dir"
    local stamp="-X k8s.io/component-base/version.gitVersion=$KUBERNETES -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34"
    (cd "$here/kubernetes" && CGO_ENABLED=0 GOFLAGS= go build -trimpath -ldflags "-s -w $stamp" -o "$dir/$name.part" "k8s.io/kubernetes/cmd/$name" >&2)
    mv "$dir/$name.part" "$dir/$name"
  fi
  link "$name" "$dir/$name"
}

# quietly_installed PACKAGE: installs it without the services that it would start, now and at the next boot.
quietly_installed() {
  local policy=/usr/sbin/policy-rc.d install=(apt-get install -y --no-install-recommends "$1") ours="" service
  if [ ! -e "$policy" ]; then
    ours=yes; printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${install[@]}" >"$cache/apt.log" 2>&1 || { apt-get update && "${install[@]}"; } >"$cache/apt.log" 2>&1 || {
    [ -z "$ours" ] || rm -f "$policy"
    tail -5 "$cache/apt.log" >&2; return 1
  }
  [ -z "$ours" ] || rm -f "$policy"
  [ -d /run/systemd/system ] || return 0
  for service in $(dpkg -L "$1" | sed -n 's|.*/systemd/system/\([^/@]*\.service\)$|\1|p'); do
    systemctl disable --quiet "$service" >&2 || true
  done
}

# debian NAME PACKAGE: a program of a Debian package; installed as root, unpacked into the cache without.
debian() {
  local name=$1 package=$2 found dir=$cache/build/debian-$2
  for found in "/usr/sbin/$name" "/usr/bin/$name" "$(command -v "$name" 2>/dev/null || true)" "$dir/usr/sbin/$name" "$dir/usr/bin/$name"; do
    if [ -n "$found" ] && [ -x "$found" ]; then printf '%s' "$found"; return; fi
  done
  if ! command -v apt-get >/dev/null; then say "\`$name\` is missing: install it (Debian package \`$package\`) or put it on PATH"; return 1; fi
  if [ "$(id -u)" = 0 ]; then
    say "installing the Debian package $package"
    quietly_installed "$package"
  else
    say "unpacking the Debian package $package into the cache (no root)"
    mkdir -p "$dir"
    (cd "$dir" && apt-get download "$package" >"$cache/apt.log" 2>&1 && dpkg -x ./*.deb . && rm -f ./*.deb) || { tail -5 "$cache/apt.log" >&2; return 1; }
  fi
  for found in "/usr/sbin/$name" "/usr/bin/$name" "$dir/usr/sbin/$name" "$dir/usr/bin/$name"; do
    if [ -x "$found" ]; then printf '%s' "$found"; return; fi
  done
  say "the Debian package $package does not hold \`$name\`"; return 1
}

# cni_plugins: the folder of the plugins bridge, host-local and loopback.
cni_plugins() {
  local folder
  for folder in /opt/cni/bin /usr/lib/cni /usr/libexec/cni; do
    if [ -x "$folder/bridge" ] && [ -x "$folder/host-local" ] && [ -x "$folder/loopback" ]; then printf '%s' "$folder"; return; fi
  done
  say "installing the Debian package containernetworking-plugins"
  quietly_installed containernetworking-plugins >&2
  printf '%s' /usr/lib/cni
}

# programs_for_pods: what a node needs to run Pods. Nothing of it runs as a service: each bed starts its own.
programs_for_pods() {
  if [ "$(id -u)" != 0 ]; then say "Pods need root"; exit 1; fi
  kubernetes_program kube-scheduler
  kubernetes_program kubelet
  link runc "$(debian runc runc)"
  link containerd "$(debian containerd containerd)"
  link ctr "$(debian ctr containerd)"
  link cni "$(cni_plugins)"
  # The sandbox of each Pod, and what probes and tests run in containers.
  link busybox "$(debian busybox busybox-static)"
}

kubernetes_program kube-apiserver
kubernetes_program kube-controller-manager
kubernetes_program kube-proxy

if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/etcd" ]; then link etcd "$KUBEBUILDER_ASSETS/etcd"; else link etcd "$(debian etcd etcd-server)"; fi
if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/kubectl" ]; then link kubectl "$KUBEBUILDER_ASSETS/kubectl"
elif found=$(on_path kubectl 'v1\.[0-9]+' version --client); then link kubectl "$found"
else
  dir=$cache/build/kubernetes-$KUBERNETES
  [ -x "$dir/kubectl" ] || { say "building kubectl $KUBERNETES"; mkdir -p "$dir"; (cd "$here/kubernetes" && CGO_ENABLED=0 GOFLAGS= go build -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$KUBERNETES" -o "$dir/kubectl" k8s.io/kubernetes/cmd/kubectl >&2); }
  link kubectl "$dir/kubectl"
fi

if for_tests; then link registry2 "$(debian docker-registry docker-registry)"; fi
go_program registry3 $DISTRIBUTION3 github.com/distribution/distribution/v3/cmd/registry "-X github.com/distribution/distribution/v3/version.version=$DISTRIBUTION3"
if found=$(on_path helm 'v4\.' version --short); then link helm "$found"; else go_program helm $HELM4 helm.sh/helm/v4/cmd/helm; fi
if for_tests; then
  go_program helm3 $HELM3 helm.sh/helm/v3/cmd/helm
  if found=$(on_path crane '^v?0\.(2[0-9])' version); then link crane "$found"; else go_program crane $CRANE github.com/google/go-containerregistry/cmd/crane; fi
  if found=$(on_path oras '1\.[3-9]' version); then link oras "$found"; else go_program oras $ORAS oras.land/oras/cmd/oras; fi
  go_program regctl $REGCTL github.com/regclient/regclient/cmd/regctl
  go_program regsync $REGCTL github.com/regclient/regclient/cmd/regsync

  link skopeo "$(debian skopeo skopeo)"
  link haproxy "$(debian haproxy haproxy)"
  link tinyproxy "$(debian tinyproxy tinyproxy-bin)"
  link openssl "$(debian openssl openssl)"
  link tcpdump "$(debian tcpdump tcpdump)"
  link gpg "$(debian gpg gpg)"
  link gpg-agent "$(debian gpg-agent gpg-agent)"
  link gpgconf "$(debian gpgconf gpgconf)"
fi
link nginx "$(debian nginx nginx-light)"
if [ "$(id -u)" = 0 ]; then
  link ip "$(debian ip iproute2)"
  link nft "$(debian nft nftables)"
  link conntrack "$(debian conntrack conntrack)"
fi
if [ -n "$pods" ]; then programs_for_pods; fi
printf '%s\n' "$bin"
