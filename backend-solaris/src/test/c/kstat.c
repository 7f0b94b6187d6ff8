/* SPDX-License-Identifier: Apache-2.0 */
/* Stand-in for libkstat: the counters unix:0:system_pages, with the numbers of the Linux underneath. See kstat(3KSTAT). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct kstat {
    int64_t ks_crtime;
    struct kstat *ks_next;
    int ks_kid;
    char ks_module[31];
    unsigned char ks_resv;
    int ks_instance;
    char ks_name[31];
    unsigned char ks_type;
    char ks_class[31];
    unsigned char ks_flags;
    void *ks_data;
    unsigned ks_ndata;
    size_t ks_data_size;
    int64_t ks_snaptime;
    int (*ks_update)(struct kstat *, int);
    void *ks_private;
    int (*ks_snapshot)(struct kstat *, void *, int);
    void *ks_lock;
} kstat_t;

typedef struct {
    int kc_chain_id;
    kstat_t *kc_chain;
    int kc_kd;
} kstat_ctl_t;

enum { KSTAT_DATA_UINT64 = 4, KSTAT_DATA_ULONG = sizeof(long) == 8 ? 4 : 2 };

typedef struct {
    char name[31];
    unsigned char data_type;
    union {
        char c[16];
        int64_t i64;
        unsigned long ul;
        struct {
            char *addr;
            unsigned len;
        } str;
    } value;
} kstat_named_t;

static kstat_named_t counters[] = {
    {"physmem", KSTAT_DATA_ULONG, {{0}}},
    {"availrmem", KSTAT_DATA_ULONG, {{0}}},
    {"pageslocked", KSTAT_DATA_ULONG, {{0}}},
};
static kstat_t pages;
static kstat_ctl_t handle = {1, &pages, -1};

static unsigned long available;

/* For tests: the pages that are neither locked nor the kernel's. */
void standin_available(unsigned long pages) {
    available = pages;
}

kstat_ctl_t *kstat_open(void) {
    pages.ks_kid = 1;
    strcpy(pages.ks_module, "unix");
    strcpy(pages.ks_name, "system_pages");
    strcpy(pages.ks_class, "pages");
    pages.ks_type = 1;
    pages.ks_ndata = 3;
    pages.ks_data = counters;
    pages.ks_data_size = sizeof counters;
    return &handle;
}

int kstat_close(kstat_ctl_t *kc) {
    (void)kc;
    return 0;
}

int kstat_chain_update(kstat_ctl_t *kc) {
    (void)kc;
    return 0;
}

kstat_t *kstat_lookup(kstat_ctl_t *kc, const char *module, int instance, const char *name) {
    (void)kc;
    return strcmp(module, "unix") == 0 && instance == 0 && strcmp(name, "system_pages") == 0 ? &pages : NULL;
}

static unsigned long meminfo(const char *field) {
    char line[256];
    unsigned long kib = 0;
    FILE *file = fopen("/proc/meminfo", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0) {
            kib = strtoul(line + strlen(field), NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib / ((unsigned long)sysconf(_SC_PAGESIZE) / 1024);
}

int kstat_read(kstat_ctl_t *kc, kstat_t *ksp, void *buffer) {
    (void)kc;
    (void)ksp;
    (void)buffer;
    counters[0].value.ul = meminfo("MemTotal:");
    counters[1].value.ul = available;
    counters[2].value.ul = meminfo("Mlocked:");
    return 1;
}

int kstat_write(kstat_ctl_t *kc, kstat_t *ksp, void *buffer) {
    (void)kc;
    (void)ksp;
    (void)buffer;
    return -1;
}

void *kstat_data_lookup(kstat_t *ksp, const char *name) {
    int i;
    (void)ksp;
    for (i = 0; i < 3; i++) {
        if (strcmp(counters[i].name, name) == 0) {
            return &counters[i];
        }
    }
    return NULL;
}
