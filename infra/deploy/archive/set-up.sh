#!/usr/bin/env bash
# Makes the archive of one trading mode: a dataset, its table and view, and the subscription that writes every event there.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: PROJECT_ID=my-project TRADING_MODE=paper BIGQUERY_LOCATION=europe-west1 set-up.sh [--dry-run]

Makes what is not there yet: the dataset ib_trading_{mode}, its table messages, its view events, the right of Pub/Sub's
service agent to write there, and the subscription {mode}-events-archive of the topic {mode}-events.
--dry-run: prints the commands that a project which has none of it yet would get, and runs nothing.
TEXT
}

dry_run=no
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=yes ;;
    --help | -h) usage && exit 0 ;;
    *) echo "set-up.sh: $argument is not known (--help says what is)" >&2 && exit 2 ;;
  esac
done
for name in PROJECT_ID TRADING_MODE BIGQUERY_LOCATION; do
  if [ -z "${!name:-}" ]; then
    echo "set-up.sh: $name is not set (--help says what it is)" >&2
    exit 2
  fi
done
case $TRADING_MODE in
  paper | live) ;;
  *) echo "set-up.sh: TRADING_MODE must be paper or live, got $TRADING_MODE" >&2 && exit 2 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
dataset=ib_trading_$TRADING_MODE
subscription=$TRADING_MODE-events-archive

# Shows a command as it may be pasted, and runs it unless that is all.
run() {
  printf '%q ' "$@" && echo
  if [ "$dry_run" = no ]; then "$@"; fi
}
# Whether something is there already; in a dry run nothing is.
there() { [ "$dry_run" = no ] && "$@" >/dev/null 2>&1; }

run gcloud services enable bigquery.googleapis.com --project="$PROJECT_ID"
there bq --project_id="$PROJECT_ID" show "$dataset" ||
  run bq --project_id="$PROJECT_ID" --location="$BIGQUERY_LOCATION" mk --dataset "$dataset"
there bq --project_id="$PROJECT_ID" show "$dataset.messages" ||
  run bq --project_id="$PROJECT_ID" mk --table --time_partitioning_type=MONTH --time_partitioning_field=publish_time \
    "$dataset.messages" "$here/messages.schema.json"
view=$(sed "s/\${DATASET}/$dataset/" "$here/events.view.sql")
there bq --project_id="$PROJECT_ID" show "$dataset.events" ||
  run bq --project_id="$PROJECT_ID" mk --use_legacy_sql=false --view="$view" "$dataset.events"

number=PROJECT_NUMBER
if [ "$dry_run" = no ]; then number=$(gcloud projects describe "$PROJECT_ID" --format='value(projectNumber)'); fi
agent=serviceAccount:service-$number@gcp-sa-pubsub.iam.gserviceaccount.com
run bq --project_id="$PROJECT_ID" add-iam-policy-binding --member="$agent" --role=roles/bigquery.dataEditor "$dataset.messages"
there gcloud pubsub subscriptions describe "$subscription" --project="$PROJECT_ID" ||
  run gcloud pubsub subscriptions create "$subscription" --project="$PROJECT_ID" --topic="$TRADING_MODE-events" \
    --bigquery-table="$PROJECT_ID:$dataset.messages" --write-metadata \
    --expiration-period=never --message-retention-duration=7d
