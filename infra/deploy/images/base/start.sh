#!/bin/bash
# Starts IB Gateway through IBC: renders config.ini and jts.ini from the environment, then keeps a display and IBC running.
# Secrets come from files (IB_USER_FILE, IB_PASSWORD_FILE) or variables, go into config.ini (0600) and nowhere else: from then on no
# process has them in its arguments or its environment. Every variable is in infra/deploy/images/README.md.
set -euo pipefail
umask 077

say() { echo "gateway: $1" >&2; }
# Exit code 78: what is wrong is the configuration, and trying again does not help.
stop() {
  say "$1"
  exit 78
}

# ── What the environment says ──

# 1111, as IBC says it, in eight bits.
readonly second_factor_timed_out=87
readonly secrets=(IB_USER IB_USERNAME IB_PASSWORD IB_USER_FILE IB_USERNAME_FILE IB_PASSWORD_FILE)

# The value of a variable, or of the file that its _FILE names; both at once would leave open which one counts.
secret() {
  local name=$1 file="${1}_FILE" value
  if [[ -n "${!name:-}" && -n "${!file:-}" ]]; then stop "$name: $file is set as well; set one of them"; fi
  if [[ -n "${!file:-}" ]]; then
    [[ -r "${!file}" ]] || stop "$file: ${!file} cannot be read"
    value=$(<"${!file}")
    value=${value%$'\r'}
    [[ -n "$value" ]] || stop "$file: ${!file} is empty"
  else
    value=${!name:-}
  fi
  printf '%s' "$value"
}

choice() {
  local name=$1 value=$2
  shift 2
  for allowed in "$@"; do [[ "$value" != "$allowed" ]] || return 0; done
  stop "$name: must be one of $*, got '$value'"
}

time_of_day() { [[ "$2" =~ ^([01][0-9]|2[0-3]):[0-5][0-9]$ ]] || stop "$1: must be a time of day such as 23:45, got '$2'"; }
whole_number() { [[ "$2" =~ ^[0-9]{1,9}$ ]] || stop "$1: must be a whole number, got '$2'"; }

# IBC takes the nightly restart on a twelve-hour clock, and the cold restart on one of twenty-four.
twelve_hours() {
  local hour=$((10#${1%:*})) minute=${1#*:} half=AM
  ((hour < 12)) || half=PM
  hour=$((hour % 12))
  ((hour > 0)) || hour=12
  printf '%02d:%s %s' "$hour" "$minute" "$half"
}

# IBC reads a Java properties file.
property() {
  local value=$2 LC_ALL=C
  [[ "$value" =~ ^[\ -~]*$ ]] || stop "$1: only printable ASCII characters are possible here"
  value=${value//\\/\\\\}
  [[ "$value" != ' '* ]] || value="\\$value"
  printf '%s' "$value"
}

read_environment() {
  mode=${TRADING_MODE:-paper}
  choice TRADING_MODE "$mode" paper live
  settings=${TWS_SETTINGS_PATH:-/settings}
  programs=${TWS_PATH:-/opt/ib}
  ibc=${IBC_PATH:-/opt/ibc}
  ini=${IBC_INI:-/run/ibc/config.ini}
  for path in "$settings" "$programs" "$ibc" "$ini"; do
    [[ "$path" =~ ^/[A-Za-z0-9._/-]+$ ]] || stop "TWS_SETTINGS_PATH, TWS_PATH, IBC_PATH, IBC_INI: '$path' is no absolute path without spaces"
  done
  port=${IB_PORT:-$([[ "$mode" == live ]] && echo 4001 || echo 4002)}
  whole_number IB_PORT "$port"
  restart_at=${IB_RESTART_AT:-23:45}
  cold_restart_at=${IB_COLD_RESTART_AT:-07:05}
  time_of_day IB_RESTART_AT "$restart_at"
  time_of_day IB_COLD_RESTART_AT "$cold_restart_at"
  # IB ends the week's login on Sunday at 01:00: a cold restart before that would ask for the second factor twice.
  [[ "$cold_restart_at" > 01:00 ]] || stop "IB_COLD_RESTART_AT: must be after 01:00, when the week's login ends, got '$cold_restart_at'"
  second_factor=${SECOND_FACTOR_TIMEOUT_ACTION:-restart}
  choice SECOND_FACTOR_TIMEOUT_ACTION "$second_factor" restart wait
  second_factor_seconds=${SECOND_FACTOR_TIMEOUT:-180}
  whole_number SECOND_FACTOR_TIMEOUT "$second_factor_seconds"
  second_factor_device=$(property SECOND_FACTOR_DEVICE "${SECOND_FACTOR_DEVICE:-}")
  existing_session=${EXISTING_SESSION_ACTION:-primary}
  choice EXISTING_SESSION_ACTION "$existing_session" primary primaryoverride secondary
  retry_after=${RETRY_AFTER:-600}
  whole_number RETRY_AFTER "$retry_after"
  read_only=${READ_ONLY_API:-no}
  choice READ_ONLY_API "$read_only" yes no
}

# TWS_VERSION as IBC has it, 1050, or as IB has it, 10.50.1d; without it the one that is installed.
find_version() {
  local found=()
  version=${TWS_VERSION:-}
  if [[ "$version" =~ ^([0-9]{2})\.([0-9]{2})(\.[0-9a-z]+)?$ ]]; then version=${BASH_REMATCH[1]}${BASH_REMATCH[2]}; fi
  if [[ -z "$version" ]]; then
    for folder in "$programs"/ibgateway/*/jars; do [[ ! -d "$folder" ]] || found+=("$(basename "$(dirname "$folder")")"); done
    ((${#found[@]} == 1)) || stop "TWS_VERSION: not set, and $programs/ibgateway holds ${#found[@]} versions"
    version=${found[0]}
  fi
  [[ "$version" =~ ^[0-9]{3,4}$ ]] || stop "TWS_VERSION: must be a major version such as 1050, got '$version'"
  [[ -d "$programs/ibgateway/$version/jars" ]] || stop "TWS_VERSION: IB Gateway $version is not installed in $programs/ibgateway"
  [[ -x "$ibc/scripts/ibcstart.sh" ]] || stop "IBC_PATH: there is no scripts/ibcstart.sh in $ibc"
}

# ── The settings folder ──

# What spares us the second factor on weekdays is a file that the gateway leaves here before it restarts.
check_settings() {
  [[ -d "$settings" && -w "$settings" ]] || stop "TWS_SETTINGS_PATH: $settings is no folder that uid $(id -u) can write to"
  local kind
  kind=$(stat -f -c %T "$settings")
  case "$kind" in
    tmpfs | ramfs | overlayfs | aufs)
      local lost="TWS_SETTINGS_PATH: $settings is not on a disk ($kind): each new container has to log in anew"
      [[ "$mode" == paper ]] || stop "$lost, with a second factor; live trading needs a disk there"
      say "$lost"
      ;;
  esac
  exec 9>"$settings/.gateway-lock"
  flock --nonblock 9 || stop "TWS_SETTINGS_PATH: another gateway uses $settings; two would delete each other's restart files"
}

# ── What is rendered ──

render_ibc() {
  local user password
  if [[ -n "${IB_USER:-}${IB_USER_FILE:-}" ]]; then user=$(secret IB_USER); else user=$(secret IB_USERNAME); fi
  password=$(secret IB_PASSWORD)
  [[ -n "$user" ]] || stop 'IB_USER: missing; set IB_USER_FILE (or IB_USER)'
  [[ -n "$password" ]] || stop 'IB_PASSWORD: missing; set IB_PASSWORD_FILE (or IB_PASSWORD)'
  user=$(property IB_USER "$user")
  password=$(property IB_PASSWORD "$password")
  mkdir -p "$(dirname "$ini")"
  rm -f "$ini"
  cat >"$ini" <<INI
IbLoginId=$user
IbPassword=$password
TradingMode=$mode
IbDir=$settings
OverrideTwsApiPort=$port
ReadOnlyApi=$read_only
AcceptIncomingConnectionAction=reject
AcceptNonBrokerageAccountWarning=yes
ExistingSessionDetectedAction=$existing_session
SecondFactorDevice=$second_factor_device
SecondFactorAuthenticationTimeout=$second_factor_seconds
SecondFactorAuthenticationExitInterval=60
ReloginAfterSecondFactorAuthenticationTimeout=$([[ "$second_factor" == restart ]] && echo yes || echo no)
AutoRestartTime=$(twelve_hours "$restart_at")
ColdRestartTime=$cold_restart_at
BypassOrderPrecautions=yes
AllowBlindTrading=yes
ResetOrderIdsAtStart=no
DismissPasswordExpiryWarning=no
CommandServerPort=0
LoginDialogDisplayTimeout=60
INI
}

# Sets one key of jts.ini and keeps all that the gateway wrote there itself.
keep() {
  local section=$1 key=$2 value=$3 file=$4
  awk -v section="[$section]" -v key="$key" -v value="$value" '
    function put() { if (!done) { print key "=" value; done = 1 } }
    /^\[/ { if (inside) put(); inside = ($0 == section) }
    inside && index($0, key "=") == 1 { put(); next }
    { print }
    END { if (!done) { if (!inside) print section; put() } }
  ' "$file" >"$file.new"
  mv "$file.new" "$file"
}

render_jts() {
  local file="$settings/jts.ini"
  [[ -e "$file" ]] || : >"$file"
  keep IBGateway WriteDebug false "$file"
  keep IBGateway TrustedIPs 127.0.0.1 "$file"
  keep IBGateway ApiOnly true "$file"
  keep IBGateway LocalServerPort "$port" "$file"
  keep Logon Locale en "$file"
  keep Logon TimeZone America/New_York "$file"
  keep Logon displayedproxymsg 1 "$file"
  keep Logon UseSSL true "$file"
  keep Logon s3store true "$file"
}

# ── Running ──

children=()
ending=no
# shellcheck disable=SC2317 # called by the trap
end_all() {
  ending=yes
  say 'told to end'
  for child in "${children[@]}"; do kill -TERM "$child" 2>/dev/null || true; done
}

# started PID: a signal may have come after the start of it and before it was known.
started() {
  children+=("$1")
  [[ "$ending" == no ]] || kill -TERM "$1" 2>/dev/null || true
}

give_up() {
  rm -f "$ini"
  say "$1"
  exit 1
}

# hold SECONDS|infinity TEXT
hold() {
  sleep "$1" 9>&- &
  started $!
  say "$2"
  wait $! || true
}

run() {
  trap end_all TERM INT
  # Only root may have Xvfb make this folder; without it there is no socket.
  [[ -d /tmp/.X11-unix ]] || mkdir -m 1777 /tmp/.X11-unix || give_up '/tmp cannot be written to'
  # Xvfb takes a display that is free and says which: after a restart of the container the old one may still look taken.
  local display said
  exec {said}< <(exec Xvfb -displayfd 1 -screen 0 1024x768x16 -nolisten tcp 9>&-)
  started $!
  read -r -t 30 display <&"$said" || give_up 'Xvfb has no display'
  exec {said}<&-
  export DISPLAY=:$display
  if [[ -n "${LOG_PATH:-}" ]]; then
    mkdir -p "$LOG_PATH"
    exec > >(exec 9>&- && exec tee -a "$LOG_PATH/ibc-$(date +%F).log") 2>&1
  fi
  say "IB Gateway $version, $mode, API on port $port, restart at $restart_at, cold restart on Sunday at $cold_restart_at, New York time"
  # Neither user nor password: IBC finds both in its file.
  "$ibc/scripts/ibcstart.sh" "$version" -g "--tws-path=$programs" "--tws-settings-path=$settings" "--ibc-path=$ibc" "--ibc-ini=$ini" \
    "--mode=$mode" "--on2fatimeout=$([[ "$second_factor" == restart ]] && echo restart || echo exit)" &
  local gateway=$! code=0
  started "$gateway"
  wait "$gateway" || code=$?
  # A signal ends the wait; the gateway itself may take longer.
  while kill -0 "$gateway" 2>/dev/null; do wait "$gateway" || code=$?; done
  rm -f "$ini"
  # Each new login is a new message to somebody's phone: nobody is woken again until he restarts the container.
  if ((code == second_factor_timed_out)) && [[ "$ending" == no && "$second_factor" == wait ]]; then
    hold infinity 'the second factor was not given in time; restart the container when you have your phone at hand'
  # Whatever runs the container starts it again at once, and IB locks a user after some wrong passwords.
  elif ((code != 0 && retry_after > 0 && SECONDS < 300)) && [[ "$ending" == no ]]; then
    hold "$retry_after" "IBC ended with $code after $SECONDS s; nothing is tried again for $retry_after s, so that IB does not lock the user"
  fi
  kill -TERM "${children[0]}" 2>/dev/null || true
  say "IBC has ended with $code"
  exit "$code"
}

read_environment
find_version
check_settings
if [[ "${1:-}" != run ]]; then
  render_jts
  render_ibc
  # Begins anew without them: what a process was started with can be read for as long as it runs.
  without=()
  for name in "${secrets[@]}"; do without+=(-u "$name"); done
  exec env "${without[@]}" "${BASH_SOURCE[0]}" run 9>&-
fi
run
