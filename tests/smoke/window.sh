#!/usr/bin/env bash
# Starts the program in a real window on a virtual screen as a new user would, labels a review with keys, visits every
# place, and kills it. Fails when no window comes, the picture is blank, or the program has died.
#
#   window.sh PROGRAM [PICTURE.png]
#
# Needs Xvfb, xdotool, ImageMagick and a (software) Vulkan or GL driver.
set -euo pipefail
program=$(realpath "$1")
home=$(mktemp -d)
picture=${2:-$home/window.png}
log=$home/log
say() { echo "window: $*"; }
fail() { say "$*" >&2; tail -n 30 "$log" >&2 2>/dev/null || true; exit 1; }

server= ; app=
end() {
  [ -z "$app" ] || kill -KILL "$app" 2>/dev/null || true
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$home"
}
trap end EXIT

# The server picks a free display and writes its number once it is ready.
mkfifo "$home/display"
Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp 3>"$home/display" >"$home/xvfb" 2>&1 &
server=$!
read -r -t 30 number <"$home/display" || fail "the virtual screen did not start"

# A home of its own: nothing of the person running this is read or changed.
mkdir -p "$home/config" "$home/runtime"; chmod 700 "$home/runtime"
env -u WAYLAND_DISPLAY DISPLAY=":$number" HOME="$home" GLOSS_CONFIG_DIR="$home/config" XDG_RUNTIME_DIR="$home/runtime" \
  XDG_CONFIG_HOME="$home/config" XDG_DATA_HOME="$home/data" XDG_CACHE_HOME="$home/cache" LANG=C.UTF-8 \
  "$program" >"$log" 2>&1 &
app=$!
export DISPLAY=":$number"
alive() { kill -0 "$app" 2>/dev/null || fail "the program ended"; }

window=
for _ in $(seq 600); do
  alive
  window=$(xdotool search --onlyvisible --name '.' 2>/dev/null | tail -n 1) || true
  [ -z "$window" ] || break
  sleep 0.1
done
[ -n "$window" ] || fail "no window within a minute"
xdotool windowmove "$window" 0 0 windowsize "$window" 1280 800 windowfocus "$window" || true

colours() { import -window root "$1" && identify -format %k "$1"; }
# The first picture may take the software driver some seconds. A line of text alone has dozens of shades.
for _ in $(seq 60); do
  alive
  [ "$(colours "$picture")" -lt 40 ] || break
  sleep 0.5
done
shades=$(colours "$picture")
[ "$shades" -ge 40 ] || fail "the window is blank: $shades colours"
before=$(identify -format '%#' "$picture")

keys() { for key in "$@"; do alive; xdotool key --clearmodifiers "$key"; sleep 0.3; done; }
keys 3 f Return n 1 Return ctrl+z ctrl+shift+z s k k bracketright
keys ctrl+2; sleep 1
[ "$(colours "$home/train.png")" -ge 40 ] || fail "the second place is blank"
[ "$(identify -format '%#' "$home/train.png")" != "$before" ] || fail "the window does not answer to keys"
keys ctrl+3 ctrl+4 ctrl+5 ctrl+1 ctrl+k Escape question Escape
sleep 1
alive
shades=$(colours "$picture")
[ "$shades" -ge 40 ] || fail "the window has gone blank: $shades colours"
find "$home" -name '*.gloss' -size +8k | grep -q . || fail "no project file was made"
kill -KILL "$app"; wait "$app" 2>/dev/null || true; app=
if grep -q 'panicked at' "$log"; then fail "something panicked"; fi
say "up, answering, $shades colours"
