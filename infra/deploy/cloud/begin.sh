# What set-up.sh, tear-down.sh and the scripts of ../archive and ../observability begin with: where everything is, the arguments that all
# of them take, and the variables.
# shellcheck shell=bash

cloud=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$cloud/../../.." && pwd)
PATH="$root/node_modules/.bin:$PATH" # npm ci brings the Node along that runs TypeScript
# shellcheck source=running.sh
. "$cloud/running.sh"
# shellcheck source=names.sh
. "$cloud/names.sh"

VARS="$root/infra/deploy/deployment_vars.sh"
TAKEN=1

# common_argument "$@": what the script itself does not know. TAKEN says how many words it was.
common_argument() {
  TAKEN=1
  case "$1" in
    --help | -h) usage && exit 0 ;;
    --dry-run) DRY_RUN=yes ;;
    --vars)
      [ -n "${2:-}" ] || stop '--vars: the name of a file is missing after it'
      VARS=$2 TAKEN=2
      ;;
    *) stop "\"$1\" is no argument; --help shows what is" ;;
  esac
}

common_arguments() {
  while [ $# -gt 0 ]; do
    common_argument "$@"
    shift "$TAKEN"
  done
}

read_variables() {
  [ -r "$VARS" ] || stop "the variables cannot be read from \"$VARS\""
  # shellcheck source=../deployment_vars.sh
  . "$VARS"
  one_of TRADING_MODE paper live
  one_of SHAPE run vm
  one_of GATEWAY gateway simulator
  # Whoever mistakes it for the address does not see that repeated.
  case "$ALERT_WEBHOOK" in yes | no) ;; *) stop 'ALERT_WEBHOOK: must be yes or no; the address itself is asked for' ;; esac
  derive_names
}
