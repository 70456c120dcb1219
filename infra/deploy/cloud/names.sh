# What everything is called; follows from deployment_vars.sh and is the same for all scripts here.
# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the scripts that source this file

derive_names() {
  CLOUD_RUN_SERVICE_NAME="ib-$TRADING_MODE"
  ENGINE_POOL="ib-$TRADING_MODE-engine"
  ENGINE_ACCOUNT="ib-$TRADING_MODE-engine"
  API_ACCOUNT="ib-$TRADING_MODE-api"
  BUILD_ACCOUNT="ib-build"
  USER_SECRET="$SECRET_NAME-userid"
  PASSWORD_SECRET="$SECRET_NAME-password"
  ALERT_WEBHOOK_SECRET="$SECRET_NAME-alert-webhook"
  ALERT_SMTP_SECRET="$SECRET_NAME-alert-smtp"
  BARS_BUCKET="$PROJECT_ID-ib-$TRADING_MODE-bars"
  BUILDS_BUCKET="$PROJECT_ID-ib-builds"
  BASE_TOPIC="ib-base-image"
  BASE_JOB="ib-base-weekly"
  DOCKER_REPO_URL="$GCP_REGION-docker.pkg.dev/$PROJECT_ID/$REPO_NAME"
  MACHINE="ib-$TRADING_MODE"
  MACHINE_DISK="ib-$TRADING_MODE-settings"
  MACHINE_ADDRESS="ib-$TRADING_MODE"
  MACHINE_TAG="ib-$TRADING_MODE-engine"
  MACHINE_ALLOW="ib-$TRADING_MODE-ssh-through-iap"
  MACHINE_DENY="ib-$TRADING_MODE-nobody-else"
}

email_of() { printf '%s@%s.iam.gserviceaccount.com' "$1" "$PROJECT_ID"; }
