/* The four normalisation forms of Unicode, as the reference of tokenizer.json has them: with the data of Unicode 9.0. */
#ifndef TN_TOKENS_NORMAL_FORM_H
#define TN_TOKENS_NORMAL_FORM_H

#include "base/text.h"

struct tn_normal_form {
    unsigned fact;      /* of unicode_versions.h: the characters that it may change */
    bool composes;      /* characters are put together again */
    bool compatibility; /* forms that are only compatible are taken for the same */
};

extern const struct tn_normal_form tn_nfc;
extern const struct tn_normal_form tn_nfd;
extern const struct tn_normal_form tn_nfkc;
extern const struct tn_normal_form tn_nfkd;

/* The text in this form: itself where it is so already, else what is written into `out`, which is empty before; memory that
 * is out shows in out->failed. Time grows no faster than the text. */
struct tn_str tn_normal_form_of(const struct tn_normal_form *form, struct tn_str text, struct tn_builder *out);

#endif
