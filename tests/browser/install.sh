#!/usr/bin/env bash
# Makes sure that there is what the browser tests need. Debian's packages are used where they can be installed.
set -euo pipefail
missing=()
browser=
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then browser=$name; fi
done
[ -n "$browser" ] || missing+=(chromium fonts-dejavu-core)
# Playwright's own Node.js needs it, and a minimal Debian has none.
if [ -f /etc/debian_version ] && ! ldconfig -p | grep -q 'libatomic\.so\.1'; then missing+=(libatomic1); fi
if [ "${#missing[@]}" = 0 ]; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing ${missing[*]} ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
elif [ -z "$browser" ]; then
    echo "No Chromium found; the browser tests will be skipped. Install the package chromium to run them." >&2
else
    echo "The browser tests need ${missing[*]}: sudo apt install ${missing[*]}" >&2
fi
