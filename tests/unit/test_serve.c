/* The parts of the server that can be seen without HTTP: ids, hosts, addresses, statuses, the lists of connections. */
#define _GNU_SOURCE /* SOCK_NONBLOCK */
#include "host/address.h"
#include "server/clock.h"
#include "server/connections.h"
#include "server/hosts.h"
#include "server/request_id.h"
#include "server/status.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void test_ids_of_clients(void **state)
{
    char id[SERVE_ID_BYTES];
    char longest[SERVE_ID_BYTES];
    char too_long[SERVE_ID_BYTES + 1];
    memset(longest, 'a', sizeof longest - 1);
    memset(too_long, 'a', sizeof too_long - 1);
    longest[sizeof longest - 1] = too_long[sizeof too_long - 1] = '\0';
    (void)state;
    assert_true(serve_id_take("Az09-_.", id));
    assert_string_equal(id, "Az09-_.");
    assert_true(serve_id_take(longest, id));
    assert_string_equal(id, longest);
    static const char *const bad[] = {"", " ", "a b", "a\n", "a\"", "a{", "\xc3\xa4", "a\x7f"};
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        assert_false(serve_id_take(bad[k], id));
    }
    assert_false(serve_id_take(too_long, id));
    assert_false(serve_id_take(NULL, id));
}

static void test_ids_of_our_own_differ(void **state)
{
    char first[SERVE_ID_BYTES];
    char second[SERVE_ID_BYTES];
    (void)state;
    serve_id_make(1, 7, first);
    serve_id_make(2, 7, second);
    assert_int_equal(strlen(first), 16);
    assert_string_not_equal(first, second);
    serve_id_make(1, 8, second);
    assert_string_not_equal(first, second);
}

static void test_hosts(void **state)
{
    static const struct tn_str hosts[] = {{"huggingface.co", 14}, {"*.hf.co", 7}, {"10.0.0.7", 8}};
    static const struct {
        const char *host;
        bool is_allowed;
    } rows[] = {
        {"huggingface.co", true},
        {"HuggingFace.co", true},
        {"cdn.huggingface.co", false},
        {"cdn.hf.co", true},
        {"a.b.HF.co", true},
        {"hf.co", false},
        {".hf.co", false},
        {"evilhf.co", false},
        {"10.0.0.7", true},
        {"10.0.0.70", false},
        {"", false},
        {"huggingface.co.evil", false},
    };
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        assert_int_equal(serve_host_is_allowed(hosts, 3, tn_str_of(rows[k].host)), rows[k].is_allowed);
    }
    assert_false(serve_host_is_allowed(NULL, 0, TN_STR("huggingface.co")));
}

/* The first and the last address of each special range, and their neighbours outside. */
static void test_addresses(void **state)
{
    static const struct {
        const char *text;
        bool is_public;
    } rows[] = {
        {"0.0.0.0", false},
        {"1.0.0.0", true},
        {"9.255.255.255", true},
        {"10.0.0.0", false},
        {"10.255.255.255", false},
        {"11.0.0.0", true},
        {"100.63.255.255", true},
        {"100.64.0.0", false},
        {"100.127.255.255", false},
        {"100.128.0.0", true},
        {"127.0.0.1", false},
        {"169.254.169.254", false},
        {"172.15.255.255", true},
        {"172.16.0.0", false},
        {"172.31.255.255", false},
        {"172.32.0.0", true},
        {"192.168.1.1", false},
        {"198.17.255.255", true},
        {"198.19.255.255", false},
        {"224.0.0.1", false},
        {"255.255.255.255", false},
        {"8.8.8.8", true},
        {"::", false},
        {"::1", false},
        {"::ffff:127.0.0.1", false},
        {"::ffff:8.8.8.8", true},
        {"64:ff9b::a00:1", false},
        {"64:ff9b::808:808", true},
        {"2002:7f00:1::", false},
        {"fc00::1", false},
        {"fdff::1", false},
        {"fe80::1", false},
        {"febf::1", false},
        {"ff02::1", false},
        {"2001:db8::1", false},
        {"2606:4700::1111", true},
    };
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct sockaddr_in four = {.sin_family = AF_INET};
        struct sockaddr_in6 six = {.sin6_family = AF_INET6};
        bool is_six = strchr(rows[k].text, ':') != NULL;
        void *place = is_six ? (void *)&six.sin6_addr : (void *)&four.sin_addr;
        assert_int_equal(inet_pton(is_six ? AF_INET6 : AF_INET, rows[k].text, place), 1);
        const void *address = is_six ? (const void *)&six : (const void *)&four;
        if (tn_address_is_public(address) != rows[k].is_public) {
            fail_msg("%s", rows[k].text);
        }
    }
    struct sockaddr other = {.sa_family = AF_UNIX};
    assert_false(tn_address_is_public(&other));
}

static void test_statuses(void **state)
{
    (void)state;
    assert_int_equal(serve_status_of(TN_ERROR_USAGE), 400);
    assert_int_equal(serve_status_of(TN_ERROR_JSON), 400);
    assert_int_equal(serve_status_of(TN_ERROR_FORBIDDEN), 403);
    assert_int_equal(serve_status_of(TN_ERROR_UNKNOWN_MODEL), 422);
    assert_int_equal(serve_status_of(TN_ERROR_TOO_COSTLY), 422);
    assert_int_equal(serve_status_of(TN_ERROR_NETWORK), 502);
    assert_int_equal(serve_status_of(TN_ERROR_MEMORY), 500);
    for (size_t k = 0; serve_statuses[k]; k++) {
        assert_int_equal(serve_status_row(serve_statuses[k]), k);
    }
    assert_true(serve_status_row(200) < SERVE_STATUSES && serve_status_row(999) < SERVE_STATUSES);
}

/* ---- connections ---------------------------------------------------------------------------------------------------- */

enum { PAIRS = 3 };

struct crowd {
    struct serve_connections connections;
    int pairs[PAIRS][2];
    struct serve_connection *members[PAIRS];
};

static void open_crowd(struct crowd *crowd, size_t most, unsigned silence_ms)
{
    assert_true(serve_connections_open(&crowd->connections, most, silence_ms));
    for (size_t k = 0; k < PAIRS; k++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, crowd->pairs[k]), 0);
        crowd->members[k] = serve_connection_add(&crowd->connections, crowd->pairs[k][0]);
        assert_non_null(crowd->members[k]);
    }
}

/* Whether the other end sees that it is over. */
static bool is_ended(const struct crowd *crowd, size_t k)
{
    char byte;
    return read(crowd->pairs[k][1], &byte, 1) == 0;
}

static void close_crowd(struct crowd *crowd)
{
    for (size_t k = 0; k < PAIRS; k++) {
        serve_connection_remove(&crowd->connections, crowd->members[k]);
        (void)close(crowd->pairs[k][0]);
        (void)close(crowd->pairs[k][1]);
    }
    assert_int_equal(serve_connections_count(&crowd->connections), 0);
    serve_connections_close(&crowd->connections);
}

static void test_the_longest_wait_makes_room(void **state)
{
    struct crowd crowd;
    (void)state;
    open_crowd(&crowd, PAIRS, 60000);
    serve_connection_enter(&crowd.connections, crowd.members[0], SERVE_READS, 0);
    assert_true(serve_connections_admit(&crowd.connections)); /* the second waits longest now */
    assert_false(is_ended(&crowd, 0));
    assert_true(is_ended(&crowd, 1));
    assert_false(is_ended(&crowd, 2));
    assert_true(serve_connections_admit(&crowd.connections)); /* its place is free, though it is not closed yet */
    assert_false(is_ended(&crowd, 2));
    close_crowd(&crowd);
}

static void test_who_works_keeps_his_place(void **state)
{
    struct crowd crowd;
    (void)state;
    open_crowd(&crowd, PAIRS, 60000);
    serve_connection_enter(&crowd.connections, crowd.members[0], SERVE_READS, 0);
    serve_connection_enter(&crowd.connections, crowd.members[1], SERVE_ANSWERS, 0);
    serve_connection_enter(&crowd.connections, crowd.members[2], SERVE_WRITES, 0);
    assert_false(serve_connections_admit(&crowd.connections));
    serve_connections_sweep(&crowd.connections, true);
    assert_false(is_ended(&crowd, 0) || is_ended(&crowd, 1) || is_ended(&crowd, 2));
    close_crowd(&crowd);
}

/* A large answer has longer, and one that is being computed as long as it takes. */
static void test_time_is_over(void **state)
{
    struct crowd crowd;
    (void)state;
    open_crowd(&crowd, PAIRS, 0);
    serve_connection_enter(&crowd.connections, crowd.members[1], SERVE_ANSWERS, 0);
    serve_connection_enter(&crowd.connections, crowd.members[2], SERVE_WRITES, 1 << 30);
    for (int64_t end_us = serve_now_us() + 2; serve_now_us() <= end_us;) {
    }
    serve_connections_sweep(&crowd.connections, false);
    assert_true(is_ended(&crowd, 0));
    assert_false(is_ended(&crowd, 1) || is_ended(&crowd, 2));
    serve_connection_enter(&crowd.connections, crowd.members[0], SERVE_READS, 0); /* it may go on for a moment */
    serve_connections_sweep(&crowd.connections, false);
    close_crowd(&crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_of_clients),
        cmocka_unit_test(test_ids_of_our_own_differ),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_the_longest_wait_makes_room),
        cmocka_unit_test(test_who_works_keeps_his_place),
        cmocka_unit_test(test_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
