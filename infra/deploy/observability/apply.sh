#!/usr/bin/env bash
# Makes or updates the metrics, the alert policies and the dashboard of this folder in a project. Run it as often as you like.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: PROJECT_ID=my-project [ALERT_CHANNEL=projects/my-project/notificationChannels/123] apply.sh [--dry-run]

Makes or updates, from the files beside this script, the log-based metrics, the alert policies and the dashboard.
ALERT_CHANNEL: who is told of an incident. Without it incidents open, and nobody is told.
--dry-run: prints the commands that a project which has none of it yet would get, and runs nothing.
A policy names metrics: Cloud Monitoring may take ten minutes to know a new one. Where it says it does not, run this again.
TEXT
}

dry_run=no
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=yes ;;
    --help | -h) usage && exit 0 ;;
    *) echo "apply.sh: $argument is not known (--help says what is)" >&2 && exit 2 ;;
  esac
done
if [ -z "${PROJECT_ID:-}" ]; then
  echo 'apply.sh: PROJECT_ID is not set: the project to watch' >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)

# Shows a command as it may be pasted, and runs it unless that is all.
run() {
  printf '%q ' "$@" && echo
  if [ "$dry_run" = no ]; then "$@"; fi
}
# What is there; nothing in a dry run.
ask() {
  if [ "$dry_run" = no ]; then "$@"; fi
}

known=$(ask gcloud logging metrics list --project="$PROJECT_ID" --format='value(name)')
for file in "$here"/metrics/*.yaml; do
  name=$(basename "$file" .yaml)
  verb=create
  if grep -qx "$name" <<<"$known"; then verb=update; fi
  run gcloud logging metrics "$verb" "$name" --project="$PROJECT_ID" --config-from-file="$file"
done

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
