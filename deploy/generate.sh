#!/usr/bin/env bash
# Generates what is committed and not written by hand.
#
#   deploy/generate.sh PROGRAM HELM [DIRECTORY]
#
# PROGRAM is the built `chart-publisher`, HELM is helm 3.14 or newer. Writes, below DIRECTORY (the repository, unless another
# one is named, as the test does that compares):
#   crds/*.yaml                                  what `PROGRAM crd` prints, one file for each kind
#   charts/chart-publisher/files/crds/*.yaml     the same files
#   deploy/chart-publisher.yaml                  the Helm chart, rendered with its defaults, for those who do not use Helm
set -euo pipefail
program=$1 helm=$2
root=$(cd "$(dirname "$0")/.." && pwd)
out=${3:-$root}
chart=$out/charts/chart-publisher
namespace=chart-publisher

mkdir -p "$out/crds" "$out/deploy"
if [ "$out" != "$root" ]; then
  mkdir -p "$out/charts"
  cp -r "$root/charts/chart-publisher" "$chart"
fi

rm -f "$out"/crds/*.yaml "$chart"/files/crds/*.yaml
mkdir -p "$chart/files/crds"
# `plural: NAME` stands once in each document and names its file.
"$program" crd | awk -v out="$out/crds" '
  function flush() { if (text != "") { if (name == "") exit 1; printf "%s", text > (out "/" name ".yaml") } text = ""; name = "" }
  /^---/ { flush(); next }
  { text = text $0 "\n" }
  $1 == "plural:" { name = $2 }
  END { flush() }
'
cp "$out"/crds/*.yaml "$chart/files/crds/"

{
  printf '# Rendered from charts/chart-publisher by `make generate`: change that, not this.\n'
  printf '# Set the image before you apply it; the Helm chart does it by `image.repository`.\n'
  printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n' "$namespace"
  # No Helm manages what is applied by kubectl.
  "$helm" template chart-publisher "$chart" --namespace "$namespace" |
    sed -e '/^ *helm\.sh\/chart: /d' -e '/^ *app\.kubernetes\.io\/managed-by: Helm$/d' -e '/^# Source: /d'
} >"$out/deploy/chart-publisher.yaml.part"
mv "$out/deploy/chart-publisher.yaml.part" "$out/deploy/chart-publisher.yaml"
