// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import java.util.Locale;
import java.util.Objects;

/** Describes the system and the JVM by their system properties. Immutable. */
public final class Host {
    private final String osName;
    private final String osVersion;
    private final String arch;
    private final int bits;

    /**
     * Describes a host.
     *
     * @param osName the system's name, as {@code os.name} gives it
     * @param osVersion its release, as {@code os.version} gives it
     * @param arch the JVM's processor architecture, as {@code os.arch} gives it
     * @param bits the width of a pointer in this JVM, 32 or 64
     */
    public Host(String osName, String osVersion, String arch, int bits) {
        this.osName = Objects.requireNonNull(osName, "osName");
        this.osVersion = Objects.requireNonNull(osVersion, "osVersion");
        this.arch = Objects.requireNonNull(arch, "arch");
        if (bits != 32 && bits != 64) {
            throw new IllegalArgumentException("pointers of " + bits + " bits; a JVM has 32 or 64");
        }
        this.bits = bits;
    }

    /**
     * Describes the host of this JVM.
     *
     * @return the current host
     */
    public static Host current() {
        String arch = System.getProperty("os.arch", "");
        String model = System.getProperty("sun.arch.data.model", "");
        // Not every JVM sets the data model; 32-bit names that contain "64" are not known.
        int bits = model.equals("32") || model.equals("64") ? Integer.parseInt(model) : is64(arch) ? 64 : 32;
        return new Host(System.getProperty("os.name", ""), System.getProperty("os.version", ""), arch, bits);
    }

    private static boolean is64(String arch) {
        String name = arch.toLowerCase(Locale.ROOT);
        return name.contains("64") || name.equals("s390x") || name.equals("sparcv9") || name.equals("alpha");
    }

    /**
     * Returns the system's name.
     *
     * @return as {@code os.name} gives it
     */
    public String osName() {
        return osName;
    }

    /**
     * Returns the system's release.
     *
     * @return as {@code os.version} gives it
     */
    public String osVersion() {
        return osVersion;
    }

    /**
     * Returns the JVM's processor architecture, which may differ from the kernel's.
     *
     * @return as {@code os.arch} gives it
     */
    public String arch() {
        return arch;
    }

    /**
     * Returns the width of a pointer in this JVM.
     *
     * @return 32 or 64
     */
    public int bits() {
        return bits;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof Host)) {
            return false;
        }
        Host that = (Host) other;
        return osName.equals(that.osName)
                && osVersion.equals(that.osVersion)
                && arch.equals(that.arch)
                && bits == that.bits;
    }

    @Override
    public int hashCode() {
        return Objects.hash(osName, osVersion, arch, bits);
    }

    @Override
    public String toString() {
        return osName + " " + osVersion + ", " + arch + ", " + bits + "-bit";
    }
}
