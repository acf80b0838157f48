#!/bin/sh
# Installs what checks the page into build-tools/ of this checkout, in the versions of package-lock.json. Nothing to do: silent.
set -eu
cd "$(dirname "$0")"
target=../../build-tools

if cmp -s package-lock.json "$target/package-lock.json" && [ -d "$target/node_modules" ]; then
    exit 0
fi
echo "Installing the tools that check the page with npm ..." >&2
mkdir -p "$target"
cp package.json "$target/"
cp package-lock.json "$target/package-lock.json.part"
(cd "$target" && mv package-lock.json.part package-lock.json && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) || {
    rm -f "$target/package-lock.json"
    exit 1
}
