/* A build without the page. */
#include "server/page.h"

const struct tn_page_file tn_page_files[] = {{0}};
