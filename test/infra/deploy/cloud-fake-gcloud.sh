#!/usr/bin/env bash
# A gcloud that keeps what it is told in the folder FAKE_GCLOUD and reaches nothing. It creates nothing twice, and deletes and changes
# nothing that is not there. FAIL_AT: a piece of the command line at which it fails.
set -u
state=$FAKE_GCLOUD/state
mkdir -p "$state" "$FAKE_GCLOUD/files"
{ printf '%s\037' "$@" && echo; } >>"$FAKE_GCLOUD/calls"
if [ -n "${FAIL_AT:-}" ] && [[ " $* " == *"$FAIL_AT"* ]]; then
  echo 'ERROR: (fake) it was told to fail here' >&2
  exit 1
fi

words=() named='' database='' group='' format='' recurrence='' filter='' scaling='' collection='' given='' bytes=0
for word in "$@"; do
  case "$word" in
    --name=*) named=${word#*=} ;;
    --database=*) database=${word#*=} ;;
    --collection-group=*) collection=${word#*=} ;;
    --format=*) format=${word#*=} ;;
    --recurrence=*) recurrence=${word#*=} ;;
    --filter=*) filter=${word#*=} ;;
    --scaling=*) scaling=${word#*=} ;;
    --metadata-from-file=* | --config-from-file=* | --policy-from-file=*)
      given=${word##*=}
      cp "$given" "$FAKE_GCLOUD/files/"
      ;;
    --data-file=-) bytes=$(wc -c) ;;
    --*) ;;
    alpha | beta) ;;
    *) words+=("$word") ;;
  esac
done

verb='' name=''
for word in "${words[@]}"; do
  if [ -n "$verb" ]; then
    name=$word # the last one: "create pubsub NAME"
    continue
  fi
  case "$word" in
    create | describe | update | delete | list | replace | add | enable | submit | rm | add-metadata | *-iam-policy* | print-identity-token) verb=$word ;;
    *) group="${group:+$group-}$word" ;;
  esac
done
case "$group" in
  builds-triggers) name=${named:-$name} ;;
  firestore-databases) name=$database ;;
  storage) group=storage-buckets verb=delete ;;
  # These have no name in the command line: the project gives them one.
  monitoring-policies | monitoring-dashboards) name=$(basename "${name:-${given:-$(expr "$filter" : '.*"\(.*\)"').yaml}}" .yaml) ;;
esac
name=${name%%@*}
thing="$state/$group--${name//\//_}"
refuse() {
  echo "ERROR: (fake) $1: $group $name" >&2
  exit 1
}

case "$group:$verb" in
  auth:print-identity-token) echo a-token && exit ;;
  projects:describe) echo 123456789012 && exit ;;
  artifacts-docker-images:describe) echo "${words[4]}@sha256:0000000000000000000000000000000000000000000000000000000000000001" && exit ;;
  services-identity:create | services:enable | builds:submit) touch "$state/$group-$verb" && exit ;;
  secrets-versions:add) echo $((bytes)) >"$state/version-of-$name" && exit ;;
  secrets-versions:list) [ ! -e "$state/version-of-$name" ] || echo 1; exit ;;
  firestore-indexes-fields:update)
    echo "projects/$PROJECT_ID/databases/$database/collectionGroups/$collection/fields/$name" >>"$state/overrides" && exit ;;
  firestore-indexes-fields:list) cat "$state/overrides" 2>/dev/null; exit 0 ;;
  firestore-backups-schedules:create) touch "$state/backup-$recurrence" && exit ;;
  firestore-backups-schedules:list) [ ! -e "$state/backup-${filter%%R*}" ] || echo a-schedule; exit ;;
  logging-metrics:list) for file in "$state"/logging-metrics--*; do [ ! -e "$file" ] || echo "${file##*--}"; done; exit ;;
  monitoring-policies:list) [ ! -e "$thing" ] || echo "projects/$PROJECT_ID/alertPolicies/$name"; exit ;;
  monitoring-dashboards:list) [ ! -e "$state/monitoring-dashboards--dashboard" ] || echo "projects/$PROJECT_ID/dashboards/dashboard"; exit ;;
esac
case "$verb" in
  add-iam-policy-binding)
    line="$*"
    grep -qxF -e "$line" "$state/bindings" 2>/dev/null || echo "$line" >>"$state/bindings"
    ;;
  remove-iam-policy-binding)
    line="$*" && line=${line/ remove-iam/ add-iam}
    grep -qxF -e "$line" "$state/bindings" 2>/dev/null || refuse 'Policy binding with the specified principal, role and condition not found'
    grep -vxF -e "$line" "$state/bindings" >"$state/bindings.new" || :
    mv "$state/bindings.new" "$state/bindings"
    ;;
  get-iam-policy)
    [ "$group" = projects ] || [ -e "$thing" ] || refuse 'NOT_FOUND'
    words="$*"
    of() { expr "$filter" : ".*bindings\\.$1=\"\\([^\"]*\\)\"" || :; }
    grep -F -e "${words%% get-iam-policy *} add-iam-policy-binding $name " "$state/bindings" 2>/dev/null |
      case "$filter" in
        '') sed 's/.*--member=\([^ ]*\) --role=\([^ ]*\).*/\1 \2/' ;;
        *)
          grep -F -e "--member=$(of members) --role=$(of role) " | grep -F -e ",title=$(of condition.title)" |
            sed 's/.*--condition=expression=\(.*\),title=.*/\1/'
          ;;
      esac
    exit 0
    ;;
  describe)
    [ -e "$thing" ] || refuse 'NOT_FOUND'
    case "$format" in
      export) sed "s/^metadata:/&\n  namespace: '123456789012'/" "$thing" ;;
      'value(status.url)') echo "$FAKE_ADDRESS" ;;
      'value(etag)') echo an-etag ;;
    esac
    ;;
  create) [ ! -e "$thing" ] && touch "$thing" || refuse 'is there already' ;;
  update | add-metadata)
    [ -e "$thing" ] || refuse 'NOT_FOUND'
    if [ -n "$scaling" ]; then echo "$scaling" >"$FAKE_GCLOUD/scaling"; fi
    ;;
  delete) [ -e "$thing" ] && rm "$thing" || refuse 'NOT_FOUND' ;;
  replace)
    file=$name
    if grep -q '^  namespace:' "$file"; then refuse 'PERMISSION_DENIED, asked for the number of the project'; fi
    cp "$file" "$FAKE_GCLOUD/files/"
    name=$(sed -n 's/^  name: "\(.*\)"/\1/p' "$file" | head -1)
    cp "$file" "$state/$group--$name"
    if [ "$group" = run-worker-pools ]; then echo 1 >"$FAKE_GCLOUD/scaling"; fi
    ;;
  *) refuse "cannot do \"$verb\"" ;;
esac
