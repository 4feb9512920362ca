#!/bin/sh
# Programs that tests start. A test without its program is skipped and says why.
set -eu
missing=
for pair in tmux:tmux openssl:openssl git:git setpriv:util-linux gcc:gcc systemd-analyze:systemd; do
    command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$missing"
    # shellcheck disable=SC2086 - a list of names
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing; } >/dev/null && exit 0
fi
echo "Not installed:$missing. Tests that need them are skipped."
