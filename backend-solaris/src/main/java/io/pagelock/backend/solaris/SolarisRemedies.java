// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.Reason;

/** What an administrator of Solaris or illumos can turn. Sources: ppriv(1), smf_method(5), prctl(1), projmod(8), zonecfg(8). */
final class SolarisRemedies {
    private SolarisRemedies() {}

    static String remedy(Reason reason, long bytes) {
        switch (reason) {
            case NOT_PERMITTED:
                return "Grant the privilege proc_lock_memory: for one program, 'ppriv -e -s EIP+proc_lock_memory java ...'"
                        + " by a user who has it; for a user, usermod -K defaultpriv=basic,proc_lock_memory USER and a new"
                        + " login; for an SMF service, privileges='basic,proc_lock_memory' in its method_credential; for a"
                        + " zone, set limitpriv=default,proc_lock_memory with zonecfg";
            case OVER_LIMIT:
                String value = bytes == 0 ? "BYTES" : Long.toString(bytes);
                return "Raise the resource control"
                        + (bytes == 0 ? "" : " to at least " + bytes + " bytes")
                        + ": for the running project, 'prctl -n project.max-locked-memory -r -v " + value
                        + " -i project PROJECT', and to keep it, projmod -sK"
                        + " 'project.max-locked-memory=(privileged," + value
                        + ",deny)' PROJECT; for a zone, 'prctl -n zone.max-locked-memory -r -v " + value
                        + " -i zone ZONE', and to keep it, 'set locked=" + value
                        + "' in its capped-memory with zonecfg. The superuser is bound, too";
            case NO_LOCKABLE_MEMORY:
                return "Lock less, or free what other processes have locked: 'kstat -p unix:0:system_pages' shows pageslocked"
                        + " and availrmem, 'pmap -x PID' what a process has locked; how many pages must stay unlocked is the"
                        + " tunable pages_pp_maximum in /etc/system";
            case NOT_MAPPED:
                return "Keep the memory mapped while it is being locked or synced: unmapping in another thread makes the"
                        + " hole";
            case CANNOT_BE_PAGED_IN:
                return "Lock of a file only what lies before its end, and write to memory mapped with MAP_NORESERVE before"
                        + " locking it";
            case BUSY:
                return "Close the locks over the range before invalidating it, or sync without invalidating; another"
                        + " process that has locked the same file counts, too";
            case IO_ERROR:
                return "Look for the error of the device with 'fmadm faulty', 'iostat -En' or in /var/adm/messages";
            default:
                return "";
        }
    }
}
