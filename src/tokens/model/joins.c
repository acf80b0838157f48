#include "tokens/model/joins.h"

bool tn_joins_letter_and_space(const struct tn_joins *joins)
{
    static const struct tn_str letters = {"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 52};
    for (size_t k = 0; k < letters.size; k++) {
        const char behind[2][4] = {{letters.data[k], ' '},
                                   {letters.data[k], TN_METASPACE[0], TN_METASPACE[1], TN_METASPACE[2]}};
        if (tn_joins_at(joins, (struct tn_str){behind[0], 2}, 1)
            || tn_joins_at(joins, (struct tn_str){behind[1], 4}, 1)) {
            return true;
        }
    }
    return false;
}
