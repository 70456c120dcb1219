# Who may do what, as roles.txt says it: given by set-up.sh, taken away by it or by tear-down.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables and names are those of the script that sources this file

member_of() {
  case "$1" in
    engine) echo "serviceAccount:$(email_of "$ENGINE_ACCOUNT")" ;;
    api) echo "serviceAccount:$(email_of "$API_ACCOUNT")" ;;
    build) echo "serviceAccount:$(email_of "$BUILD_ACCOUNT")" ;;
    pubsub-agent) echo "serviceAccount:service-$PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com" ;;
    scheduler-agent) echo "serviceAccount:service-$PROJECT_NUMBER@gcp-sa-cloudscheduler.iam.gserviceaccount.com" ;;
    *) stop "roles.txt: \"$1\" is nobody that set-up.sh knows" ;;
  esac
}

# role_on KIND WHICH: leaves in `group` and `thing` what gcloud calls the place of a role, in `title` and `database` its condition where it
# has one. No where there is no such place.
role_on() {
  local kind=$1 which=${2//'{mode}'/$TRADING_MODE} journal
  title='' database='' in_project=("--project=$PROJECT_ID")
  case "$kind:$which" in
    topic:*) group=(pubsub topics) thing=("$which") ;;
    subscription:*) group=(pubsub subscriptions) thing=("$which") ;;
    secret:*) group=(secrets) thing=("$SECRET_NAME-$which") ;;
    bucket:bars) group=(storage buckets) thing=("gs://$BARS_BUCKET") ;;
    bucket:builds) group=(storage buckets) thing=("gs://$BUILDS_BUCKET") ;;
    repository:-) group=(artifacts repositories) thing=("$REPO_NAME" "--location=$GCP_REGION") ;;
    account:engine) group=(iam service-accounts) thing=("$(email_of "$ENGINE_ACCOUNT")") ;;
    account:build) group=(iam service-accounts) thing=("$(email_of "$BUILD_ACCOUNT")") ;;
    account:api) group=(iam service-accounts) thing=("$(email_of "$API_ACCOUNT")") ;;
    project:-) group=(projects) thing=("$PROJECT_ID") in_project=(--condition=None) ;;
    database:"$TRADING_MODE")
      group=(projects) thing=("$PROJECT_ID") title=only-$TRADING_MODE database=projects/$PROJECT_ID/databases/$FIRESTORE_DATABASE
      ;;
    database:paper-journal)
      journal=${PAPER_JOURNAL:-project:$PROJECT_ID/paper}
      case "$journal" in project:*/*) journal=${journal#project:} ;; *) return 1 ;; esac # a file: there is nobody to ask
      group=(projects) thing=("${journal%%/*}") title=paper-record database=projects/${journal%%/*}/databases/${journal#*/}
      ;;
    *) stop "roles.txt: $kind \"$which\" is nothing that set-up.sh knows" ;;
  esac
}

# Of a role with a condition: whatever carries its title and is for another database than `database` (empty: for any).
take_from_other_databases() {
  local member=$1 role=$2 wanted='' asked expressions expression
  if [ -n "$database" ]; then wanted="resource.name==\"$database\""; fi
  asked=(gcloud projects get-iam-policy "${thing[0]}" '--flatten=bindings[].members'
    "--filter=bindings.members=\"$member\" AND bindings.role=\"$role\" AND bindings.condition.title=\"$title\""
    '--format=value(bindings.condition.expression)')
  local remove=(gcloud projects remove-iam-policy-binding "${thing[0]}" "--member=$member" "--role=$role")
  if [ "$DRY_RUN" = yes ]; then
    # shellcheck disable=SC2016 # for the shell that runs what is printed
    printf '%s | while IFS= read -r OTHER; do [ -z "$OTHER" ] || [ "$OTHER" = %q ] || %s "--condition=expression=$OTHER,title=%s" </dev/null; done\n' \
      "$(quoted "${asked[@]}")" "$wanted" "$(quoted "${remove[@]}")" "$title"
    return
  fi
  expressions=$("${asked[@]}") || failed "$(quoted "${asked[@]}")"
  while IFS= read -r expression; do
    if [ -z "$expression" ] || [ "$expression" = "$wanted" ]; then continue; fi
    run "${remove[@]}" "--condition=expression=$expression,title=$title" </dev/null
  done <<<"$expressions"
}

# give WHO ROLE KIND WHICH
give() {
  local member binding
  member=$(member_of "$1")
  role_on "$3" "$4" || return 0
  binding=(gcloud "${group[@]}" add-iam-policy-binding "${thing[@]}" "--member=$member" "--role=$2")
  if [ -z "$title" ]; then
    run "${binding[@]}" "${in_project[@]}"
    return
  fi
  run "${binding[@]}" "--condition=expression=resource.name==\"$database\",title=$title"
  take_from_other_databases "$member" "$2"
}

# take WHO ROLE KIND WHICH: away, where it was given.
take() {
  local member asked remove listed
  member=$(member_of "$1")
  role_on "$3" "$4" || return 0
  if [ -n "$title" ]; then
    database=''
    take_from_other_databases "$member" "$2"
    return
  fi
  asked=(gcloud "${group[@]}" get-iam-policy "${thing[@]}" '--flatten=bindings[].members'
    '--format=value[separator=" "](bindings.members,bindings.role)' "--project=$PROJECT_ID")
  remove=(gcloud "${group[@]}" remove-iam-policy-binding "${thing[@]}" "--member=$member" "--role=$2" "${in_project[@]}")
  if [ "$DRY_RUN" = yes ]; then
    printf '! %s 2>/dev/null | grep -qxF %s || %s\n' "$(quoted "${asked[@]}")" "$(quoted "$member $2")" "$(quoted "${remove[@]}")"
    return
  fi
  is_there "${asked[@]}" || return 0 # where there is no such place, nobody has a role on it
  listed=$("${asked[@]}") || failed "$(quoted "${asked[@]}")"
  if grep -qxF -e "$member $2" <<<"$listed"; then run "${remove[@]}"; fi
}

# each_role COMMAND: with who, role, kind, which and the condition of each line.
each_role() {
  local who role kind which only
  while read -r who role kind which only; do
    case "$who" in '' | '#'*) continue ;; esac
    "$1" "$who" "$role" "$kind" "$which" "$only" </dev/null
  done <"$cloud/roles.txt"
}
