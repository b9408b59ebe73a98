/* SPDX-License-Identifier: GPL-3.0-or-later
 * net.c - names that stand for objects on servers. */
#include "base/net.h"

#include <string.h>
#include <strings.h>

bool ap_net_is_url(const char *name)
{
    static const char *const schemes[] = {"s3://", "http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncasecmp(name, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

const ap_net_plugin *ap_net_load(ap_error *err)
{
    return (const ap_net_plugin *)ap_plugin_load("net.so", AP_NET_VERSION, sizeof(ap_net_plugin), err);
}
