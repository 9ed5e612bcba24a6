#!/usr/bin/env bash
# session.sh COMMAND…   runs COMMAND on a private session bus, with a home directory of its own that is deleted afterwards.
# SESSION_KEYRING = unlocked (default): gnome-keyring, unlocked, password in KEYRING_PASSWORD
#                 | fresh: gnome-keyring of a user who never had a keyring, no default collection
#                 | none: no keyring on the bus
# The bus starts no services by itself: a rival keyring daemon could otherwise answer first.
set -euo pipefail
if [ "${SESSION_INNER:-}" != 1 ]; then
  T=$(mktemp -d)
  trap 'rm -rf "$T"' EXIT
  mkdir -p "$T/run" "$T/home/.local/share" "$T/home/.config" "$T/home/.cache"
  chmod 700 "$T" "$T/run"
  cat >"$T/bus.conf" <<X
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=$T/run</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
X
  # HOME changes below; cargo inside must still find its own.
  export CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"
  code=0
  SESSION_INNER=1 HOME="$T/home" XDG_RUNTIME_DIR="$T/run" XDG_DATA_HOME="$T/home/.local/share" \
    XDG_CONFIG_HOME="$T/home/.config" XDG_CACHE_HOME="$T/home/.cache" \
    dbus-run-session --config-file="$T/bus.conf" -- "$0" "$@" || code=$?
  exit "$code"
fi

unset SESSION_INNER GNOME_KEYRING_CONTROL SSH_AUTH_SOCK
export KEYRING_PASSWORD="${KEYRING_PASSWORD:-ci-pass}"
ask() { gdbus call --session --dest "$1" --object-path "$2" --method "$3" "$4" 2>/dev/null; }
owned() { ask org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus.NameHasOwner org.freedesktop.secrets | grep -q true; }
collection() { ask org.freedesktop.secrets /org/freedesktop/secrets org.freedesktop.Secret.Service.ReadAlias default | grep -q collection; }
await() { for _ in $(seq 200); do "$@" && return; sleep .05; done; echo "session.sh: the keyring did not come up ($*)" >&2; exit 1; }

case "${SESSION_KEYRING:-unlocked}" in
  # printf, not echo: a newline would become part of the password.
  unlocked) gnome-keyring-daemon --foreground --unlock --components=secrets < <(printf %s "$KEYRING_PASSWORD") >/dev/null 2>&1 & ;;
  fresh) gnome-keyring-daemon --foreground --components=secrets </dev/null >/dev/null 2>&1 & ;;
  none) "$@"; exit ;;
  *) echo "session.sh: SESSION_KEYRING is unlocked, fresh or none" >&2; exit 2 ;;
esac
KEYRING=$!
trap 'kill $KEYRING 2>/dev/null || true; wait $KEYRING 2>/dev/null || true' EXIT
await owned
[ "${SESSION_KEYRING:-unlocked}" = fresh ] || await collection
"$@"
