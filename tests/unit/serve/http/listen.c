/* SPDX-License-Identifier: GPL-3.0-or-later
 * Where a server listens: addresses, sockets that a dead one has left, and what is neither. */
#include "serve/http/listen.h"
#include "folder.h"

static void loopback_is_told_apart(void)
{
    CHECK(ap_is_loopback("127.0.0.1:80") && ap_is_loopback("[::1]:80") && ap_is_loopback("localhost:0"));
    CHECK(ap_is_loopback("unix:/run/x"));
    CHECK(!ap_is_loopback("0.0.0.0:80") && !ap_is_loopback(":80") && !ap_is_loopback("[::]:80"));
    CHECK(!ap_is_loopback("127.example.org:80") && !ap_is_loopback("127.0.0.1"));
}

static void port_0_becomes_known(void)
{
    char *address = NULL;
    ap_error err;
    int fd = ap_listen("127.0.0.1:0", true, &address, &err);
    CHECK(fd >= 0 && address && strncmp(address, "https://127.0.0.1:", 18) == 0 && atoi(address + 18) > 0);
    free(address);
    close(fd);
}

static void a_dead_socket_is_replaced(void)
{
    char *address = NULL;
    ap_error err;
    enter_folder();
    int fd = ap_listen("unix:socket", false, &address, &err);
    CHECK(fd >= 0 && strcmp(address, "unix:socket") == 0);
    free(address);
    CHECK(ap_listen("unix:socket", false, &address, &err) < 0); /* it lives */
    CHECK(strstr(err.message, "'socket'"));
    close(fd);
    fd = ap_listen("unix:socket", false, &address, &err);
    CHECK(fd >= 0);
    free(address);
    close(fd);
    save("file", "x", 1);
    CHECK(ap_listen("unix:file", false, &address, &err) < 0 && access("file", F_OK) == 0);
}

static void what_is_no_address_is_refused(void)
{
    static const char *const wrong[] = {
        "", "localhost", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "1.2.3.4:5:"};
    char *address;
    ap_error err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(ap_listen(wrong[i], false, &address, &err) < 0 && err.code == AP_USAGE);
}

TEST_MAIN(CASE(loopback_is_told_apart), CASE(port_0_becomes_known), CASE(a_dead_socket_is_replaced),
          CASE(what_is_no_address_is_refused))
