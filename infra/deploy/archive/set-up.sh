#!/usr/bin/env bash
# Makes the archive of one trading mode: a dataset, its table and view, and the subscription that writes every event there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../cloud/begin.sh
. "$here/../cloud/begin.sh"

usage() {
  cat <<'TEXT'
Usage: set-up.sh [--dry-run] [--vars FILE]

Makes what is not there yet: the dataset ib_trading_{mode}, its table messages, its view events, the right of Pub/Sub's
service agent to write there, and the subscription {mode}-events-archive of the topic {mode}-events.

  --dry-run      print every command, run none
  --vars FILE    the variables (infra/deploy/deployment_vars.sh): PROJECT_ID, TRADING_MODE, BIGQUERY_LOCATION
TEXT
}

hint() { echo 'read what is said above; the topic is there after the step topics of ../cloud/set-up.sh. Then run it again: what is there stays'; }

common_arguments "$@"
read_variables
need PROJECT_ID BIGQUERY_LOCATION
STEP='archive'
dataset=ib_trading_$TRADING_MODE
subscription=$TRADING_MODE-events-archive
bq=(bq "--project_id=$PROJECT_ID")

run gcloud services enable bigquery.googleapis.com "--project=$PROJECT_ID"
ensure "${bq[@]}" show "$dataset" -- "${bq[@]}" "--location=$BIGQUERY_LOCATION" mk --dataset "$dataset"
ensure "${bq[@]}" show "$dataset.messages" -- \
  "${bq[@]}" mk --table --time_partitioning_type=MONTH --time_partitioning_field=publish_time "$dataset.messages" "$here/messages.schema.json"
view=$(sed "s/\${DATASET}/$dataset/" "$here/events.view.sql")
ensure "${bq[@]}" show "$dataset.events" -- "${bq[@]}" mk --use_legacy_sql=false "--view=$view" "$dataset.events"

learn PROJECT_NUMBER gcloud projects describe "$PROJECT_ID" '--format=value(projectNumber)'
agent="serviceAccount:service-$PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com"
run "${bq[@]}" add-iam-policy-binding "--member=$agent" --role=roles/bigquery.dataEditor "$dataset.messages"
ensure gcloud pubsub subscriptions describe "$subscription" "--project=$PROJECT_ID" -- \
  gcloud pubsub subscriptions create "$subscription" "--project=$PROJECT_ID" "--topic=$TRADING_MODE-events" \
  "--bigquery-table=$PROJECT_ID:$dataset.messages" --write-metadata --expiration-period=never --message-retention-duration=7d
if [ "$DRY_RUN" = no ]; then say "done: every event from now on is in $dataset"; fi
