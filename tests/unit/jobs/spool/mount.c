/* SPDX-License-Identifier: GPL-3.0-or-later
 * How the file system of a spool is mounted. The lines are those of real hosts. */
#include "jobs/spool/mount.h"
#include "test.h"

#define LOCAL "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
#define NFS(options)                                                                                         \
    LOCAL "96 22 0:50 / /srv/my\\040spool rw,relatime shared:50 - nfs4 nas:/export rw," options              \
          ",addr=10.0.0.1\n"

static const char *trouble(const char *mounts, const char *path)
{
    static char kept[256];
    char *why = ap_mount_trouble(mounts, path);
    snprintf(kept, sizeof kept, "%s", why);
    free(why);
    return kept;
}

static void names_what_is_wrong(void)
{
    static const char path[] = "/srv/my spool/queue";
    CHECK(!*trouble(NFS("vers=4.2,rsize=1048576,hard,local_lock=none"), path));
    CHECK(strstr(trouble(NFS("vers=3,hard,local_lock=none"), path), "version 3"));
    CHECK(strstr(trouble(NFS("vers=3,nolock,local_lock=all"), path), "nolock"));
    CHECK(strstr(trouble(NFS("vers=4.1,local_lock=flock"), path), "local_lock"));
    CHECK(!*trouble(NFS("vers=3"), "/srv/my spools")); /* beside it */
    CHECK(!*trouble(LOCAL, path) && !*trouble("", path) && !*trouble("nonsense\n - \n", path));
    CHECK(strstr(trouble(LOCAL "9 1 0:9 / /mnt rw - cifs //nas/x rw,vers=3.1.1,nobrl\n", "/mnt/spool"),
                 "nobrl"));
    CHECK(!*trouble(LOCAL "9 1 0:9 / /mnt rw - cifs //nas/x rw,vers=3.1.1\n", "/mnt/spool"));
    /* what was mounted over it later counts */
    CHECK(!*trouble(NFS("vers=3") "97 22 0:51 / /srv/my\\040spool rw - ext4 /dev/sdb rw\n", path));
}

TEST_MAIN(CASE(names_what_is_wrong))
