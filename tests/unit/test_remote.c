/* What the names of remote models mean, and how header lines and URLs are read. The replies of a real server are tested by
 * check_remote.py. */
#include "host/http_text.h"
#include "host/remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct tn_remote_hosts hosts = {{"https://hub.test/", 17}, {"registry.test:5000", 18}};

static void assert_text(struct tn_str text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

static struct tn_remote_name read_name(struct tn_arena *arena, const char *text)
{
    struct tn_remote_name name;
    struct tn_error error;
    assert_true(tn_remote_is_name(tn_str_of(text)));
    assert_true(tn_remote_read_name(arena, tn_str_of(text), &hosts, &name, &error));
    return name;
}

static void names_of_a_hub(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_remote_name name = read_name(&arena, "hf:org/name");
    assert_int_equal(name.kind, TN_REMOTE_HUB);
    assert_text(name.id, "org/name");
    assert_text(name.document, "https://hub.test/api/models/org/name/revision/main");
    assert_text(name.folder, "https://hub.test/org/name/resolve/");
    assert_text(name.file, "");
    name = read_name(&arena, "hf:org/name/a/b/c.gguf@refs/pr/1");
    assert_text(name.document, "https://hub.test/api/models/org/name/revision/refs%2Fpr%2F1");
    assert_text(name.subfolder, "a/b/");
    assert_text(name.file, "c.gguf");
    name = read_name(&arena, "hf:gpt2");
    assert_text(name.folder, "https://hub.test/gpt2/resolve/");
    tn_arena_free(&arena);
}

static void names_of_a_registry(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_remote_name name = read_name(&arena, "ollama:llama3");
    assert_int_equal(name.kind, TN_REMOTE_REGISTRY);
    assert_text(name.id, "llama3:latest");
    assert_text(name.document, "http://registry.test:5000/v2/library/llama3/manifests/latest");
    assert_text(name.folder, "http://registry.test:5000/v2/library/llama3/blobs/");
    name = read_name(&arena, "ollama:https://other.test/me/llama3:8b");
    assert_text(name.id, "me/llama3:8b");
    assert_text(name.document, "https://other.test/v2/me/llama3/manifests/8b");
    tn_arena_free(&arena);
}

static void urls_without_their_secrets(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_remote_name name = read_name(&arena, "https://user:pass@host.test:1/a/b.gguf?key=1#part");
    assert_int_equal(name.kind, TN_REMOTE_URL);
    assert_text(name.folder, "https://host.test:1/a/");
    assert_text(name.file, "b.gguf");
    assert_text(name.user_info, "user:pass");
    assert_text(name.query, "?key=1");
    tn_arena_free(&arena);
}

static void names_that_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "hf:",       "hf:a/../b",     "hf:a/b@../c",      "hf:a b",  "ollama:a/../b",
        "ollama:",   "ollama:a:b/c",  "http://host.test", "http://", "https://host.test/",
        "hf:a/b%2F", "http://a\\@b/c"};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        struct tn_arena arena = {0};
        struct tn_remote_name name;
        struct tn_error error = {0};
        assert_false(tn_remote_read_name(&arena, tn_str_of(names[k]), &hosts, &name, &error));
        assert_int_equal(error.code, TN_ERROR_USAGE);
        assert_true(error.hint[0]);
        tn_arena_free(&arena);
    }
    assert_false(tn_remote_is_name(TN_STR("llama-2-7b")));
    assert_false(tn_remote_is_name(TN_STR("ftp://host.test/a.gguf")));
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    (void)state;
    struct tn_str url = TN_STR("https://hub.test/a");
    assert_true(tn_url_same_origin(url, TN_STR("https://user@HUB.test/b?c")));
    assert_false(tn_url_same_origin(url, TN_STR("http://hub.test/a")));
    assert_false(tn_url_same_origin(url, TN_STR("https://hub.test:8443/a")));
    assert_false(tn_url_same_origin(url, TN_STR("https://hub.test.evil.test/a")));
    assert_false(tn_url_same_origin(url, TN_STR("https://hub.test@evil.test/a")));
    assert_false(tn_url_same_origin(url, TN_STR("https://evil.test\\@hub.test/a")));
    assert_false(tn_url_same_origin(TN_STR(""), TN_STR("")));
}

static void content_ranges(void **state)
{
    (void)state;
    uint64_t first;
    uint64_t last;
    uint64_t size;
    assert_true(tn_http_content_range(TN_STR("bytes 8-15/1234"), &first, &last, &size));
    assert_true(first == 8 && last == 15 && size == 1234);
    static const char *const wrong[] = {"bytes */1234",
                                        "bytes 0-7/*",
                                        "bytes 7-0/9",
                                        "bytes 0-7/7",
                                        "0-7/9",
                                        "bytes 0-7",
                                        "bytes -7/9",
                                        "",
                                        "bytes 0-7/18446744073709551616"};
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        assert_false(tn_http_content_range(tn_str_of(wrong[k]), &first, &last, &size));
    }
}

static void only_strong_tags(void **state)
{
    (void)state;
    struct tn_str etag;
    assert_true(tn_http_strong_etag(TN_STR("\"abc\""), &etag));
    assert_false(tn_http_strong_etag(TN_STR("W/\"abc\""), &etag));
    assert_false(tn_http_strong_etag(TN_STR("\"a\"c\""), &etag));
    assert_false(tn_http_strong_etag(TN_STR("\""), &etag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_a_hub),
        cmocka_unit_test(names_of_a_registry),
        cmocka_unit_test(urls_without_their_secrets),
        cmocka_unit_test(names_that_are_refused),
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
        cmocka_unit_test(content_ranges),
        cmocka_unit_test(only_strong_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
