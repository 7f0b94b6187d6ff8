// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.lang.reflect.Method;
import java.util.Optional;

/** Provides a backend over the stand-in for its system, which the tests of that backend open; for a child JVM. */
public final class StandInProvider implements BackendProvider {
    /** The name of a class and of those of its methods that lead to the backend, each called on what the last returned. */
    static final String PROPERTY = "pagelock.it.standIn";

    @Override
    public String name() {
        return "stand-in";
    }

    @Override
    public Optional<String> refusal(Host host) {
        return Optional.empty();
    }

    @Override
    public Backend open(Host host) {
        String[] names = System.getProperty(PROPERTY).split(" ");
        try {
            Class<?> type = Class.forName(names[0]);
            Object found = null;
            for (int i = 1; i < names.length; i++) {
                Method method = type.getDeclaredMethod(names[i]);
                method.setAccessible(true);
                found = method.invoke(found);
            }
            return (Backend) found;
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }
}
