/* Reading /proc and /sys. */
#include "host/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LONGEST_PATH = 512 };

static const char *folder(const char *variable, const char *usual)
{
    const char *other = getenv(variable);
    return other && other[0] ? other : usual;
}

const char *tn_system_proc(void)
{
    return folder("TONNAGE_PROC", "/proc");
}

const char *tn_system_sys(void)
{
    return folder("TONNAGE_SYS", "/sys");
}

static size_t read_all(int descriptor, char *text, size_t size)
{
    size_t filled = 0;
    while (filled < size) {
        ssize_t got = read(descriptor, text + filled, size - filled);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            break;
        }
        filled += got > 0 ? (size_t)got : 0;
    }
    return filled;
}

bool tn_system_read(char *text, size_t size, const char *format, ...)
{
    char path[LONGEST_PATH];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    text[0] = '\0';
    int descriptor = length > 0 && length < LONGEST_PATH ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (descriptor < 0) {
        return false;
    }
    size_t filled = read_all(descriptor, text, size - 1);
    text[filled] = '\0';
    (void)close(descriptor);
    return filled > 0;
}

struct tn_str tn_system_line(struct tn_str text, const char *key)
{
    struct tn_str wanted = tn_str_of(key);
    while (text.size) {
        size_t end = tn_str_find(text, TN_STR("\n"));
        struct tn_str line = tn_str_slice(text, 0, end);
        if (tn_str_starts(line, wanted)) {
            return tn_str_trim(tn_str_slice(line, wanted.size, line.size));
        }
        text = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(text, end + 1, text.size);
    }
    return text;
}

uint64_t tn_system_number(struct tn_str text)
{
    uint64_t number = 0;
    for (size_t k = 0; k < text.size && text.data[k] >= '0' && text.data[k] <= '9'; k++) {
        unsigned digit = (unsigned)(text.data[k] - '0');
        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    return number;
}

uint64_t tn_system_bytes(struct tn_str text)
{
    struct tn_str number = tn_str_word(&text);
    struct tn_str unit = tn_str_word(&text);
    char first = unit.size ? tn_lower(unit.data[0]) : 'b';
    unsigned shift = first == 'k' ? 10 : (first == 'm' ? 20 : (first == 'g' ? 30 : 0));
    uint64_t bytes = tn_system_number(number);
    return bytes > UINT64_MAX >> shift ? UINT64_MAX : bytes << shift;
}
