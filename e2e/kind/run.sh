#!/usr/bin/env bash
# The end-to-end tests against the image in a kind cluster, as a user would install it.
# Tests of what cannot be done to a gateway in containers are skipped; the last line says
# which.
#
#   RUN=TestIngress  only the tests that match
#   KEEP=1           leave the cluster for a look at it; `kind delete cluster` ends it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly name=kube-sync-e2e image=kong-kube-sync:dev
# With a tag, which the tests' pods name too: what has none is pulled anew each time.
readonly echo_image=kube-sync/echo:dev
# Through Go, so that its version is that of this file and nothing has to be installed.
readonly kind=(go run sigs.k8s.io/kind@v0.33.0)

die() { echo "e2e-kind: $*" >&2; exit 1; }
docker info >/dev/null 2>&1 || die "no Docker engine answers; make test needs none and tests the same against local processes"
command -v kubectl >/dev/null || die "there is no kubectl on PATH"

scratch=$(mktemp -d)
export KUBECONFIG=$scratch/kubeconfig # not the user's

finish() {
  local code=$?
  if ((code != 0)) && [[ -s $KUBECONFIG ]]; then
    kubectl get pods --all-namespaces --output wide || true
    kubectl --namespace kong describe pods || true
    kubectl --namespace kong logs --selector app.kubernetes.io/name=kong --prefix --tail 200 || true
  fi
  if [[ -n ${KEEP:-} ]]; then
    echo "the cluster $name is left running: export KUBECONFIG=$KUBECONFIG"
  else
    "${kind[@]}" delete cluster --name "$name" || true
    rm -rf "$scratch"
  fi
  exit "$code"
}
trap finish EXIT

docker build --file docker/Dockerfile --tag "$image" .
mkdir "$scratch/echo"
CGO_ENABLED=0 GOOS=linux go build -o "$scratch/echo/echo" ./e2e/echo
docker build --file e2e/echo/Dockerfile --tag "$echo_image" "$scratch/echo"
"${kind[@]}" create cluster --name "$name" --config e2e/kind/cluster.yaml --wait 2m
"${kind[@]}" load docker-image "$image" "$echo_image" --name "$name"

kubectl apply --filename kong-conf/install.yaml
kubectl apply --kustomize kong-conf/manifests/gatewayservices
kubectl --namespace kong patch service kong-proxy --type json --patch '[
  {"op": "add", "path": "/spec/ports/0/nodePort", "value": 30080},
  {"op": "add", "path": "/spec/ports/1/nodePort", "value": 30443}]'
# Ready means configured, for each pod.
kubectl --namespace kong rollout status deployment/kong --timeout 5m

code=0
KUBE_SYNC_E2E_TARGET=kind KUBE_SYNC_E2E_HTTP=127.0.0.1:38080 KUBE_SYNC_E2E_HTTPS=127.0.0.1:38443 \
  KUBE_SYNC_E2E_SUMMARY=$scratch/summary \
  go test -count 1 -timeout 30m -run "${RUN:-.}" ./e2e || code=$?
go run ./e2e/pod/summary "$scratch/summary"
exit "$code"
