/* Unicode's normalisation forms. A space takes no part in them and no letter of ASCII joins what stands in front of it, so
 * a text may be cut between the two. */
#include "tokens/normalize/normalize_kinds.h"
#include "tokens/unicode/normal_form.h"

struct tn_str tn_normalize_form(const struct tn_normal_step *step, const struct tn_text_place *place,
                                struct tn_str text, struct tn_builder *out)
{
    (void)place;
    return tn_normal_form_of(step->rules, text, out);
}

static bool add(struct tn_tokenizer *tokenizer, const struct tn_options *options, const struct tn_normal_form *form)
{
    return tn_normalize_add(tokenizer, options, (struct tn_normal_step){tn_normalize_form, form, false});
}

bool tn_normalize_nfc(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return add(tokenizer, options, &tn_nfc);
}

bool tn_normalize_nfd(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return add(tokenizer, options, &tn_nfd);
}

bool tn_normalize_nfkc(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return add(tokenizer, options, &tn_nfkc);
}

bool tn_normalize_nfkd(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return add(tokenizer, options, &tn_nfkd);
}
