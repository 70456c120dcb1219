# How a command is run, printed or refused. Works with the bash of macOS (3.2) too.
# shellcheck shell=bash
# shellcheck disable=SC2016 # what is printed is for another shell, and names of variables are meant as they stand

# From bash 5.2 on "&" would mean something in what replaces a text.
shopt -u patsub_replacement 2>/dev/null || true

SCRIPT=$(basename "$0")
DRY_RUN=no
STEP=''

say() { printf '%s\n' "$*" >&2; }

stop() {
  say "$SCRIPT: $*"
  exit 1
}

# The words as one line that a shell reads back as these words. What only a real run can know stays a variable.
quoted() {
  local line='' word
  for word in "$@"; do
    case "$word" in
      *'$PROJECT_NUMBER'* | *'$BASE_IMAGE'* | *'$APPLICATION_IMAGE'*) line="$line \"$word\"" ;;
      *) line="$line $(printf '%q' "$word")" ;;
    esac
  done
  printf '%s' "${line# }"
}

failed() {
  say "$SCRIPT: step \"$STEP\" failed at: $*"
  say "what to do: $(hint "$STEP")"
  exit 1
}

# Runs a command, or prints it.
run() {
  if [ "$DRY_RUN" = yes ]; then
    quoted "$@"
    echo
  else
    "$@" >&2 || failed "$(quoted "$@")"
  fi
}

# Splits the words after it at each "--" into the arrays first, second and third.
split() {
  first=() second=() third=()
  local part=first word
  for word in "$@"; do
    case "$part:$word" in
      first:--) part=second ;;
      second:--) part=third ;;
      first:*) first+=("$word") ;;
      second:*) second+=("$word") ;;
      *) third+=("$word") ;;
    esac
  done
}

# is_there DESCRIBE…: no only where gcloud says that there is no such thing. That it may not look, or cannot, is a failure: who is not
# logged in must not read that there was nothing to do.
is_there() {
  local said
  if said=$("$@" 2>&1); then return 0; fi # bq says on its standard output what is wrong
  if printf '%s\n' "$said" | grep -qiE 'not.?found|cannot find|does not exist'; then return 1; fi
  say "$said"
  failed "$(quoted "$@")"
}

# ensure DESCRIBE… -- CREATE…: creates what is not there.
ensure() {
  split "$@"
  if [ "$DRY_RUN" = yes ]; then
    printf '%s >/dev/null 2>&1 || %s\n' "$(quoted "${first[@]}")" "$(quoted "${second[@]}")"
  elif ! is_there "${first[@]}"; then
    run "${second[@]}"
  fi
}

# settle DESCRIBE… -- CREATE… -- UPDATE…: creates what is not there, and brings what is there into line.
settle() {
  split "$@"
  if [ "$DRY_RUN" = yes ]; then
    printf 'if %s >/dev/null 2>&1; then %s; else %s; fi\n' "$(quoted "${first[@]}")" "$(quoted "${third[@]}")" "$(quoted "${second[@]}")"
  elif is_there "${first[@]}"; then
    run "${third[@]}"
  else
    run "${second[@]}"
  fi
}

# unless_listed LIST… -- CREATE…: creates what a list without entries does not show.
unless_listed() {
  split "$@"
  local listed
  if [ "$DRY_RUN" = yes ]; then
    printf '[ -n "$(%s)" ] || %s\n' "$(quoted "${first[@]}")" "$(quoted "${second[@]}")"
    return
  fi
  listed=$("${first[@]}") || failed "$(quoted "${first[@]}")"
  [ -n "$listed" ] || run "${second[@]}"
}

# learn NAME COMMAND…: a variable that only the project knows; learn_list: one that may be empty.
learn() {
  learn_list "$@"
  [ "$DRY_RUN" = yes ] || [ -n "${!1}" ] || failed "$(shift && quoted "$@") (it answered nothing)"
}
learn_list() {
  local name=$1 value
  shift
  if [ "$DRY_RUN" = yes ]; then
    printf '%s=$(%s)\n' "$name" "$(quoted "$@")"
    printf -v "$name" '$%s' "$name"
    return
  fi
  value=$("$@") || failed "$(quoted "$@")"
  printf -v "$name" '%s' "$value"
}

# Stops with the name of the first variable that is empty.
need() {
  local name
  for name in "$@"; do
    [ -n "${!name:-}" ] || stop "$name: is not set; fill in infra/deploy/deployment_vars.sh, or set it before"
  done
}

# An image is named by its digest: a tag may be another one tomorrow. Empty is for the caller to judge.
by_digest() {
  case "${!1:-}" in '' | *@sha256:*) ;; *) stop "$1: must be named by its digest (…@sha256:…), got \"${!1}\"" ;; esac
}

one_of() {
  local name=$1 allowed
  shift
  for allowed in "$@"; do
    [ "${!name}" != "$allowed" ] || return 0
  done
  stop "$name: must be one of $*, got \"${!name}\""
}

# holds NAME=VALUE, or NAME for a variable that is not empty. Nothing holds always.
holds() {
  local name=${1%%=*}
  case "$1" in
    '') return 0 ;;
    *=*) [ "${!name:-}" = "${1#*=}" ] ;;
    *) [ -n "${!name:-}" ] ;;
  esac
}

# render TEMPLATE: its text on standard output, with each ${NAME} replaced, but for comments. A line that ends with "# only with" and what
# must hold is left out where it does not. A variable that is not set stops it.
render() {
  local text='' name line
  [ -r "$1" ] || stop "$1: cannot be read"
  while IFS= read -r line; do
    case "$line" in
      *' # only with '*)
        holds "${line##*' # only with '}" || continue
        line=${line%' # only with '*}
        ;;
    esac
    text="$text$line
"
  done < <(grep -v '^ *# ' "$1")
  text=${text%?}
  # shellcheck disable=SC2013 # names have no spaces
  for name in $(printf '%s\n' "$text" | grep -o '\${[A-Z_]*}' | tr -d '${}' | sort -u); do
    [ -n "${!name+set}" ] || stop "$1: the variable $name is not set"
    text=${text//"\${$name}"/${!name}}
  done
  printf '%s\n' "$text"
}
