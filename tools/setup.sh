#!/bin/sh
# Makes sure that the tools that a task needs are there:  tools/setup.sh build | lint | fuzz | bench | web | check-web | all
#
# Nothing missing: silent and instant. On Debian and Ubuntu it says what is missing and why, and installs it with apt-get.
# Elsewhere it prints what to install, and exits 1.
set -eu

# task | is it there? | Debian | Fedora | Arch | Homebrew | what it is for
needs() {
    cat <<'TABLE'
build|command -v cc|gcc libc6-dev|gcc|gcc|-|the C compiler
build|command -v meson|meson|meson|meson|meson|describes the build
build|command -v ninja|ninja-build|ninja-build|ninja|ninja|runs the build
build|command -v pkg-config|pkg-config|pkgconf|pkgconf|pkgconf|finds libraries
build|pkg-config --exists cmocka|libcmocka-dev|libcmocka-devel|cmocka|cmocka|runs the unit tests
build|pkg-config --exists libcurl|libcurl4-openssl-dev|libcurl-devel|curl|curl|reads the headers of remote models
build|pkg-config --exists oniguruma|libonig-dev|oniguruma-devel|oniguruma|oniguruma|regular expressions of tokenizers
build|pkg-config --exists libutf8proc|libutf8proc-dev|utf8proc-devel|libutf8proc|utf8proc|Unicode properties and normal forms
build|pkg-config --exists sqlite3|libsqlite3-dev|sqlite-devel|sqlite|sqlite|keeps measurements that narrow plans
build|pkg-config --exists libmicrohttpd|libmicrohttpd-dev|libmicrohttpd-devel|libmicrohttpd|libmicrohttpd|answers over HTTP (tonnage serve)
build|pkg-config --exists zlib|zlib1g-dev|zlib-devel|zlib|zlib|unpacks the page for those who take nothing compressed
build|command -v python3|python3|python3|python|python3|runs the tests of the command line
lint|command -v clang|clang|clang|clang|llvm|the second compiler
lint|command -v clang-format|clang-format|clang-tools-extra|clang|clang-format|checks the format
lint|command -v clang-tidy|clang-tidy|clang-tools-extra|clang|llvm|static analysis
lint|command -v cppcheck|cppcheck|cppcheck|cppcheck|cppcheck|static analysis
lint|command -v npm|npm|nodejs-npm|npm|node|installs the checker of the page's types
lint|command -v c++|g++|gcc-c++|gcc|-|checks that the header can be used from C++
web|command -v clang|clang|clang|clang|llvm|the compiler of the page's core
web|command -v wasm-ld|lld|lld|lld|lld|links WebAssembly
web|command -v llvm-ar|llvm|llvm|llvm|llvm|libraries of WebAssembly
web|has_wasi|wasi-libc @wasi|wasi-libc-static wasi-libc-devel|wasi-libc wasi-compiler-rt|wasi-libc wasi-runtimes|the C library for WebAssembly
web|command -v node|nodejs|nodejs|nodejs|node|runs the tests of the page's core
browser|command -v npm|npm|nodejs-npm|npm|node|installs the remote control of the browser
browser|command -v chromium|chromium|chromium|chromium|chromium|the browser that the page is tested in
bench|command -v wrk|wrk|wrk|-|wrk|asks the server as fast as it can
fuzz|command -v clang|clang|clang|clang|llvm|the compiler that has libFuzzer
fuzz|has_libfuzzer|@libfuzzer|compiler-rt|compiler-rt|llvm|libFuzzer and the sanitizers
TABLE
}

has_libfuzzer() {
    echo 'int LLVMFuzzerTestOneInput(const char *d, long n); int LLVMFuzzerTestOneInput(const char *d, long n) { return !d && n; }' |
        clang -x c -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null
}

has_wasi() {
    echo '#include <stdlib.h>
        int main(void) { return !malloc(1); }' | clang --target=wasm32-wasi -x c -o /dev/null - 2>/dev/null
}

# libFuzzer's package carries the version of the distribution's clang: libclang-rt-14-dev where `clang` means clang-14.
libfuzzer_package() {
    apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p' | head -1
}

wasi_package() {
    libfuzzer_package | sed 's/$/-wasm32/'
}

# The rows of the table whose test fails, of the tasks asked for.
missing_rows() {
    needs | while IFS='|' read -r task test rest; do
        case " $tasks " in *" $task "*) ;; *) continue ;; esac
        $test >/dev/null 2>&1 </dev/null || echo "$task|$test|$rest"
    done
}

column() { # column N: that column of the missing rows, as words
    printf '%s\n' "$missing" | cut -d '|' -f "$1" | tr ' ' '\n' | grep -v '^-$' | sort -u | tr '\n' ' '
}

install_debian() {
    sudo=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "setup: run this as root once: apt-get install $(column 3)" >&2; exit 1; }
        sudo=sudo
    fi
    install="$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends"
    # A fresh machine or container has no package lists; elsewhere they are refreshed only if they prove too old.
    [ -n "$(apt-cache policy meson 2>/dev/null | grep -v 'none' | grep Candidate)" ] || $sudo apt-get update -qq
    packages=$(column 3 | sed "s/@libfuzzer/$(libfuzzer_package)/; s/@wasi/$(wasi_package)/")
    # shellcheck disable=SC2086 # a list of words
    $install $packages >/dev/null 2>&1 </dev/null || { $sudo apt-get update -qq && $install $packages >/dev/null </dev/null; }
}

case "${1:-}" in
build) tasks="build" ;;
lint) tasks="build lint" ;;
fuzz) tasks="build fuzz" ;;
bench) tasks="build bench" ;;
web) tasks="build web" ;;
check-web) tasks="build web browser" ;;
all) tasks="build lint fuzz web browser" ;;
*) echo "usage: tools/setup.sh build | lint | fuzz | bench | web | check-web | all" >&2; exit 2 ;;
esac

# What comes from npm stands in tools/web, with exact versions.
install_npm() {
    case " $tasks " in *" lint "* | *" browser "*) "$(dirname "$0")/web/install.sh" ;; esac
}

missing=$(missing_rows)
[ -n "$missing" ] || { install_npm; exit 0; }

echo "tonnage needs what this machine does not have yet:" >&2
printf '%s\n' "$missing" | while IFS='|' read -r task test debian fedora arch homebrew reason; do
    echo "    $debian: $reason" | sed 's/@libfuzzer/libclang-rt/; s/@wasi/libclang-rt-wasm32/' >&2
done

if command -v apt-get >/dev/null; then
    echo "Installing with apt-get ..." >&2
    install_debian
else
    cat >&2 <<EOF
Please install it, then try again:
    Fedora:    sudo dnf install $(column 4)
    Arch:      sudo pacman -S $(column 5)
    Homebrew:  brew install $(column 6)
EOF
    exit 1
fi

missing=$(missing_rows)
[ -z "$missing" ] || { echo "setup: still missing after the installation: $(column 3)" >&2; exit 1; }
install_npm
