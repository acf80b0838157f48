/* Prices: which of several offers counts, what a record of a price must have, and a request's own prices. */
#include "api/price.h"
#include "made_up.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define GPU "gpu one\n  name One\n  memory_driver_mib 1024\n"

/* A catalog of one GPU with these offers, "on-demand 2.5, spot 1"; fails the test where it cannot be read. */
static void open_offers(struct made_up *made_up, struct tn_builder *records, const char *offers)
{
    struct tn_str rest = tn_str_of(offers);
    tn_builder_add_text(records, GPU);
    while (rest.size) {
        size_t end = tn_str_find(rest, TN_STR(", "));
        struct tn_str offer = tn_str_slice(rest, 0, end);
        struct tn_str kind = tn_str_word(&offer);
        tn_builder_addf(records,
                        "price one\n  kind " TN_STR_FORMAT "\n  usd_per_gpu_hour " TN_STR_FORMAT
                        "\n  date 2026-05\n  source a list\n",
                        TN_STR_ARGUMENTS(kind), TN_STR_ARGUMENTS(offer));
        rest = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(rest, end + 2, rest.size);
    }
    made_up_open(made_up, records->data);
}

static void the_median_of_the_safest_kind_counts(void **state)
{
    (void)state;
    static const struct {
        const char *offers;
        uint64_t usual; /* 0: not known */
    } cases[] = {
        {"", 0},
        {"on-demand 2.5", 2500000},
        {"on-demand 3, on-demand 1, on-demand 2", 2000000},
        {"on-demand 4, on-demand 1, on-demand 3, on-demand 2", 2000000}, /* the lower one of two in the middle */
        {"marketplace 0.5, on-demand 3, spot 0.1, marketplace 0.6", 3000000},
        {"marketplace 0.5, spot 0.1", 500000},
        {"spot 0.1, spot 0.2", 0}, /* may be taken away: nobody's usual price */
        {"on-demand 1 to 2, on-demand 9, on-demand 1.25", 1500000},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct made_up made_up;
        struct tn_builder records = {0};
        open_offers(&made_up, &records, cases[k].offers);
        const struct tn_gpu *gpu = tn_catalog_find_gpu(made_up.catalog, TN_STR("one"), NULL);
        assert_non_null(gpu);
        uint64_t usual = gpu->prices.usual ? gpu->prices.usual->usd_millionths_per_hour : 0;
        if (usual != cases[k].usual) {
            fail_msg("%s: %llu", cases[k].offers, (unsigned long long)usual);
        }
        made_up_close(&made_up);
        tn_builder_free(&records);
    }
}

static void a_record_without_price_source_or_day_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        const char *message;
    } cases[] = {
        {"  kind spot\n  date 2026\n  source s\n", "usd_per_gpu_hour is a number above 0"},
        {"  usd_per_gpu_hour 0\n  kind spot\n  date 2026\n  source s\n", "usd_per_gpu_hour is a number above 0"},
        {"  usd_per_gpu_hour 0.0000015\n  kind spot\n  date 2026\n  source s\n",
         "usd_per_gpu_hour is a number above 0"},
        {"  usd_per_gpu_hour 2 to 1\n  kind spot\n  date 2026\n  source s\n", "usd_per_gpu_hour is a number above 0"},
        {"  usd_per_gpu_hour 2 to\n  kind spot\n  date 2026\n  source s\n", "usd_per_gpu_hour is a number above 0"},
        {"  usd_per_gpu_hour 2\n  kind rented\n  date 2026\n  source s\n", "kind is on-demand, marketplace or spot"},
        {"  usd_per_gpu_hour 2\n  kind spot\n  date 2026\n", "needs a source, and a date or a commit"},
        {"  usd_per_gpu_hour 2\n  kind spot\n  source s\n", "needs a source, and a date or a commit"},
        {"  usd_per_gpu_hour 2\n  kind spot\n  commit c\n  source s\n  gpus some\n", "gpus is a number"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_builder records = {0};
        struct tn_error error;
        tn_builder_addf(&records, GPU "price one\n%s", cases[k].lines);
        struct tn_embedded file = {"price.rec", records.data, records.size};
        assert_null(tn_catalog_open_files(&file, 1, &error));
        assert_int_equal(error.code, TN_ERROR_RECORD);
        assert_non_null(strstr(error.message, cases[k].message));
        assert_string_equal(error.where, "price.rec:4");
        tn_builder_free(&records);
    }
}

static void a_price_of_no_gpu_is_refused(void **state)
{
    (void)state;
    static const char text[] = GPU "price two\n  usd_per_gpu_hour 2\n  kind spot\n  date 2026\n  source s\n";
    struct tn_embedded file = {"price.rec", text, sizeof text - 1};
    struct tn_error error;
    assert_null(tn_catalog_open_files(&file, 1, &error));
    assert_int_equal(error.code, TN_ERROR_RECORD);
    assert_non_null(strstr(error.message, "1 of 1 prices are of no GPU"));
}

static void a_request_has_prices_of_its_own(void **state)
{
    (void)state;
    struct made_up made_up;
    struct tn_builder records = {0};
    struct tn_request request = {.operation = TN_STR("gpus")};
    struct tn_error error = {0};
    const struct tn_price *offer;
    open_offers(&made_up, &records, "on-demand 2");
    struct tn_session session = {.catalog = made_up.catalog};
    const struct tn_gpu *gpu = tn_catalog_find_gpu(made_up.catalog, TN_STR("one"), NULL);
    request.arena = &made_up.arena;
    assert_int_equal(tn_request_price(&session, &request, gpu, &offer), 2000000);
    assert_ptr_equal(offer, gpu->prices.usual);
    assert_true(tn_request_set(&request, TN_INPUT_PRICE, TN_STR("ONE=$1.75/h"), &error));
    assert_true(tn_check_prices(&session, &request, &error));
    assert_int_equal(tn_request_price(&session, &request, gpu, &offer), 1750000);
    assert_null(offer);
    assert_true(tn_request_set(&request, TN_INPUT_PRICE, TN_STR("one=3"), &error));
    assert_false(tn_check_prices(&session, &request, &error));
    assert_int_equal(error.code, TN_ERROR_USAGE);
    assert_non_null(strstr(error.message, "--price of One is given twice"));
    made_up_close(&made_up);
    tn_builder_free(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_of_the_safest_kind_counts),
        cmocka_unit_test(a_record_without_price_source_or_day_is_refused),
        cmocka_unit_test(a_price_of_no_gpu_is_refused),
        cmocka_unit_test(a_request_has_prices_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
