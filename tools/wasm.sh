#!/bin/sh
# Prepares the build of the core for WebAssembly in a folder, for `ninja -C FOLDER`:  tools/wasm.sh FOLDER
#
# It needs clang, wasm-ld and wasi-libc (tools/setup.sh web), and the sources of two libraries, of which there is no build for
# WebAssembly. They are fetched once, as Debian's source packages, which apt verifies, into build-sources/ of this checkout; who puts
# them there otherwise needs no apt. Exits 1 with a line that says what is missing.
set -eu
[ $# -eq 1 ] || { echo "usage: tools/wasm.sh FOLDER" >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
sources=$root/build-sources

fail() {
    echo "$1" >&2
    exit 1
}

can_compile() {
    echo '#include <stdlib.h>
        int main(void) { return !malloc(1); }' | clang --target=wasm32-wasi -x c -o "$folder/probe.wasm" - 2>/dev/null
}

# Debian's own source list, whether its machine asks for source packages or not, is read beside that of the machine, which stays as
# it is.
list_sources() {
    for list in /etc/apt/sources.list.d/*.sources; do
        if [ -f "$list" ]; then
            sed 's/^Types:.*/Types: deb-src/' "$list" >"$folder/apt/parts/$(basename "$list")"
        fi
    done
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        if [ -f "$list" ]; then
            sed -n 's/^deb /deb-src /p' "$list" >>"$folder/apt/parts/lines.list"
        fi
    done
}

apt() {
    apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$folder/apt/parts" -o "Dir::State::lists=$folder/apt/lists" \
        -o "APT::Sandbox::User=$(id -un)" -o Debug::NoLocking=1 "$@" >>"$folder/apt/log" 2>&1
}

fetch() { # fetch PACKAGE FOLDER
    command -v apt-get >/dev/null || fail "the sources of $2 are missing: unpack them to build-sources/$2"
    mkdir -p "$folder/apt/parts" "$folder/apt/lists/partial"
    if [ ! -f "$folder/apt/parts/lines.list" ]; then
        : >"$folder/apt/parts/lines.list"
        list_sources
        apt update || fail "the source packages of $1 cannot be listed: see $folder/apt/log"
    fi
    (cd "$folder/apt" && apt source --download-only "$1") || fail "the source package of $1 cannot be fetched: see $folder/apt/log"
    mkdir -p "$sources/$2.part"
    tar -xf "$folder/apt/$1"_*.orig.tar.* --strip-components=1 -C "$sources/$2.part"
    mv "$sources/$2.part" "$sources/$2"
}

for tool in clang wasm-ld llvm-ar ninja meson; do
    command -v $tool >/dev/null || fail "there is no $tool: tools/setup.sh web"
done
can_compile || fail "clang has no C library for WebAssembly: tools/setup.sh web"
[ -d "$sources/oniguruma" ] || fetch libonig oniguruma
[ -d "$sources/utf8proc" ] || fetch utf8proc utf8proc
rm -rf "$folder/apt" "$folder/probe.wasm"

[ ! -f "$folder/build.ninja" ] || exit 0
cat >"$folder/paths.ini" <<END
[constants]
root = '$root'
END
meson setup "$folder" "$root" --cross-file "$folder/paths.ini" --cross-file "$root/wasm/wasm32.ini" \
    -Doptimization=2 -Ddebug=false -Db_ndebug=true -Db_asneeded=false -Db_lundef=false >"$folder/setup.log" ||
    fail "Meson cannot set up the build for WebAssembly: see $folder/setup.log"
