// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Describes a backend: its name, the system it runs on, and which facts about it are unconfirmed. Immutable. */
public final class BackendInfo {
    private final String name;
    private final String system;
    private final String arch;
    private final String binding;
    private final List<String> notes;

    /**
     * Describes a backend that does not report how it calls C.
     *
     * @param name the provider's name, for example {@code linux}
     * @param system the system with its release, for example {@code Linux 6.18}
     * @param arch the processor that its constants are for
     * @param notes what a careful user should know: unverified numbers, calls that are missing here; may be empty
     */
    public BackendInfo(String name, String system, String arch, List<String> notes) {
        this(name, system, arch, "", notes);
    }

    /**
     * Describes a backend.
     *
     * @param name the provider's name, for example {@code linux}
     * @param system the system with its release, for example {@code Linux 6.18}
     * @param arch the processor that its constants are for
     * @param binding how C is called, for example {@code jna}; empty if it is not known
     * @param notes what a careful user should know: unverified numbers, calls that are missing here; may be empty
     */
    public BackendInfo(String name, String system, String arch, String binding, List<String> notes) {
        this.name = Objects.requireNonNull(name, "name");
        this.system = Objects.requireNonNull(system, "system");
        this.arch = Objects.requireNonNull(arch, "arch");
        this.binding = Objects.requireNonNull(binding, "binding");
        this.notes = Collections.unmodifiableList(new ArrayList<>(notes));
    }

    /**
     * Returns the name by which the property {@value PageLocker#BACKEND_PROPERTY} selects this backend.
     *
     * @return a short name in lower case
     */
    public String name() {
        return name;
    }

    /**
     * Returns the system that the backend runs on.
     *
     * @return name and release
     */
    public String system() {
        return system;
    }

    /**
     * Returns the processor whose constants are used.
     *
     * @return the architecture
     */
    public String arch() {
        return arch;
    }

    /**
     * Returns how C is called: {@code jna}, or {@code foreign} for the foreign-function API of Java 22 and later. The property
     * {@code io.pagelock.binding} selects it.
     *
     * @return the name of the binding; empty if the backend does not report it
     */
    public Optional<String> binding() {
        return binding.isEmpty() ? Optional.empty() : Optional.of(binding);
    }

    /**
     * Returns what is unverified or missing here.
     *
     * @return one sentence each, often none
     */
    public List<String> notes() {
        return notes;
    }

    /**
     * Returns this as plain values, for JSON and the like. The keys are the names of the methods; more may be added.
     *
     * @return a new map, in which an unknown binding is null
     */
    @JsonValue
    public Map<String, @Nullable Object> toMap() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("name", name);
        map.put("system", system);
        map.put("arch", arch);
        map.put("binding", binding().orElse(null));
        map.put("notes", notes);
        return map;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof BackendInfo)) {
            return false;
        }
        BackendInfo that = (BackendInfo) other;
        return name.equals(that.name)
                && system.equals(that.system)
                && arch.equals(that.arch)
                && binding.equals(that.binding)
                && notes.equals(that.notes);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, system, arch, binding, notes);
    }

    @Override
    public String toString() {
        return name + " (" + system + ", " + arch + (binding.isEmpty() ? "" : ", " + binding) + ")";
    }
}
