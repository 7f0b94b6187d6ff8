// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * The copy of the program, which counts in this process already (rule B4). Of any version and perhaps relocated, so its API is
 * called by reflection.
 */
final class ProgramsCopy implements Target {
    private final Object locker;
    private final Class<?> api;
    private final Class<?> option;
    private final Class<?> scope;
    private final Method rangeOf;

    private ProgramsCopy(Object locker, Class<?> api) throws ReflectiveOperationException {
        this.locker = locker;
        this.api = api;
        option = neighbour(LockOption.class);
        scope = neighbour(AddressSpaceScope.class);
        rangeOf = neighbour(MemoryRange.class).getMethod("of", long.class, long.class);
    }

    /**
     * Finds it among the classes that are loaded. Shading tools rename packages, not classes.
     *
     * @param owner how it describes itself
     */
    static ProgramsCopy find(Instrumentation jvm, String owner) throws Refusal {
        for (Class<?> each : jvm.getAllLoadedClasses()) {
            if (each.isInterface() && each.getSimpleName().equals("PageLocker")) {
                try {
                    Method system = each.getMethod("system");
                    if (Modifier.isStatic(system.getModifiers()) && system.getReturnType() == each) {
                        return new ProgramsCopy(system.invoke(null), each);
                    }
                } catch (ReflectiveOperationException | LinkageError e) {
                    // Another one, which was refused.
                    continue;
                }
            }
        }
        throw new Refusal(
                "NOT_SUPPORTED",
                "this program has loaded pagelock (" + owner
                        + "), and its PageLocker cannot be called from here. Start the agent with the JVM (-javaagent)",
                null);
    }

    private Class<?> neighbour(Class<?> ours) throws ClassNotFoundException {
        String name = api.getName();
        String theirs = name.substring(0, name.lastIndexOf('.') + 1) + ours.getSimpleName();
        return Class.forName(theirs, true, api.getClassLoader());
    }

    @Override
    public AutoCloseable lockAddressSpace(AddressSpaceScope what, Set<LockOption> options) throws Refusal {
        Object theirScope = constant(scope, what.name());
        return call("lockAddressSpace", new Class<?>[] {scope, array().getClass()}, theirScope, array(options));
    }

    @Override
    public AutoCloseable lock(List<MemoryRange> ranges, Set<LockOption> options) throws Refusal {
        List<Object> theirs = new ArrayList<>();
        try {
            for (MemoryRange each : ranges) {
                theirs.add(rangeOf.invoke(null, each.address(), each.length()));
            }
        } catch (ReflectiveOperationException e) {
            throw Refusal.of(e);
        }
        return call("lock", new Class<?>[] {Collection.class, array().getClass()}, theirs, array(options));
    }

    private AutoCloseable call(String method, Class<?>[] types, Object... arguments) throws Refusal {
        try {
            return (AutoCloseable) api.getMethod(method, types).invoke(locker, arguments);
        } catch (InvocationTargetException e) {
            throw Refusal.of(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw Refusal.of(e);
        }
    }

    private Object array() {
        return Array.newInstance(option, 0);
    }

    private Object array(Set<LockOption> options) throws Refusal {
        Object array = Array.newInstance(option, options.size());
        int i = 0;
        for (LockOption each : options) {
            Array.set(array, i++, constant(option, each.name()));
        }
        return array;
    }

    private static Object constant(Class<?> enumeration, String name) throws Refusal {
        for (Object each : enumeration.getEnumConstants()) {
            if (((Enum<?>) each).name().equals(name)) {
                return each;
            }
        }
        throw new Refusal("NOT_SUPPORTED", "the program's pagelock does not know " + name, null);
    }

    @Override
    public String name() {
        return "the program's copy of pagelock, " + api.getName() + " of " + api.getClassLoader();
    }
}
