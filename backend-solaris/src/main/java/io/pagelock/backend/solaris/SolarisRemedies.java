// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.Reason;
import io.pagelock.backend.support.Remedies;

/** What an administrator of Solaris or illumos can set. Sources: ppriv(1), smf_method(5), prctl(1), projmod(8), zonecfg(8). */
final class SolarisRemedies {
    static final Remedies ALL = Remedies.builder()
            .put(
                    Reason.NOT_PERMITTED,
                    "Grant the privilege proc_lock_memory for one program: 'ppriv -e -s EIP+proc_lock_memory java"
                            + " ...' by a"
                            + " user who has it",
                    "For a user: 'usermod -K defaultpriv=basic,proc_lock_memory USER' and a new login",
                    "For an SMF service: privileges='basic,proc_lock_memory' in its method_credential",
                    "For a zone: 'set limitpriv=default,proc_lock_memory' with zonecfg")
            .put(
                    Reason.OVER_LIMIT,
                    "Raise the resource control of the running project, which binds the superuser too, to at least"
                            + " {bytes}"
                            + " bytes: 'prctl -n project.max-locked-memory -r -v {bytes} -i project PROJECT'",
                    "To keep that: projmod -sK 'project.max-locked-memory=(privileged,{bytes},deny)' PROJECT",
                    "For a zone: 'prctl -n zone.max-locked-memory -r -v {bytes} -i zone ZONE'",
                    "To keep that: 'set locked={bytes}' in its capped-memory with zonecfg")
            .put(
                    Reason.NO_LOCKABLE_MEMORY,
                    "Lock less, or free what other processes have locked: 'kstat -p unix:0:system_pages' shows"
                            + " pageslocked and"
                            + " availrmem, 'pmap -x PID' what a process has locked",
                    "Lower the tunable pages_pp_maximum in /etc/system, the number of pages that must stay unlocked")
            .put(
                    Reason.CANNOT_BE_PAGED_IN,
                    "Lock a file only up to its end",
                    "Write to memory mapped with MAP_NORESERVE before locking it")
            .put(
                    Reason.BUSY,
                    "Close the locks over the range before invalidating it; a lock of the same file by another"
                            + " process counts too",
                    "Sync without invalidating")
            .put(Reason.IO_ERROR, "Look for the device error with 'fmadm faulty', 'iostat -En' or in /var/adm/messages")
            .build();

    private SolarisRemedies() {}
}
