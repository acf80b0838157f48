/* The stream. */
#include "logs/text/scan.h"

#include "text/utf8.h"

#include <string.h>

enum { HITS = 64, ESCAPE = 0x1B };

/* ---- one line ----------------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* The character behind \u at `at`; 0 where there are no four digits. Halves of pairs come as "?". */
static uint32_t read_escape(struct tn_str text, size_t at)
{
    uint32_t point = 0;
    for (size_t k = at; k < at + 4; k++) {
        int digit = k < text.size ? hex_digit(text.data[k]) : -1;
        if (digit < 0) {
            return 0;
        }
        point = point * 16 + (uint32_t)digit;
    }
    return point >= 0xD800 && point < 0xE000 ? '?' : point;
}

/* A JSON string without its quotes, from behind the first one on: what escapes stand for. Broken ones stay as they are. */
static struct tn_str decode_string(struct tn_str text, char *buffer, size_t room)
{
    size_t size = 0;
    for (size_t k = 0; k < text.size && text.data[k] != '"' && size + 4 < room; k++) {
        char c = text.data[k];
        if (c != '\\' || k + 1 == text.size) {
            buffer[size++] = c;
            continue;
        }
        c = text.data[++k];
        if (c == 'u') {
            uint32_t point = read_escape(text, k + 1);
            k += point ? 4 : 0;
            size += point ? tn_utf8_encode(point, buffer + size) : 0;
        } else {
            buffer[size++] = c == 'n' || c == 'r' || c == 't' ? ' ' : c;
        }
    }
    return (struct tn_str){buffer, size};
}

/* Docker's and Kubernetes' log drivers, and the cloud's: an object a line, the text under one of these keys. */
static struct tn_str unwrap_json(struct tn_str line, char *buffer, size_t size)
{
    static const char *const keys[] = {"\"log\":", "\"message\":", "\"msg\":", "\"textPayload\":", "\"MESSAGE\":"};
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        struct tn_str key = tn_str_of(keys[k]);
        size_t at = tn_str_find(line, key);
        struct tn_str value = at == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(line, at + key.size, line.size);
        value = tn_str_trim(value);
        if (value.size && value.data[0] == '"') {
            return decode_string(tn_str_slice(value, 1, value.size), buffer, size);
        }
    }
    return line;
}

/* The length of the escape sequence at the start of the text; 0 where there is none. */
static size_t escape_size(struct tn_str text)
{
    if (text.size < 2 || text.data[0] != ESCAPE) {
        return 0;
    }
    if (text.data[1] != '[') {
        return 2;
    }
    size_t k = 2;
    while (k < text.size && !(text.data[k] >= 0x40 && text.data[k] <= 0x7E)) {
        k++;
    }
    return k < text.size ? k + 1 : k;
}

/* Without escapes and NUL bytes; in the buffer, which may be where the line is. */
static struct tn_str without_escapes(struct tn_str line, char *buffer, size_t room)
{
    size_t size = 0;
    for (size_t k = 0; k < line.size && size < room;) {
        size_t escape = escape_size(tn_str_slice(line, k, line.size));
        if (escape) {
            k += escape;
        } else if (line.data[k]) {
            buffer[size++] = line.data[k++];
        } else {
            k++;
        }
    }
    return (struct tn_str){buffer, size};
}

struct tn_str tn_scan_unwrap(struct tn_str line, char *buffer, size_t size)
{
    struct tn_str trimmed = tn_str_trim(line);
    if (trimmed.size && trimmed.data[0] == '{') {
        line = unwrap_json(trimmed, buffer, size);
    }
    bool is_plain = !line.size || (!memchr(line.data, ESCAPE, line.size) && !memchr(line.data, 0, line.size));
    return is_plain ? line : without_escapes(line, buffer, size);
}

/* ---- lines that pass the filter -------------------------------------------------------------------------------------- */

static uint64_t count_line_feeds(struct tn_str text)
{
    uint64_t count = 0;
    for (size_t k = 0; k < text.size; k++) {
        count += text.data[k] == '\n';
    }
    return count;
}

/* Progress bars write over their line: each of them ends as a line does, and has its number. */
static size_t line_start(struct tn_str text, size_t at)
{
    while (at > 0 && text.data[at - 1] != '\n' && text.data[at - 1] != '\r') {
        at--;
    }
    return at;
}

static size_t line_end(struct tn_str text, size_t at)
{
    const char *feed = memchr(text.data + at, '\n', text.size - at);
    size_t end = feed ? (size_t)(feed - text.data) : text.size;
    const char *back = memchr(text.data + at, '\r', end - at);
    return back ? (size_t)(back - text.data) : end;
}

static void add_hits(const struct tn_literals *anchors, unsigned state, uint16_t hits[HITS], size_t *count)
{
    size_t found_count;
    const uint16_t *found = tn_literals_found(anchors, state, &found_count);
    for (size_t k = 0; k < found_count && *count < HITS; k++) {
        size_t n = 0;
        while (n < *count && hits[n] != found[k]) {
            n++;
        }
        hits[n] = found[k];
        *count += n == *count;
    }
}

/* Looks at whole lines: the text ends with a line end, or is the end of the log. */
static void scan_lines(struct tn_scan *scan, struct tn_str text)
{
    const struct tn_literals *anchors = scan->log->shapes->anchors;
    unsigned state = TN_LITERALS_START;
    size_t at = 0;
    size_t counted = 0;
    while (tn_literals_next(anchors, text, &at, &state)) {
        uint16_t hits[HITS];
        size_t count = 0;
        size_t start = line_start(text, at - 1);
        size_t end = line_end(text, at);
        struct tn_str line = tn_str_slice(text, 0, end);
        do {
            add_hits(anchors, state, hits, &count);
        } while (tn_literals_next(anchors, line, &at, &state));
        scan->number += count_line_feeds(tn_str_slice(text, counted, start));
        counted = start;
        end = end < start + TN_SCAN_LINE ? end : start + TN_SCAN_LINE;
        line = tn_scan_unwrap(tn_str_slice(text, start, end), scan->line, TN_SCAN_LINE);
        tn_log_line(scan->log, line, scan->number, hits, count);
    }
    scan->number += count_line_feeds(tn_str_slice(text, counted, text.size));
}

/* ---- pieces --------------------------------------------------------------------------------------------------------- */

bool tn_scan_begin(struct tn_scan *scan, struct tn_log *log, struct tn_arena *arena)
{
    *scan = (struct tn_scan){.log = log, .number = 1};
    scan->rest = tn_arena_alloc(arena, (size_t)TN_SCAN_LINE + (size_t)2 * TN_SCAN_PIECE);
    scan->line = tn_arena_alloc(arena, TN_SCAN_LINE);
    scan->converted = tn_arena_array(arena, 2, TN_SCAN_PIECE);
    return scan->rest && scan->line && scan->converted;
}

/* The length of what ends with a line end; all of it where what follows is too long for a line. */
static size_t whole_lines(struct tn_scan *scan)
{
    size_t size = scan->rest_size;
    while (size > 0 && scan->rest[size - 1] != '\n') {
        size--;
    }
    bool is_too_long = scan->rest_size - size >= TN_SCAN_LINE;
    scan->log->cut_lines += is_too_long;
    return is_too_long ? scan->rest_size : size;
}

/* Bytes of UTF-8 or of anything like it; at most two pieces. */
static void feed_text(struct tn_scan *scan, struct tn_str text)
{
    memcpy(scan->rest + scan->rest_size, text.data, text.size);
    scan->rest_size += text.size;
    size_t size = whole_lines(scan);
    scan_lines(scan, (struct tn_str){scan->rest, size});
    scan->rest_size -= size;
    memmove(scan->rest, scan->rest + size, scan->rest_size);
}

/* One character of UTF-16, from bytes that are complete. Halves of pairs become "?": no shape has any. */
static void convert_unit(const struct tn_scan *scan, unsigned char first, unsigned char second, char *out, size_t *size)
{
    bool is_little = scan->encoding == TN_SCAN_UTF16_LITTLE;
    uint32_t unit = is_little ? first | (uint32_t)second << 8 : second | (uint32_t)first << 8;
    unit = unit >= 0xD800 && unit < 0xE000 ? '?' : unit;
    *size += tn_utf8_encode(unit, out + *size);
}

/* Two bytes become three at the most. */
static void feed_utf16(struct tn_scan *scan, struct tn_str bytes)
{
    size_t size = 0;
    for (size_t k = 0; k < bytes.size; k++) {
        if (!scan->held_size) {
            scan->held[scan->held_size++] = bytes.data[k];
            continue;
        }
        convert_unit(scan, (unsigned char)scan->held[0], (unsigned char)bytes.data[k], scan->converted, &size);
        scan->held_size = 0;
    }
    feed_text(scan, (struct tn_str){scan->converted, size});
}

/* By the byte order mark; without one by NUL bytes beside the first characters. *bytes loses the mark. false: more are needed. */
static bool find_encoding(struct tn_scan *scan, struct tn_str *bytes, bool is_end)
{
    const char *held = scan->held;
    while (scan->held_size < sizeof scan->held && bytes->size) {
        scan->held[scan->held_size++] = bytes->data[0];
        *bytes = tn_str_slice(*bytes, 1, bytes->size);
    }
    if (scan->held_size < sizeof scan->held && !is_end) {
        return false;
    }
    bool has_little_mark = scan->held_size >= 2 && held[0] == '\xFF' && held[1] == '\xFE';
    bool has_big_mark = scan->held_size >= 2 && held[0] == '\xFE' && held[1] == '\xFF';
    bool is_four = scan->held_size == sizeof scan->held;
    bool is_little = has_little_mark || (is_four && held[0] && !held[1] && held[2] && !held[3]);
    bool is_big = has_big_mark || (is_four && !held[0] && held[1] && !held[2] && held[3]);
    scan->encoding = is_little ? TN_SCAN_UTF16_LITTLE : is_big ? TN_SCAN_UTF16_BIG : TN_SCAN_BYTES;
    scan->log->is_utf16 = is_little || is_big;
    return true;
}

static void feed_piece(struct tn_scan *scan, struct tn_str bytes)
{
    if (scan->encoding == TN_SCAN_BYTES) {
        feed_text(scan, bytes);
    } else {
        feed_utf16(scan, bytes);
    }
}

static void feed_all(struct tn_scan *scan, struct tn_str bytes)
{
    while (bytes.size) {
        struct tn_str piece = tn_str_slice(bytes, 0, TN_SCAN_PIECE);
        bytes = tn_str_slice(bytes, piece.size, bytes.size);
        feed_piece(scan, piece);
    }
}

/* What was held back to see the encoding, then the rest. */
static void open_encoding(struct tn_scan *scan, struct tn_str bytes, bool is_end)
{
    if (!find_encoding(scan, &bytes, is_end)) {
        return;
    }
    char first[sizeof scan->held];
    struct tn_str held = {first, scan->held_size};
    memcpy(first, scan->held, scan->held_size);
    scan->held_size = 0;
    feed_piece(scan, held);
    feed_all(scan, bytes);
}

void tn_scan_feed(struct tn_scan *scan, struct tn_str bytes)
{
    scan->log->bytes += bytes.size;
    if (!bytes.size) {
        return;
    }
    if (scan->encoding == TN_SCAN_UNKNOWN) {
        open_encoding(scan, bytes, false);
    } else {
        feed_all(scan, bytes);
    }
}

void tn_scan_end(struct tn_scan *scan)
{
    if (scan->encoding == TN_SCAN_UNKNOWN) {
        open_encoding(scan, (struct tn_str){0}, true);
    }
    scan_lines(scan, (struct tn_str){scan->rest, scan->rest_size});
    scan->log->lines = scan->number - 1 + (scan->rest_size > 0);
    scan->rest_size = 0;
    tn_log_end(scan->log);
}
