// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import com.sun.jna.Function;
import java.lang.annotation.Annotation;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;

/** Carries out the methods of an interface of {@link NativeCalls} by JNA. */
final class JnaCalls implements InvocationHandler {
    private final JnaLibrary library;
    private final boolean narrow;
    private final Map<Method, Function> functions = new HashMap<>();

    /**
     * @param narrow whether pointers have 4 bytes; otherwise 8
     * @throws io.pagelock.PageLockException if a function is missing that must be there
     */
    JnaCalls(JnaLibrary library, Class<?> calls, boolean narrow) {
        this.library = library;
        this.narrow = narrow;
        for (Method method : calls.getMethods()) {
            boolean ofC = method.getDeclaringClass() != NativeCalls.class && Modifier.isAbstract(method.getModifiers());
            if (ofC && (library.has(method.getName()) || !method.isAnnotationPresent(MayBeMissing.class))) {
                functions.put(method, library.function(method.getName()));
            }
        }
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws ReflectiveOperationException {
        if (method.getDeclaringClass() == Object.class) {
            return method.getName().equals("equals")
                    ? (Object) (proxy == arguments[0])
                    : method.invoke(this, arguments);
        }
        if (method.getDeclaringClass() == NativeCalls.class) {
            return arguments == null ? (Object) library.errno() : (Object) library.has((String) arguments[0]);
        }
        Function known = functions.get(method);
        Function function = known == null ? library.function(method.getName()) : known;
        Object[] passed = narrow && arguments != null ? narrow(method, arguments) : arguments;
        Object result = result(function, method, passed);
        if (passed != arguments) {
            widen(passed, arguments);
        }
        return result;
    }

    private Object result(Function function, Method method, Object[] passed) {
        if (method.getReturnType() != long.class) {
            return function.invokeInt(passed);
        }
        return narrow && method.isAnnotationPresent(SizeT.class)
                ? function.invokeInt(passed) & 0xffffffffL
                : function.invokeLong(passed);
    }

    private static Object[] narrow(Method method, Object[] arguments) {
        Object[] passed = arguments.clone();
        Annotation[][] annotations = method.getParameterAnnotations();
        for (int i = 0; i < passed.length; i++) {
            if (arguments[i] instanceof Long) {
                passed[i] = ((Long) arguments[i]).intValue();
            } else if (arguments[i] instanceof long[] && annotations[i].length > 0) {
                long[] wide = (long[]) arguments[i];
                int[] sizes = new int[wide.length];
                for (int at = 0; at < sizes.length; at++) {
                    sizes[at] = (int) wide[at];
                }
                passed[i] = sizes;
            }
        }
        return passed;
    }

    private static void widen(Object[] passed, Object[] arguments) {
        for (int i = 0; i < passed.length; i++) {
            if (passed[i] instanceof int[] && arguments[i] instanceof long[]) {
                int[] sizes = (int[]) passed[i];
                for (int at = 0; at < sizes.length; at++) {
                    ((long[]) arguments[i])[at] = sizes[at] & 0xffffffffL;
                }
            }
        }
    }
}
