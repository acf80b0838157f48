#!/bin/sh
# Checks what a compiler run does not: format, warnings of two compilers, static analysis, the header in C++.
#
#     tools/lint.sh             says what is wrong; exits 1 at the first step that fails
#     tools/lint.sh --format    rewrites all C files in the one format instead
set -eu
cd "$(dirname "$0")/.."

jobs=$(nproc 2>/dev/null || echo 2)

c_files() { # all C files of the project that match the patterns: c_files '*.c' '*.h'
    for pattern in "$@"; do
        find include src cli mcp server wasm tests tools bench -name "$pattern" -type f
    done | sort
}

step() {
    echo "lint: $1" >&2
}

if [ "${1:-}" = --format ]; then
    c_files '*.c' '*.h' | xargs clang-format -i
    exit 0
fi

step "format"
c_files '*.c' '*.h' | xargs clang-format --dry-run -Werror

step "the public header in C++"
c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ include/tonnage/tonnage.h

for compiler in gcc clang; do
    step "all warnings of $compiler"
    build=build-$compiler
    [ -f $build/build.ninja ] || CC=$compiler meson setup $build -Dpage=disabled >/dev/null
    ninja -C $build --quiet
done

# One file a run: version 14 sees va_lists as uninitialised in all files of a run but the first.
step "clang-tidy"
c_files '*.c' | while read -r file; do
    # Only what the build compiles: clang-tidy would guess the flags of other files.
    grep -q "$file\"" build-clang/compile_commands.json && echo "$file"
done | xargs -n 1 -P "$jobs" clang-tidy --quiet -p build-clang 2>build-clang/tidy.log || {
    grep -v 'warnings generated' build-clang/tidy.log >&2
    exit 1
}

# Off, because version 2.10 is wrong there: incorrectLogicOperator (it misreads 0x1p63), floatConversionOverflow (it does
# not see the comparison before), internalAstError (a compound literal in ?:), readdirCalled (libc deprecates readdir_r).
step "cppcheck"
cppcheck --quiet -j "$jobs" --error-exitcode=1 --std=c11 --library=posix --inline-suppr \
    --enable=warning,performance,portability --suppress=missingIncludeSystem \
    --suppress=incorrectLogicOperator --suppress=floatConversionOverflow --suppress=internalAstError \
    --suppress=readdirCalled \
    -I include -I src -DTONNAGE_VERSION='""' src cli mcp server wasm tools

step "types of the page"
build-tools/node_modules/.bin/tsc -p tools/web/tsconfig.json

echo "lint: nothing to say" >&2
