#!/usr/bin/env bash
# Takes away what set-up.sh made for one trading mode. The journal stays, unless it is named too: it is the only record of every order.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=begin.sh
. "$here/begin.sh"
# shellcheck source=roles.sh
. "$here/roles.sh"

usage() {
  cat <<TEXT
Usage: tear-down.sh [--dry-run] [--with-data] [--with-shared] [--vars FILE]

Asks for the id of the project, then takes away what runs there for TRADING_MODE. Orders at the broker stay as they are.

  --dry-run       print every command, run none, ask nothing
  --with-data     journal, documents and bars too: nothing can bring them back but a backup
  --with-shared   what both trading modes share: images, builds and their account
  --vars FILE     the variables (infra/deploy/deployment_vars.sh)
TEXT
}

hint() { echo 'read what gcloud says above; you need to be owner of the project. Then run it again: what is gone already is passed over'; }

with_data=no with_shared=no
while [ $# -gt 0 ]; do
  case "$1" in
    --with-data) with_data=yes && shift ;;
    --with-shared) with_shared=yes && shift ;;
    *)
      common_argument "$@"
      shift "$TAKEN"
      ;;
  esac
done
read_variables
need PROJECT_ID GCP_REGION SECRET_NAME FIRESTORE_DATABASE REPO_NAME
if [ "$SHAPE" = vm ]; then need GCP_ZONE; fi

if [ "$DRY_RUN" = no ]; then
  say "This takes away what runs for $TRADING_MODE trading in the project $PROJECT_ID.$([ "$with_data" = no ] || echo ' JOURNAL, DOCUMENTS AND BARS GO TOO.')"
  say 'Type the id of the project to go on:'
  IFS= read -r answer || answer=''
  [ "$answer" = "$PROJECT_ID" ] || stop 'that is not its id; nothing was done'
fi

# remove DESCRIBE… -- DELETE…: deletes what is there.
remove() {
  split "$@"
  if [ "$DRY_RUN" = yes ]; then
    printf '! %s >/dev/null 2>&1 || %s\n' "$(quoted "${first[@]}")" "$(quoted "${second[@]}")"
  elif is_there "${first[@]}"; then
    run "${second[@]}"
  fi
}
# drop GROUP… -- NAME ARGUMENT…: what is described and deleted by the same words.
drop() {
  split "$@"
  local group=("${first[@]}") what=("${second[@]}" "--project=$PROJECT_ID")
  remove gcloud "${group[@]}" describe "${what[@]}" -- gcloud "${group[@]}" delete "${what[@]}" --quiet
}

STEP='what runs'
drop beta run worker-pools -- "$ENGINE_POOL" "--region=$GCP_REGION"
drop run services -- "$CLOUD_RUN_SERVICE_NAME" "--region=$GCP_REGION"
if [ "$SHAPE" = vm ]; then
  remove gcloud compute instances describe "$MACHINE" "--zone=$GCP_ZONE" "--project=$PROJECT_ID" -- \
    gcloud compute instances update "$MACHINE" --no-deletion-protection "--zone=$GCP_ZONE" "--project=$PROJECT_ID"
  drop compute instances -- "$MACHINE" "--zone=$GCP_ZONE"
  drop compute addresses -- "$MACHINE_ADDRESS" "--region=$GCP_REGION"
  drop compute disks -- "$MACHINE_DISK" "--zone=$GCP_ZONE"
  # Last: until the machine is gone they guard it.
  drop compute firewall-rules -- "$MACHINE_ALLOW"
  drop compute firewall-rules -- "$MACHINE_DENY"
fi

STEP='builds'
drop builds triggers -- "ib-$TRADING_MODE-application" "--region=$GCP_REGION"

STEP='topics'
# Of the archive: what it has written stays in BigQuery.
drop pubsub subscriptions -- "$TRADING_MODE-events-archive"
resources=$(node "$here/mode-resources.ts" "$TRADING_MODE") || failed "node $here/mode-resources.ts $TRADING_MODE"
while read -r kind name; do
  case "$kind" in
    job) drop scheduler jobs -- "$name" "--location=$GCP_REGION" </dev/null ;;
    subscription) drop pubsub subscriptions -- "$name" </dev/null ;;
    topic) drop pubsub topics -- "$name" </dev/null ;;
  esac
done <<<"$resources"

STEP='secrets'
drop secrets -- "$USER_SECRET"
drop secrets -- "$PASSWORD_SECRET"
drop secrets -- "$ALERT_WEBHOOK_SECRET"
drop secrets -- "$ALERT_SMTP_SECRET"

if [ "$with_data" = yes ]; then
  STEP='data'
  database=("--database=$FIRESTORE_DATABASE" "--project=$PROJECT_ID")
  remove gcloud firestore databases describe "${database[@]}" -- gcloud firestore databases update "${database[@]}" --no-delete-protection
  remove gcloud firestore databases describe "${database[@]}" -- gcloud firestore databases delete "${database[@]}" --quiet
  remove gcloud storage buckets describe "gs://$BARS_BUCKET" "--project=$PROJECT_ID" -- \
    gcloud storage rm --recursive "gs://$BARS_BUCKET" "--project=$PROJECT_ID"
fi

# A deleted account leaves its name behind wherever it had a role, so those on what stays go first.
take_role() {
  case "$3" in project | database | bucket | repository) ;; *) return 0 ;; esac
  if [ "$1" = "$going" ]; then take "$1" "$2" "$3" "$4"; fi
}
account() {
  going=$1
  each_role take_role
  drop iam service-accounts -- "$(email_of "$2")"
}

STEP='accounts'
account engine "$ENGINE_ACCOUNT"
account api "$API_ACCOUNT"

if [ "$with_shared" = yes ]; then
  STEP='what both modes share'
  drop builds triggers -- ib-base-on-change "--region=$GCP_REGION"
  drop builds triggers -- ib-base-weekly "--region=$GCP_REGION"
  drop scheduler jobs -- "$BASE_JOB" "--location=$GCP_REGION"
  drop pubsub topics -- "$BASE_TOPIC"
  drop artifacts repositories -- "$REPO_NAME" "--location=$GCP_REGION"
  remove gcloud storage buckets describe "gs://$BUILDS_BUCKET" "--project=$PROJECT_ID" -- \
    gcloud storage rm --recursive "gs://$BUILDS_BUCKET" "--project=$PROJECT_ID"
  account build "$BUILD_ACCOUNT"
fi
if [ "$DRY_RUN" = no ]; then say "done$([ "$with_data" = yes ] || echo "; the database $FIRESTORE_DATABASE and the bars are still there")"; fi
