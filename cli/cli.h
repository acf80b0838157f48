/* What the files of the command line share. */
#ifndef TONNAGE_CLI_H
#define TONNAGE_CLI_H

#include "api/operations.h"

struct tn_command {
    bool wants_help;
    bool wants_version;
    struct tn_str topic; /* of the help; empty: all */
};

/* Arguments to a request. Without the name of an operation it is a plan. request->values[FORMAT] is set as early as possible, so that an
 * error in the arguments is reported as JSON where JSON was asked for.
 * Errors: TN_ERROR_USAGE. */
bool cli_read_arguments(int count, char **arguments, struct tn_request *request, struct tn_command *command,
                        struct tn_error *error);

/* Help on all, or on one operation; generated from the tables. Errors: TN_ERROR_USAGE where there is no such operation. */
bool cli_write_help(struct tn_str topic, struct tn_error *error);

#endif
