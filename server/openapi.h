/* The OpenAPI document, from the tables of routes, operations and inputs. */
#ifndef TONNAGE_SERVER_OPENAPI_H
#define TONNAGE_SERVER_OPENAPI_H

#include "base/text.h"

void serve_write_openapi(struct tn_builder *document);

#endif
