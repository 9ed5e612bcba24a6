#!/usr/bin/env bash
# desktop.sh COMMAND…   runs COMMAND on a private X server with a window manager; inside session.sh, any number in parallel.
# Sets DISPLAY, and WD_PORT if tauri-driver is on the path: one WebDriver session at a time.
# DESKTOP_SIZE = 1280x900 (default). DESKTOP_LOG = a directory for the logs of all parts; they are deleted otherwise.
set -euo pipefail
T=$(mktemp -d)
LOG="${DESKTOP_LOG:-$T}"
parts=()
finish() {
  # The driver first: the app it started must lose its display last.
  for ((n = ${#parts[@]} - 1; n >= 0; n--)); do
    kill "${parts[n]}" 2>/dev/null || true
    wait "${parts[n]}" 2>/dev/null || true
  done
  rm -rf "$T"
}
trap finish EXIT
await() { for _ in $(seq 200); do "$@" >/dev/null 2>&1 && return; sleep .05; done; echo "desktop.sh: not ready: $*" >&2; exit 1; }

Xvfb -displayfd 5 -screen 0 "${DESKTOP_SIZE:-1280x900}x24" -nolisten tcp 5>"$T/display" >"$LOG/xvfb.log" 2>&1 &
parts+=($!)
await test -s "$T/display"
DISPLAY=":$(cat "$T/display")"
unset WAYLAND_DISPLAY
export DISPLAY NO_AT_BRIDGE=1 GDK_BACKEND=x11

managed() { xdotool getactivewindow || [[ $(xprop -root _NET_SUPPORTING_WM_CHECK 2>/dev/null) == *"window id"* ]]; }
# A window manager that does not take the screen within three seconds is started anew.
for attempt in 1 2 3; do
  openbox --sm-disable >>"$LOG/openbox.log" 2>&1 &
  manager=$!
  command -v xprop >/dev/null || break
  for _ in $(seq 60); do managed >/dev/null 2>&1 && break 2; sleep .05; done
  kill "$manager" 2>/dev/null || true
  wait "$manager" 2>/dev/null || true
  [ "$attempt" -lt 3 ] || { echo "desktop.sh: the window manager did not start" >&2; exit 1; }
done
parts+=("$manager")

if command -v tauri-driver >/dev/null; then
  port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
  WD_PORT=$(port)
  export WD_PORT
  tauri-driver --port "$WD_PORT" --native-port "$(port)" >"$LOG/driver.log" 2>&1 &
  parts+=($!)
  ready() { curl -fs "http://127.0.0.1:$WD_PORT/status" | grep -q '"ready":true'; }
  await ready
fi

code=0
"$@" || code=$?
exit "$code"
