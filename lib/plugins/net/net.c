/* SPDX-License-Identifier: GPL-3.0-or-later
 * net.c - the table of the plugin. */
#include "plugins/net/net.h"

AP_PLUGIN_EXPORT extern const ap_net_plugin AP_PLUGIN_TABLE;
const ap_net_plugin AP_PLUGIN_TABLE = {
    .head = {AP_NET_VERSION, sizeof(ap_net_plugin)},
    .open = ap_net_open,
    .read = ap_net_read,
    .seek = ap_net_seek,
    .close = ap_net_close,
    .create = ap_net_create,
    .write = ap_net_write,
    .commit = ap_net_commit,
    .abort = ap_net_abort,
    .put = ap_net_put,
    .head_of = ap_net_head,
    .remove = ap_net_remove,
    .list = ap_net_list,
    .presign = ap_net_presign_url,
    .get_setting = ap_net_get_setting,
    .put_setting = ap_net_put_setting,
    .fetch = ap_net_fetch_once,
};
