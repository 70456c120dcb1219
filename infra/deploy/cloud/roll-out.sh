#!/usr/bin/env bash
# Exchanges API and engine on Cloud Run for new images: the old engine ends, its lease is free, the new one begins and is looked at.
# Whatever fails on the way brings back what ran before.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=running.sh
. "$here/running.sh"
# shellcheck source=names.sh
. "$here/names.sh"

usage() {
  cat <<TEXT
Usage: APPLICATION_IMAGE=…@sha256:… [BASE_IMAGE=…@sha256:…] roll-out.sh [--dry-run]

Reads the variables of infra/deploy/deployment_vars.sh from the environment; images are named by their digest.

  LEASE_SECONDS    how long the old engine may take to end (90)
  READY_SECONDS    how long the new one may take until /ready says so (420)
  SMOKE_TEST       ready: every part; engine: all but the gateway, for days on which IB is away (ready)
TEXT
}

case "${1:-}" in
  --help | -h) usage && exit 0 ;;
  --dry-run) DRY_RUN=yes ;;
  '') ;;
  *) stop "\"$1\" is no argument; --help shows what is" ;;
esac

need PROJECT_ID GCP_REGION TRADING_MODE GATEWAY FIRESTORE_DATABASE SECRET_NAME REPO_NAME USER_EMAIL_ACCOUNT APPLICATION_IMAGE
IB_ACCOUNT=${IB_ACCOUNT:-} BASE_IMAGE=${BASE_IMAGE:-}
ALERT_WEBHOOK=${ALERT_WEBHOOK:-no} ALERT_MAIL_TO=${ALERT_MAIL_TO:-} ALERT_MAIL_FROM=${ALERT_MAIL_FROM:-}
if [ "$GATEWAY" = gateway ]; then need BASE_IMAGE; fi
for name in APPLICATION_IMAGE BASE_IMAGE; do by_digest "$name"; done
SMOKE_TEST=${SMOKE_TEST:-ready}
one_of SMOKE_TEST ready engine
one_of GATEWAY gateway simulator
derive_names
# shellcheck disable=SC2034 # they stand in the manifests
ENGINE_EMAIL=$(email_of "$ENGINE_ACCOUNT") API_EMAIL=$(email_of "$API_ACCOUNT")

place=("--region=$GCP_REGION" "--project=$PROJECT_ID")
# The manifest says the region of a worker pool by itself, and its command takes none.
pools=(gcloud beta run worker-pools)
services=(gcloud run services)

workplace=$(mktemp -d)
changed=nothing # then the api, then the engine too

hint() {
  if [ "$changed" = nothing ]; then
    echo 'nothing was changed; what gcloud says above is the reason'
  else
    echo 'what ran before is brought back now, where there was something; what is said above is the reason'
  fi
}

# ── The state of the engine, as the API tells it ──

address=''
ready_answer() {
  local token
  if [ -z "$address" ]; then
    address=$("${services[@]}" describe "$CLOUD_RUN_SERVICE_NAME" "${place[@]}" '--format=value(status.url)') || return 1
  fi
  # A person's gcloud takes no audience; a service account's needs one. What gcloud says is shown when it all fails in the end.
  token=$(gcloud auth print-identity-token "--audiences=$CLOUD_RUN_SERVICE_NAME" || gcloud auth print-identity-token) || return 1
  # Its paths that end in z Cloud Run keeps to itself, so not /readyz. The header comes in on standard input: nobody sees it in a list of processes.
  printf 'X-Serverless-Authorization: Bearer %s\n' "$token" | curl --silent --show-error --max-time 15 --header @- "$address/ready"
}

# parts_are NAME=yes…, or NAME='a reason': what the parts of the answer say of themselves. A part that is not well wants its reason: that
# nobody could look whether there is a lease in time is not that there is none.
parts_are() {
  ready_answer | python3 -c '
import json, sys
text = sys.stdin.read()
try:
    parts = json.loads(text)["parts"]
except (ValueError, KeyError, TypeError):
    sys.exit("the API did not answer as it should: " + (text.strip()[:300] or "nothing came"))
wanted = dict(word.split("=") for word in sys.argv[1:])
as_wanted = lambda part, want: part["ok"] if want == "yes" else not part["ok"] and part["reason"] == want
wrong = [name + ": " + parts[name]["reason"] for name, want in wanted.items() if not as_wanted(parts[name], want)]
sys.exit("; ".join(wrong) or 0)
' "$@"
}

# within SECONDS COMMAND…: until it says yes.
within() {
  local until=$((SECONDS + $1)) said=''
  shift
  until said=$("$@" 2>&1); do
    if [ "$SECONDS" -ge "$until" ]; then
      say "$said"
      return 1
    fi
    sleep "${LOOK_EVERY:-5}"
  done
}

lease_is_free() {
  if [ "$DRY_RUN" = yes ]; then
    echo '# waits until no engine holds the lease, as /ready tells'
    return
  fi
  within "${LEASE_SECONDS:-90}" parts_are store=yes 'engine=no engine holds the lease'
}

new_engine_is_ready() {
  if [ "$DRY_RUN" = yes ]; then
    echo "# waits until /ready says yes to what is asked ($SMOKE_TEST)"
    return
  fi
  local parts=(store=yes bus=yes engine=yes projections=yes relay=yes)
  if [ "$SMOKE_TEST" = ready ]; then parts+=(gateway=yes); fi
  within "${READY_SECONDS:-420}" parts_are "${parts[@]}"
}

# ── Back ──

# Each command for itself: what one cannot do must not keep the next from being tried.
bring_back() {
  local wrong=no
  say '── roll back'
  if [ "$changed" = engine ] && "${pools[@]}" describe "$ENGINE_POOL" "${place[@]}" >/dev/null 2>&1; then
    "${pools[@]}" update "$ENGINE_POOL" --scaling=0 "${place[@]}" >&2 || wrong=yes
  fi
  if [ -s "$workplace/api.before.yaml" ]; then
    "${services[@]}" replace "$workplace/api.before.yaml" "${place[@]}" >&2 || wrong=yes
  fi
  if [ "$changed" = engine ] && [ -s "$workplace/engine.before.yaml" ]; then
    lease_is_free || say 'the lease is not free yet; the engine that begins now waits for it'
    "${pools[@]}" replace "$workplace/engine.before.yaml" "--project=$PROJECT_ID" >&2 || wrong=yes
  fi
  if [ "$wrong" = no ] && [ -s "$workplace/engine.before.yaml" ]; then say 'what ran before runs again'; fi
  if [ "$wrong" = no ] && [ ! -s "$workplace/engine.before.yaml" ]; then say 'no engine ran before, and none runs now'; fi
  if [ "$wrong" = yes ]; then say "$SCRIPT: not everything could be brought back: look at $ENGINE_POOL and $CLOUD_RUN_SERVICE_NAME now"; fi
}

at_the_end() {
  local code=$?
  trap - EXIT
  if [ "$code" -ne 0 ] && [ "$changed" != nothing ]; then bring_back; fi
  rm -rf "$workplace"
  exit "$code"
}
trap at_the_end EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# ── There ──

# keep FILE DESCRIBE…: what runs now, to be brought back; an empty file where nothing does. Who cannot look changes nothing. Its namespace
# is the number of the project, which gcloud would ask for again, with a permission of its own.
keep() {
  local file=$1
  shift
  if [ "$DRY_RUN" = yes ]; then
    echo "# keeps what runs now: $(quoted "$@" --format=export)"
    return
  fi
  : >"$file"
  if is_there "$@"; then
    "$@" --format=export >"$file.asked" || failed "$(quoted "$@" --format=export)"
    grep -v '^  namespace: ' "$file.asked" >"$file"
  fi
}

STEP='what runs now'
keep "$workplace/engine.before.yaml" "${pools[@]}" describe "$ENGINE_POOL" "${place[@]}"
keep "$workplace/api.before.yaml" "${services[@]}" describe "$CLOUD_RUN_SERVICE_NAME" "${place[@]}"
render "$here/engine-with-$GATEWAY.yaml" >"$workplace/engine.yaml"
render "$here/api.yaml" >"$workplace/api.yaml"

STEP='api'
if [ "$DRY_RUN" = no ]; then changed=api; fi
run "${services[@]}" replace "$workplace/api.yaml" "${place[@]}"

STEP='engine'
if [ "$DRY_RUN" = no ]; then changed=engine; fi
if [ "$DRY_RUN" = yes ] || [ -s "$workplace/engine.before.yaml" ]; then
  run "${pools[@]}" update "$ENGINE_POOL" --scaling=0 "${place[@]}"
fi
lease_is_free || failed 'waiting for the lease: an engine still holds it'
run "${pools[@]}" replace "$workplace/engine.yaml" "--project=$PROJECT_ID"

STEP='smoke test'
new_engine_is_ready || failed 'asking /ready: the new engine is not ready'
changed=nothing
say 'rolled out'
