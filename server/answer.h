/* From a complete request to its answer: what is computed. */
#ifndef TONNAGE_SERVER_ANSWER_H
#define TONNAGE_SERVER_ANSWER_H

#include "server/exchange.h"

/* Runs the operation of the exchange's route. */
void serve_answer(struct serve_exchange *exchange);

#endif
