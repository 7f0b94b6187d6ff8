/* SPDX-License-Identifier: Apache-2.0 */
/* A remote-agent whose kernel is the stand-in. */
#include "macos.c"

#define AGENT_STANDIN "Darwin"
#define AGENT_RELEASE "24.5.0"
#define AGENT_MACHINE64 "arm64"
#define AGENT_MACHINE32 "arm"
#define AGENT_STANDIN_MEMORY
#define AGENT_MACOS

/* What the agent takes from the headers there. */
enum { MCL_CURRENT = 1, MCL_FUTURE = 2, VM_REGION_BASIC_INFO_64 = BASIC_INFO_64, VM_REGION_BASIC_INFO_COUNT_64 = 9 };
typedef uint64_t mach_vm_address_t;
typedef uint64_t mach_vm_size_t;
typedef unsigned mach_msg_type_number_t;
typedef unsigned mach_port_t;
typedef struct basic_info_64 vm_region_basic_info_data_64_t;
typedef struct basic_info_64 *vm_region_info_t;
#define mach_task_self() mach_task_self_
#define RLIMIT_MEMLOCK M_RLIMIT_MEMLOCK
#define RLIM_INFINITY INT64_MAX
#define rlim_t int64_t
struct m_rlimit {
    int64_t rlim_cur;
    int64_t rlim_max;
};
#define rlimit m_rlimit
#define getrlimit(resource, limits) getrlimit(resource, (int64_t *)(limits))
#undef EAGAIN
#define EAGAIN M_EAGAIN
#undef EDEADLK
#define EDEADLK 11
#undef ENOSYS
#define ENOSYS M_ENOSYS

int setrlimit(int resource, const struct m_rlimit *limits) {
    if (resource != M_RLIMIT_MEMLOCK) {
        return refuse(M_EINVAL);
    }
    standin_set("memlock", limits->rlim_cur == INT64_MAX ? -1 : (long)limits->rlim_cur);
    return 0;
}

#include "remote-agent.c"
