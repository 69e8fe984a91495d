#!/bin/sh
# What a coding agent starts for each hook: interlock-hook.sh AGENT NODE. Asks Interlock's resident process by curl, which
# starts several times quicker than Node. Where that is not there, or curl is not, interlock-hook.cjs beside this file
# asks, or refuses. Nothing is asked twice: only where curl has sent nothing.
home=${0%/*}
event=$(cat)
answer=$(printf '%s' "$event" | curl -q -sS -f --noproxy '*' --max-time 100 --unix-socket "$home/socket" \
  -H 'content-type: application/json' -H 'expect:' --data-binary @- "http://localhost/hooks/$1" 2>/dev/null)
case $? in
  0)
    printf '%s' "$answer"
    ;;
  # Unknown option; no connection; not to be started; not there.
  2 | 7 | 126 | 127)
    printf '%s' "$event" | exec "$2" "$home/interlock-hook.cjs" "$1"
    ;;
  *)
    printf '%s' "$event" | exec "$2" "$home/interlock-hook.cjs" "$1" --refuse
    ;;
esac
