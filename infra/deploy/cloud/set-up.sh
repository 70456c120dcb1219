#!/usr/bin/env bash
# Makes a Google Cloud project ready and brings the engine into it, step by step. May be run again at any time.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=begin.sh
. "$here/begin.sh"
# shellcheck source=roles.sh
. "$here/roles.sh"
# shellcheck source=machine.sh
. "$here/machine.sh"

all_steps='apis registry accounts secrets database topics buckets roles base triggers deploy invoker'

usage() {
  cat <<TEXT
Usage: set-up.sh [--dry-run] [--only STEP] [--skip STEP] [--rotate] [--vars FILE]

Makes a project ready and brings the engine into it. Each step looks first, then creates or brings into line what is not as it should be.

  --dry-run      print every command, run none
  --only STEP    this step alone; may be given several times
  --skip STEP    all but this step; may be given several times
  --rotate       the step secrets takes new credentials, though there are some
  --vars FILE    the variables (infra/deploy/deployment_vars.sh)

With APPLICATION_IMAGE=…@sha256:… in the environment the step deploy builds nothing and takes that image: the way back to an earlier one.
BASE_IMAGE does the same for IB Gateway.

Steps, in this order:
  apis        the services of Google that are used
  registry    Artifact Registry, for the images
  accounts    service accounts of engine, API and builds
  secrets     user and password of IB, and where alerts go, in Secret Manager
  database    Firestore: database, indexes, point-in-time recovery, backups
  topics      topics, subscriptions and schedules, by ibt topics apply
  buckets     for collected bars, and for the sources of builds
  roles       who may do what: roles.txt; what these variables no longer need is taken away
  base        the image with IB Gateway, built by Cloud Build
  triggers    builds on every push, and of the base image each week
  deploy      the application built, tested and rolled out; or the machine created (SHAPE=vm)
  invoker     USER_EMAIL_ACCOUNT may ask the API
TEXT
}

# ── What each step needs, and what to do when it fails ──

needs() {
  case "$1" in
    registry | triggers | topics | buckets | base | invoker) echo PROJECT_ID GCP_REGION ;;
    database) echo PROJECT_ID FIRESTORE_LOCATION FIRESTORE_DATABASE BACKUP_RETENTION ;;
    secrets) echo PROJECT_ID SECRET_NAME ;;
    *) echo PROJECT_ID ;;
  esac
  case "$1" in
    triggers) echo REPO_OWNER GITHUB_REPO BRANCH ;;
    deploy) echo GCP_REGION USER_EMAIL_ACCOUNT ;;
    invoker) echo USER_EMAIL_ACCOUNT ;;
  esac
  case "$1:$GATEWAY" in base:gateway | triggers:gateway) echo IB_GATEWAY_VERSION IB_GATEWAY_SHA256 IBC_VERSION IBC_SHA256 ;; esac
  case "$1:$SHAPE" in deploy:vm) echo GCP_ZONE ;; esac
  case "$1:$TRADING_MODE" in deploy:live) echo IB_ACCOUNT ;; esac
}

hint() {
  what_to_do "$1"
  echo "then run it again, all of it or with --only $1: what is there already stays as it is"
}

what_to_do() {
  case "$1" in
    apis) echo "log in with gcloud auth login, and see that billing is linked to $PROJECT_ID" ;;
    registry) echo 'see that GCP_REGION is a region of Artifact Registry and that you may create repositories' ;;
    accounts) echo 'you need the role roles/iam.serviceAccountAdmin; an account deleted within 30 days keeps its name: undelete it' ;;
    secrets) echo 'you need roles/secretmanager.admin; each …_FILE must be a file that holds its secret and nothing else' ;;
    database) echo 'the location of a database never changes: see that FIRESTORE_LOCATION is right; a deleted name is free again after 5 minutes' ;;
    topics) echo 'run gcloud auth application-default login, then npx ibt topics plan; it says what stands against it' ;;
    buckets) echo 'names of buckets are taken world-wide: if one is taken, it is because another project has the same id in its name' ;;
    roles) echo 'run the steps accounts, secrets, topics and buckets before; you need to be owner of the project, or an admin of its IAM' ;;
    base) echo 'read the log of the build; a wrong checksum means another file than the one you read it from' ;;
    triggers) echo 'connect the repository to Cloud Build in the console once (Cloud Build, Triggers, Connect repository), in the same region' ;;
    deploy) echo 'read the log of the build or of the machine; the page README.md names the usual causes, and the way back' ;;
    invoker) echo 'the service is there after the step deploy; see that USER_EMAIL_ACCOUNT is a Google account' ;;
  esac
}

# ── The steps ──

step_apis() {
  run gcloud services enable cloudbuild.googleapis.com run.googleapis.com artifactregistry.googleapis.com iam.googleapis.com iamcredentials.googleapis.com \
    secretmanager.googleapis.com firestore.googleapis.com pubsub.googleapis.com cloudscheduler.googleapis.com \
    logging.googleapis.com monitoring.googleapis.com storage.googleapis.com compute.googleapis.com iap.googleapis.com cloudresourcemanager.googleapis.com "--project=$PROJECT_ID"
}

step_registry() {
  ensure gcloud artifacts repositories describe "$REPO_NAME" "--location=$GCP_REGION" "--project=$PROJECT_ID" -- \
    gcloud artifacts repositories create "$REPO_NAME" --repository-format=docker "--location=$GCP_REGION" \
    '--description=Images of the trading engine' "--project=$PROJECT_ID"
}

account() {
  ensure gcloud iam service-accounts describe "$(email_of "$1")" "--project=$PROJECT_ID" -- \
    gcloud iam service-accounts create "$1" "--display-name=$2" "--project=$PROJECT_ID"
}

step_accounts() {
  account "$ENGINE_ACCOUNT" "Trading engine ($TRADING_MODE)"
  account "$API_ACCOUNT" "HTTP API of the trading engine ($TRADING_MODE)"
  account "$BUILD_ACCOUNT" 'Builds and rolls out the trading engine'
  run gcloud beta services identity create --service=pubsub.googleapis.com "--project=$PROJECT_ID"
  run gcloud beta services identity create --service=cloudscheduler.googleapis.com "--project=$PROJECT_ID"
}

# A secret comes from a file, whose last line may end, or from the keyboard without being shown. Either way gcloud reads it on its standard
# input, and no command line holds it. VERSIONS: what is there already, and stays where nothing is answered.
secret_version() {
  local secret=$1 file=$2 what=$3 versions=$4 value add
  add=(gcloud secrets versions add "$secret" --data-file=- "--project=$PROJECT_ID")
  if [ "$DRY_RUN" = yes ]; then
    if [ -n "$file" ]; then
      # shellcheck disable=SC2016 # for the shell that runs what is printed
      printf 'printf %%s "$(cat %q)" | %s\n' "$file" "$(quoted "${add[@]}")"
    else
      echo "# asks for $what, and gives it to the next command on its standard input"
      run "${add[@]}"
    fi
    return
  fi
  if [ -n "$file" ]; then
    value=$(cat "$file") || stop "$file, for $what, cannot be read"
  else
    say "$what (nothing is shown$([ -z "$versions" ] || echo '; no answer leaves it as it is')):"
    IFS= read -rs value || true
    if [ -z "$value" ] && [ -n "$versions" ]; then return; fi
  fi
  [ -n "$value" ] || stop "nothing was given for $what"
  printf '%s' "$value" | "${add[@]}" >&2 || failed "$(quoted "${add[@]}")"
}

secret() {
  local secret=$1 file=$2 what=$3 versions=''
  ensure gcloud secrets describe "$secret" "--project=$PROJECT_ID" -- \
    gcloud secrets create "$secret" --replication-policy=automatic "--project=$PROJECT_ID"
  if [ "$DRY_RUN" = no ]; then
    versions=$(gcloud secrets versions list "$secret" --filter=state=enabled '--format=value(name)' "--project=$PROJECT_ID") ||
      failed "gcloud secrets versions list $secret"
  fi
  if [ -z "$versions" ] || [ "$ROTATE" = yes ]; then secret_version "$secret" "$file" "$what" "$versions"; fi
}

step_secrets() {
  if [ "$GATEWAY" = gateway ]; then
    secret "$USER_SECRET" "$IB_USER_FILE" 'the user name at IB'
    secret "$PASSWORD_SECRET" "$IB_PASSWORD_FILE" 'the password at IB'
  else
    say 'secrets: the simulator lets everybody in'
  fi
  if holds ALERT_WEBHOOK=yes; then secret "$ALERT_WEBHOOK_SECRET" "$ALERT_WEBHOOK_URL_FILE" 'the address of the webhook for alerts'; fi
  if holds ALERT_MAIL_TO; then
    secret "$ALERT_SMTP_SECRET" "$ALERT_SMTP_URL_FILE" 'the mail server for alerts, as smtp://user:password@host:587'
  fi
}

field_override() {
  local collection=$1 path=$2 index=$3 name update
  name="projects/$PROJECT_ID/databases/$FIRESTORE_DATABASE/collectionGroups/$collection/fields/$path"
  split gcloud firestore indexes fields update "$path" "--collection-group=$collection" "--database=$FIRESTORE_DATABASE"
  update=("${first[@]}" --async "--project=$PROJECT_ID" --quiet)
  if [ "$index" = none ]; then update+=(--disable-indexes); else update+=("--index=$index"); fi
  if [ "$DRY_RUN" = yes ]; then
    # shellcheck disable=SC2016 # what is printed is for another shell
    printf 'printf %%s\\\\n "$FIELD_OVERRIDES" | grep -qxF %s || %s\n' "$(quoted "$name")" "$(quoted "${update[@]}")"
  elif ! printf '%s\n' "$FIELD_OVERRIDES" | grep -qxF "$name"; then
    run "${update[@]}"
  fi
}

step_database() {
  settle gcloud firestore databases describe "--database=$FIRESTORE_DATABASE" "--project=$PROJECT_ID" -- \
    gcloud firestore databases create "--database=$FIRESTORE_DATABASE" "--location=$FIRESTORE_LOCATION" --type=firestore-native \
    --enable-pitr --delete-protection "--project=$PROJECT_ID" -- \
    gcloud firestore databases update "--database=$FIRESTORE_DATABASE" --enable-pitr --delete-protection "--project=$PROJECT_ID"
  learn_list FIELD_OVERRIDES gcloud firestore indexes fields list "--database=$FIRESTORE_DATABASE" '--format=value(name)' "--project=$PROJECT_ID"
  local overrides collection path index
  overrides=$(node "$here/field-overrides.js") || failed "node $here/field-overrides.js"
  while read -r collection path index; do
    field_override "$collection" "$path" "$index" </dev/null
  done <<<"$overrides"
  unless_listed gcloud firestore backups schedules list "--database=$FIRESTORE_DATABASE" '--filter=dailyRecurrence:*' '--format=value(name)' \
    "--project=$PROJECT_ID" -- \
    gcloud firestore backups schedules create "--database=$FIRESTORE_DATABASE" --recurrence=daily --retention=7d "--project=$PROJECT_ID"
  unless_listed gcloud firestore backups schedules list "--database=$FIRESTORE_DATABASE" '--filter=weeklyRecurrence:*' '--format=value(name)' \
    "--project=$PROJECT_ID" -- \
    gcloud firestore backups schedules create "--database=$FIRESTORE_DATABASE" --recurrence=weekly --day-of-week=SAT \
    "--retention=$BACKUP_RETENTION" "--project=$PROJECT_ID"
}

step_topics() {
  run env STORE=google "GOOGLE_CLOUD_PROJECT=$PROJECT_ID" "GCP_REGION=$GCP_REGION" "TRADING_MODE=$TRADING_MODE" \
    "FIRESTORE_DATABASE=$FIRESTORE_DATABASE" "$IBT" topics apply
  ensure gcloud pubsub topics describe "$BASE_TOPIC" "--project=$PROJECT_ID" -- \
    gcloud pubsub topics create "$BASE_TOPIC" "--project=$PROJECT_ID"
}

bucket() {
  ensure gcloud storage buckets describe "gs://$1" "--project=$PROJECT_ID" -- \
    gcloud storage buckets create "gs://$1" "--location=$GCP_REGION" --uniform-bucket-level-access --public-access-prevention "--project=$PROJECT_ID"
}

step_buckets() {
  bucket "$BARS_BUCKET"
  bucket "$BUILDS_BUCKET"
}

# Each role is given, or taken away where its line is for other variables than these.
settle_role() { if holds "$5"; then give "$1" "$2" "$3" "$4"; else take "$1" "$2" "$3" "$4"; fi; }

step_roles() {
  learn PROJECT_NUMBER gcloud projects describe "$PROJECT_ID" '--format=value(projectNumber)'
  each_role settle_role
}

build() {
  run gcloud builds submit "$root" --ignore-file=infra/deploy/cloud/not-uploaded.gcloudignore "--config=$here/$1" "--substitutions=$2" "--region=$GCP_REGION" \
    "--service-account=projects/$PROJECT_ID/serviceAccounts/$(email_of "$BUILD_ACCOUNT")" \
    "--gcs-source-staging-dir=gs://$BUILDS_BUCKET/source" "--project=$PROJECT_ID"
}

# A list whose values may have commas in them, as those of ALERT_MAIL_TO: what stands between the first two ^ parts them.
base_substitutions() {
  echo "^;^_GCP_REGION=$GCP_REGION;_REPO_NAME=$REPO_NAME;_IB_GATEWAY_VERSION=$IB_GATEWAY_VERSION;_IB_GATEWAY_SHA256=$IB_GATEWAY_SHA256;_IBC_VERSION=$IBC_VERSION;_IBC_SHA256=$IBC_SHA256"
}

application_substitutions() {
  echo "^;^_GCP_REGION=$GCP_REGION;_REPO_NAME=$REPO_NAME;_TRADING_MODE=$TRADING_MODE;_GATEWAY=$GATEWAY;_FIRESTORE_DATABASE=$FIRESTORE_DATABASE;_SECRET_NAME=$SECRET_NAME;_IB_ACCOUNT=$IB_ACCOUNT;_USER_EMAIL_ACCOUNT=$USER_EMAIL_ACCOUNT;_ALERT_WEBHOOK=$ALERT_WEBHOOK;_ALERT_MAIL_TO=$ALERT_MAIL_TO;_ALERT_MAIL_FROM=$ALERT_MAIL_FROM;_ROLL_OUT=$([ "$SHAPE" = run ] && echo yes || echo no)"
}

step_base() {
  if [ "$GATEWAY" = simulator ]; then
    say 'base: the simulator is part of the application, so no image with IB Gateway is built'
    return
  fi
  build base.cloudbuild.yaml "$(base_substitutions)"
}

# trigger NAME KIND ARGUMENT… -- SUBSTITUTIONS [-- ARGUMENT… that an update wants in their place]
trigger() {
  local name=$1 kind=$2 place
  shift 2
  split "$@"
  place=("--region=$GCP_REGION" "--project=$PROJECT_ID" "--service-account=projects/$PROJECT_ID/serviceAccounts/$(email_of "$BUILD_ACCOUNT")")
  local made=("${first[@]}") updated=("${first[@]}") substitutions=${second[0]}
  if [ "${#third[@]}" -gt 0 ]; then updated=("${third[@]}"); fi
  settle gcloud builds triggers describe "$name" "--region=$GCP_REGION" "--project=$PROJECT_ID" -- \
    gcloud builds triggers create "$kind" "--name=$name" "${made[@]}" "--substitutions=$substitutions" "${place[@]}" -- \
    gcloud builds triggers update "$kind" "$name" "${updated[@]}" "--update-substitutions=$substitutions" "${place[@]}"
}

step_triggers() {
  local pushed=("--repo-owner=$REPO_OWNER" "--repo-name=$GITHUB_REPO" "--branch-pattern=^$BRANCH\$")
  local files=infra/deploy/cloud
  trigger "ib-$TRADING_MODE-application" github "${pushed[@]}" "--build-config=$files/application.cloudbuild.yaml" -- "$(application_substitutions)"
  if [ "$GATEWAY" = simulator ]; then return; fi
  trigger ib-base-on-change github "${pushed[@]}" "--build-config=$files/base.cloudbuild.yaml" \
    '--included-files=infra/deploy/images/base/**,infra/deploy/cloud/base.cloudbuild.yaml' -- "$(base_substitutions)"
  local topic="projects/$PROJECT_ID/topics/$BASE_TOPIC" from="https://github.com/$REPO_OWNER/$GITHUB_REPO" file=$files/base.cloudbuild.yaml
  trigger ib-base-weekly pubsub "--topic=$topic" "--build-config=$file" "--repo=$from" --repo-type=GITHUB "--branch=$BRANCH" -- \
    "$(base_substitutions)" -- \
    "--topic=$topic" "--git-file-source-path=$file" "--git-file-source-uri=$from" --git-file-source-repo-type=GITHUB \
    "--git-file-source-branch=$BRANCH" "--source-to-build-uri=$from" --source-to-build-repo-type=GITHUB "--source-to-build-branch=$BRANCH"
  local slot=('--schedule=0 9 * * 6' --time-zone=America/New_York "--topic=$topic" '--message-body={}' "--location=$GCP_REGION" "--project=$PROJECT_ID")
  settle gcloud scheduler jobs describe "$BASE_JOB" "--location=$GCP_REGION" "--project=$PROJECT_ID" -- \
    gcloud scheduler jobs create pubsub "$BASE_JOB" "${slot[@]}" -- \
    gcloud scheduler jobs update pubsub "$BASE_JOB" "${slot[@]}"
}

step_deploy() {
  if [ -z "${APPLICATION_IMAGE:-}" ]; then
    build application.cloudbuild.yaml "$(application_substitutions)"
  elif [ "$SHAPE" = run ]; then
    local base=()
    if [ "$GATEWAY" = gateway ]; then
      image_of BASE_IMAGE base:latest
      base=("BASE_IMAGE=$BASE_IMAGE")
    fi
    run env "APPLICATION_IMAGE=$APPLICATION_IMAGE" ${base[@]+"${base[@]}"} bash "$here/roll-out.sh"
  fi
  if [ "$SHAPE" = vm ]; then machine; fi
}

# image_of NAME IMAGE: its digest, unless the variable says already which one is wanted.
image_of() {
  [ -z "${!1:-}" ] || return 0
  learn "$1" gcloud artifacts docker images describe "$DOCKER_REPO_URL/$2" '--format=value(image_summary.fully_qualified_digest)' "--project=$PROJECT_ID"
}

step_invoker() {
  if [ "$SHAPE" = vm ]; then
    say 'invoker: the machine has no address for HTTP from outside; README.md shows the tunnel'
    return
  fi
  run gcloud run services add-iam-policy-binding "$CLOUD_RUN_SERVICE_NAME" "--member=user:$USER_EMAIL_ACCOUNT" --role=roles/run.invoker \
    "--region=$GCP_REGION" "--project=$PROJECT_ID"
}

# ── What is asked for ──

known() {
  case " $all_steps " in *" $1 "*) ;; *) stop "there is no step \"$1\"; there are $all_steps" ;; esac
}

only='' skipped='' ROTATE=no
while [ $# -gt 0 ]; do
  case "$1" in
    --rotate) ROTATE=yes && shift ;;
    --only | --skip)
      [ -n "${2:-}" ] || stop "$1: the name of a step is missing after it; there are $all_steps"
      known "$2"
      if [ "$1" = --only ]; then only="$only $2"; else skipped="$skipped $2"; fi
      shift 2
      ;;
    *)
      common_argument "$@"
      shift "$TAKEN"
      ;;
  esac
done

read_variables
for name in APPLICATION_IMAGE BASE_IMAGE; do by_digest "$name"; done
[ "$TRADING_MODE:$GATEWAY" != live:simulator ] || stop 'GATEWAY: simulator is for paper mode'
[ "$TRADING_MODE:$SHAPE" != live:run ] || stop 'SHAPE: live trading needs vm, whose disk keeps the login over a restart of the gateway'
[ "$GATEWAY:$FIRESTORE_DATABASE" != simulator:paper ] || stop 'FIRESTORE_DATABASE: paper is for IB Gateway; what is simulated belongs into another one, such as simulator'
[ "$GATEWAY:$SHAPE" != simulator:vm ] || stop 'SHAPE: the simulator runs on Cloud Run; on a machine of your own there is infra/deploy/compose'
IBT="${IBT:-$root/infra/cli/ibt.js}"

steps=''
for step in $all_steps; do
  case " $skipped " in *" $step "*) continue ;; esac
  if [ -z "$only" ]; then steps="$steps $step"; else case " $only " in *" $step "*) steps="$steps $step" ;; esac fi
done

# Before anything runs.
for step in $steps; do
  for name in $(needs "$step"); do need "$name"; done
done

say "$TRADING_MODE trading in the project $PROJECT_ID: SHAPE=$SHAPE, GATEWAY=$GATEWAY, FIRESTORE_DATABASE=$FIRESTORE_DATABASE"
for STEP in $steps; do
  say "── $STEP"
  if [ "$DRY_RUN" = yes ]; then echo "# $STEP"; fi
  "step_$STEP"
done
