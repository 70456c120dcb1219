# What the scripts in infra/deploy/cloud must know. Fill it in, or set the same variables before: what is set already wins.
# No secret belongs here: the credentials of IB are asked for, or read from files, and go straight to Secret Manager.
# shellcheck shell=bash

# ── Needed ──
export PROJECT_ID="${PROJECT_ID:-}"                   # the Google Cloud project, such as my-trading-1; staging has one of its own
export GCP_REGION="${GCP_REGION:-}"                   # where everything runs, such as us-east1
export TRADING_MODE="${TRADING_MODE:-paper}"          # paper or live; run the set-up once for each
export USER_EMAIL_ACCOUNT="${USER_EMAIL_ACCOUNT:-}"   # who may ask the HTTP API, as admin

# ── Which of the two shapes ──
export SHAPE="${SHAPE:-run}"                          # run: worker pool and service on Cloud Run; vm: one small machine
export GATEWAY="${GATEWAY:-gateway}"                  # gateway: IB Gateway; simulator: its stand-in, to try the rest out
export GCP_ZONE="${GCP_ZONE:-}"                       # of the machine, such as us-east1-b; only for vm
export IB_ACCOUNT="${IB_ACCOUNT:-}"                   # the account to trade, such as DU1234567; needed in live mode
export PAPER_JOURNAL="${PAPER_JOURNAL:-}"             # of live mode: the paper journal that it must find; empty: project:PROJECT_ID/paper

# ── Whom the engine tells of an alert by itself, beside Google's alert policies ──
export ALERT_WEBHOOK="${ALERT_WEBHOOK:-no}"           # yes: it posts alerts in the shape of Slack; the address is a secret, and asked for
export ALERT_MAIL_TO="${ALERT_MAIL_TO:-}"             # who gets alerts by mail, with commas; the mail server is a secret, and asked for
export ALERT_MAIL_FROM="${ALERT_MAIL_FROM:-}"         # from whom; empty: the first of ALERT_MAIL_TO

# ── For builds on every push ──
export REPO_OWNER="${REPO_OWNER:-}"                   # owner of the GitHub repository that is connected to Cloud Build
export GITHUB_REPO="${GITHUB_REPO:-}"                 # its name
export BRANCH="${BRANCH:-main}"                       # what is pushed there is rolled out

# ── Of the image with IB Gateway: infra/deploy/images says how to come by the checksums; a build without them fails ──
export IB_GATEWAY_SHA256="${IB_GATEWAY_SHA256:-}"     # of the installer of IB_GATEWAY_VERSION
export IBC_SHA256="${IBC_SHA256:-}"                   # of the zip file of IBC_VERSION

# ── Usually right as they are ──
export IB_GATEWAY_VERSION="${IB_GATEWAY_VERSION:-10.50.1d}"
export IBC_VERSION="${IBC_VERSION:-3.24.1}"
export REPO_NAME="${REPO_NAME:-ib-trading}"           # of the images, in Artifact Registry
# The simulator has a database of its own: a journal keeps its account for ever, and what was simulated is no record on paper.
if [ "$GATEWAY" = simulator ]; then export FIRESTORE_DATABASE="${FIRESTORE_DATABASE:-simulator}"; fi
export FIRESTORE_DATABASE="${FIRESTORE_DATABASE:-$TRADING_MODE}"
export FIRESTORE_LOCATION="${FIRESTORE_LOCATION:-$GCP_REGION}"
export BIGQUERY_LOCATION="${BIGQUERY_LOCATION:-$GCP_REGION}" # of the archive
export BACKUP_RETENTION="${BACKUP_RETENTION:-14w}"    # of the weekly backup; of the daily one it is a week
export SECRET_NAME="${SECRET_NAME:-ib-$TRADING_MODE}" # the secrets are called so, with -userid and -password

# ── Of the secrets: files that hold nothing else; left empty, they are asked for ──
export IB_USER_FILE="${IB_USER_FILE:-}"
export IB_PASSWORD_FILE="${IB_PASSWORD_FILE:-}"
export ALERT_WEBHOOK_URL_FILE="${ALERT_WEBHOOK_URL_FILE:-}"
export ALERT_SMTP_URL_FILE="${ALERT_SMTP_URL_FILE:-}" # its content is such as smtp://user:password@smtp.example.org:587
