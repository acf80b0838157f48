/* Texts of measured records. */
#include "measurement_text.h"

#include "real_catalog.h"

const char *text_of(struct tn_str text)
{
    return tn_str_terminated(&real.arena, text);
}

const char *set_of(const struct tn_measurement *measurement, const char *name)
{
    for (size_t k = 0; k < measurement->set_count; k++) {
        if (tn_str_is(measurement->sets[k].name, name)) {
            return text_of(measurement->sets[k].value);
        }
    }
    return NULL;
}
