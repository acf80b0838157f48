#include "tokens/pattern/scan_class.h"

enum {
    LU = TN_LETTER_UPPER,
    LL = TN_LETTER_LOWER,
    ND = TN_NUMBER_DECIMAL,
    PC = TN_PUNCTUATION_CONNECTOR,
    PD = TN_PUNCTUATION_DASH,
    PS = TN_PUNCTUATION_OPEN,
    PE = TN_PUNCTUATION_CLOSE,
    PO = TN_PUNCTUATION_OTHER,
    SM = TN_SYMBOL_MATH,
    SC = TN_SYMBOL_CURRENCY,
    SK = TN_SYMBOL_MODIFIER,
    ZS = TN_SEPARATOR_SPACE | TN_SPACE,
    CC = TN_CONTROL,
    CS = TN_CONTROL | TN_SPACE,
};

/* clang-format off */
const uint32_t tn_ascii_class[128] = {
    CC, CC, CC, CC, CC, CC, CC, CC, CC, CS, CS, CS, CS, CS, CC, CC,
    CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC, CC,
    ZS, PO, PO, PO, SC, PO, PO, PO, PS, PE, PO, SM, PO, PD, PO, PO,
    ND, ND, ND, ND, ND, ND, ND, ND, ND, ND, PO, PO, SM, SM, SM, PO,
    PO, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU,
    LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, LU, PS, PO, PE, SK, PC,
    SK, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL,
    LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, LL, PS, SM, PE, SM, CC,
};
/* clang-format on */
