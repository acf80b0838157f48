/* Which addresses are of the open internet. Pure. */
#ifndef TN_HOST_ADDRESS_H
#define TN_HOST_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* false for this machine, private networks, links, groups, and what is reserved; also where such an IPv4 address is written as an IPv6 one, and
 * for every family but these two. */
bool tn_address_is_public(const struct sockaddr *address);

#endif
