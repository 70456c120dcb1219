#!/usr/bin/env bash
# Makes or updates the metrics, the alert policies and the dashboard of this folder in a project. Run it as often as you like.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../cloud/begin.sh
. "$here/../cloud/begin.sh"

usage() {
  cat <<'TEXT'
Usage: [ALERT_CHANNEL=projects/my-project/notificationChannels/123] apply.sh [--dry-run] [--vars FILE]

Makes or updates, from the files beside this script, the log-based metrics, the alert policies and the dashboard.
ALERT_CHANNEL: who is told of an incident. Without it incidents open, and nobody is told.

  --dry-run      print the commands that a project which has none of it yet would get, and run nothing
  --vars FILE    the variables (infra/deploy/deployment_vars.sh), of which PROJECT_ID is needed

A policy names metrics: Cloud Monitoring may take ten minutes to know a new one. Where it says it does not, run this again.
TEXT
}

hint() { echo 'read what gcloud says above, then run it again; ten minutes later, if it does not know a metric yet'; }

common_arguments "$@"
read_variables
need PROJECT_ID
# What is there; nothing in a dry run.
ask() { [ "$DRY_RUN" = yes ] || "$@" || failed "$(quoted "$@")"; }

STEP='metrics'
known=$(ask gcloud logging metrics list --project="$PROJECT_ID" --format='value(name)')
for file in "$here"/metrics/*.yaml; do
  name=$(basename "$file" .yaml)
  verb=create
  if grep -qx "$name" <<<"$known"; then verb=update; fi
  run gcloud logging metrics "$verb" "$name" --project="$PROJECT_ID" --config-from-file="$file"
done

STEP='policies'
for file in "$here"/policies/*.yaml; do
  name=$(basename "$file" .yaml)
  policy=$(ask gcloud alpha monitoring policies list --project="$PROJECT_ID" --filter="userLabels.ibt=\"$name\"" --format='value(name)')
  if [ -n "$policy" ]; then
    channel=()
    if [ -n "${ALERT_CHANNEL:-}" ]; then channel=(--set-notification-channels="$ALERT_CHANNEL"); fi
    run gcloud alpha monitoring policies update "$policy" --project="$PROJECT_ID" --policy-from-file="$file" ${channel[@]+"${channel[@]}"}
  else
    channel=()
    if [ -n "${ALERT_CHANNEL:-}" ]; then channel=(--notification-channels="$ALERT_CHANNEL"); fi
    run gcloud alpha monitoring policies create --project="$PROJECT_ID" --policy-from-file="$file" ${channel[@]+"${channel[@]}"}
  fi
done

STEP='dashboard'
dashboard=$(ask gcloud monitoring dashboards list --project="$PROJECT_ID" --filter='displayName="ib-trading"' --format='value(name)')
if [ -n "$dashboard" ]; then
  # An update has to say which state of the dashboard it replaces.
  etag=$(ask gcloud monitoring dashboards describe "$dashboard" --project="$PROJECT_ID" --format='value(etag)')
  changed=$(mktemp)
  trap 'rm -f "$changed"' EXIT
  { cat "$here/dashboard.yaml" && printf 'etag: %s\n' "$etag"; } >"$changed"
  run gcloud monitoring dashboards update "$dashboard" --project="$PROJECT_ID" --config-from-file="$changed"
else
  run gcloud monitoring dashboards create --project="$PROJECT_ID" --config-from-file="$here/dashboard.yaml"
fi
if [ "$DRY_RUN" = no ]; then say "done$([ -n "${ALERT_CHANNEL:-}" ] || echo '; ALERT_CHANNEL is not set: of new policies nobody is told')"; fi
