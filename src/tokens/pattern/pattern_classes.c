#include "tokens/pattern/pattern_classes.h"

#include "tokens/unicode/unicode.h"

enum { CODE_POINTS = 0x110000, SURROGATES = 0xD800, BEHIND_SURROGATES = 0xE000 };

static const struct {
    const char *name;
    unsigned mask;
} categories[] = {
    {"L", TN_LETTER},
    {"Lu", TN_LETTER_UPPER},
    {"Ll", TN_LETTER_LOWER},
    {"Lt", TN_LETTER_TITLE},
    {"Lm", TN_LETTER_MODIFIER},
    {"Lo", TN_LETTER_OTHER},
    {"M", TN_MARK},
    {"Mn", TN_MARK_NONSPACING},
    {"Mc", TN_MARK_SPACING},
    {"Me", TN_MARK_ENCLOSING},
    {"N", TN_NUMBER},
    {"Nd", TN_NUMBER_DECIMAL},
    {"Nl", TN_NUMBER_LETTER},
    {"No", TN_NUMBER_OTHER},
    {"P", TN_PUNCTUATION},
    {"Pc", TN_PUNCTUATION_CONNECTOR},
    {"Pd", TN_PUNCTUATION_DASH},
    {"Ps", TN_PUNCTUATION_OPEN},
    {"Pe", TN_PUNCTUATION_CLOSE},
    {"Pi", TN_PUNCTUATION_INITIAL},
    {"Pf", TN_PUNCTUATION_FINAL},
    {"Po", TN_PUNCTUATION_OTHER},
    {"S", TN_SYMBOL},
    {"Sm", TN_SYMBOL_MATH},
    {"Sc", TN_SYMBOL_CURRENCY},
    {"Sk", TN_SYMBOL_MODIFIER},
    {"So", TN_SYMBOL_OTHER},
};

static unsigned mask_of(struct tn_str name)
{
    for (size_t k = 0; k < sizeof categories / sizeof categories[0]; k++) {
        if (tn_str_is(name, categories[k].name)) {
            return categories[k].mask;
        }
    }
    return 0;
}

static void write_range(struct tn_builder *out, uint32_t first, uint32_t last)
{
    tn_builder_addf(out, "\\x{%X}-\\x{%X}", first, last);
}

/* Stands inside of another class as well as outside. */
static void write_class(unsigned mask, bool inverted, struct tn_builder *out)
{
    tn_builder_add_text(out, inverted ? "[^" : "[");
    uint32_t first = CODE_POINTS; /* of the range at hand; none */
    for (uint32_t code_point = 0; code_point <= CODE_POINTS; code_point++) {
        code_point = code_point == SURROGATES ? BEHIND_SURROGATES : code_point;
        bool member = code_point < CODE_POINTS && tn_unicode_category(code_point) & mask;
        if (member && first == CODE_POINTS) {
            first = code_point;
        } else if (!member && first != CODE_POINTS) {
            write_range(out, first, code_point == BEHIND_SURROGATES ? SURROGATES - 1 : code_point - 1);
            first = CODE_POINTS;
        }
    }
    tn_builder_add_char(out, ']');
}

/* A property at the start of the text, "\p{..}", with its length; 0 where there is none that is a general category. */
static size_t property(struct tn_str text, unsigned *mask, bool *inverted)
{
    bool small = tn_str_starts(text, TN_STR("\\p{"));
    size_t end = tn_str_find(text, TN_STR("}"));
    if (end == SIZE_MAX || !(small || tn_str_starts(text, TN_STR("\\P{")))) {
        return 0;
    }
    bool caret = end > 3 && text.data[3] == '^';
    *mask = mask_of(tn_str_slice(text, caret ? 4 : 3, end));
    *inverted = small == caret;
    return *mask ? end + 1 : 0;
}

static size_t digits(struct tn_str text, unsigned *mask, bool *inverted)
{
    *mask = TN_NUMBER_DECIMAL;
    *inverted = tn_str_starts(text, TN_STR("\\D"));
    return *inverted || tn_str_starts(text, TN_STR("\\d")) ? 2 : 0;
}

void tn_pattern_classes(struct tn_str regex, struct tn_builder *out)
{
    while (regex.size) {
        unsigned mask = 0;
        bool inverted = false;
        size_t length = property(regex, &mask, &inverted);
        length = length ? length : digits(regex, &mask, &inverted);
        if (length) {
            write_class(mask, inverted, out);
        } else {
            length = regex.data[0] == '\\' && regex.size > 1 ? 2 : 1;
            tn_builder_add(out, tn_str_slice(regex, 0, length));
        }
        regex = tn_str_slice(regex, length, regex.size);
    }
}
