#!/bin/sh
# Fails when the core library calls a function of libc that is not listed here: the core does no I/O and reads no clock,
# no environment and no locale.
#
# usage: check_symbols.sh LIBRARY.a
set -eu

allowed='
memchr memcmp memcpy memmove memset strchr strcmp strlen strncmp strstr
malloc calloc realloc free aligned_alloc madvise
qsort bsearch
snprintf vsnprintf
ceil floor fabs fmod frexp isfinite isinf isnan ldexp log2 modf pow scalbn sqrt fmax fmin trunc
'
# What compilers, hardening and sanitizers add by themselves.
compiler='^(_GLOBAL_OFFSET_TABLE_|bcmp|__stack_chk_fail|__[a-z]*_chk|__(asan|ubsan|sanitizer|sancov|gcov|llvm|tsan)_.*|__(u|)(div|mod|mul|div|float)[a-z]*[sdt]i[0-9]?)$'

nm=$(nm "$1" 2>&1) || { echo "$nm"; exit 1; }
defined=$(printf '%s\n' "$nm" | awk 'NF == 3 && $2 != "U" {print $3}' | sort -u)
needed=$(printf '%s\n' "$nm" | awk 'NF == 2 && ($1 == "U" || $1 == "w") {print $2}' | sort -u)
[ -n "$defined" ] || { echo "no symbols in $1"; exit 1; }

# Libraries that do none of that either.
libraries='^(onig_[a-z_0-9]*|OnigEncodingUTF8|OnigSyntax[A-Za-z_]*|utf8proc_[a-z_0-9]*)$'

foreign=$(printf '%s\n' "$needed" | grep -vxF -e "$defined" | grep -vxE -e "$compiler" -e "$libraries" |
    grep -vxF -e "$(printf '%s\n' $allowed)" || true)
[ -z "$foreign" ] && exit 0

echo "the core library calls what is not on the list of tests/check_symbols.sh:"
for symbol in $foreign; do
    nm -A "$1" | awk -v symbol="$symbol" '$NF == symbol && /[Uw] [^ ]*$/ {print "    " symbol " in " $1}'
done
exit 1
