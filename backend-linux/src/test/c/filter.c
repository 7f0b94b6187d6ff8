/* SPDX-License-Identifier: Apache-2.0 */
/* Answers system calls in the place of the kernel, in a command that it starts: seccomp(2). */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct { const char *name; int number; } calls[] = {
    {"mlock", SYS_mlock}, {"mlock2", SYS_mlock2}, {"mlockall", SYS_mlockall},
    {"munlock", SYS_munlock}, {"msync", SYS_msync}};

/* Arguments: name=errno ... -- command */
int main(int count, char **words) {
    struct sock_filter code[32] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    int length = 1, at = 1;
    for (; at < count && strcmp(words[at], "--"); at++) {
        char *value = strchr(words[at], '=');
        *value++ = 0;
        for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
            if (!strcmp(calls[i].name, words[at])) {
                code[length++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);
                code[length++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | atoi(value));
            }
        }
    }
    code[length++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {length, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("seccomp");
        return 1;
    }
    execvp(words[at + 1], words + at + 1);
    perror(words[at + 1]);
    return 1;
}
