#!/bin/bash
# Is the gateway of any use? A connection alone proves nothing: one that has lost its session still accepts. So this is what a client
# does: hand-shake, session, and the question what time it is. Exit code 0 when that is answered, else 1 with the reason.
# Bash alone, so that the image needs neither Node nor Python.
set -euo pipefail

port=${IB_PORT:-$([[ "${TRADING_MODE:-paper}" == live ]] && echo 4001 || echo 4002)}
host=${IB_HOST:-127.0.0.1}
# One of its own: an engine keeps its client id, and a second session with it would be refused.
client=${HEALTH_CLIENT_ID:-998}
seconds=${HEALTH_TIMEOUT:-10}

fail() {
  echo "gateway: not healthy: $1" >&2
  exit 1
}

# A frame is its length in four bytes, then fields that end with a zero byte; here a line each.
send() {
  local body=$1 length
  length=$(printf '%b' "$body" | wc -c)
  printf '%b' "\\x00\\x00\\x00$(printf '\\x%02x' "$length")$body" >&3
}
receive() {
  local bytes
  read -r -a bytes < <(head -c 4 <&3 | od -An -tu1) || return 1
  ((${#bytes[@]} == 4)) || return 1
  head -c $(((bytes[0] << 24) + (bytes[1] << 16) + (bytes[2] << 8) + bytes[3])) <&3 | tr '\0' '\n'
}

ask() {
  local answer fields
  { exec 3<>"/dev/tcp/$host/$port"; } 2>/dev/null || fail "nobody listens on $host:$port"
  # 178 is the newest version in which everything is text.
  printf 'API\0\0\0\0\x09v100..178' >&3
  answer=$(receive) || true
  [[ -n "$answer" ]] || fail 'the hand-shake is not answered'
  send "71\\x002\\x00$client\\x00\\x00"
  send '49\x001\x00'
  while answer=$(receive) && [[ -n "$answer" ]]; do
    mapfile -t fields <<<"$answer"
    if [[ "${fields[0]}" == 49 ]]; then
      [[ "${fields[2]:-}" =~ ^[0-9]{9,}$ ]] || fail 'the time it tells is none'
      exit 0
    fi
    [[ "${fields[0]}" != 4 || "${fields[3]:-}" != 326 ]] || fail "client id $client is in use"
  done
  fail 'the connection was closed before the time was told'
}

if [[ "${1:-}" == ask ]]; then ask; fi
code=0
timeout "$seconds" "${BASH_SOURCE[0]}" ask || code=$?
((code != 124)) || fail "no answer within $seconds s"
exit "$code"
