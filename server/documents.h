/* Answers that need no computing: health, the OpenAPI document, the files of the page. */
#ifndef TONNAGE_SERVER_DOCUMENTS_H
#define TONNAGE_SERVER_DOCUMENTS_H

struct serve_exchange;

void serve_health(struct serve_exchange *exchange);
void serve_openapi(struct serve_exchange *exchange);

/* A file of the page, or 404. */
void serve_file(struct serve_exchange *exchange);

#endif
