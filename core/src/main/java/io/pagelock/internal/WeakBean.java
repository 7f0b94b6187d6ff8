// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import javax.management.DynamicMBean;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * An MBean that does not keep this library: the MBean server, which lives as long as the JVM, would otherwise hold the class
 * loader of an application that has its own copy and is undeployed. What the server gets consists of classes of the JDK and leads
 * to the real bean by a weak reference. From Java 9 on, the name is freed when this library is collected.
 */
final class WeakBean implements InvocationHandler {
    private final DynamicMBean bean;

    private WeakBean(DynamicMBean bean) {
        this.bean = bean;
    }

    /**
     * Registers a bean.
     *
     * @return what must stay reachable as long as the bean is to answer
     */
    static Object register(MBeanServer server, ObjectName name, DynamicMBean bean) throws Exception {
        WeakBean strong = new WeakBean(bean);
        server.registerMBean(proxy(strong), name);
        unregisterWithout(strong, server, name);
        return strong;
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(bean, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static DynamicMBean proxy(InvocationHandler strong) throws ReflectiveOperationException {
        MethodHandles.Lookup lookup = MethodHandles.publicLookup();
        MethodHandle get = lookup.findVirtual(Reference.class, "get", MethodType.methodType(Object.class))
                .bindTo(new WeakReference<>(strong))
                .asType(MethodType.methodType(InvocationHandler.class));
        MethodHandle invoke = lookup.findVirtual(
                InvocationHandler.class,
                "invoke",
                MethodType.methodType(Object.class, Object.class, Method.class, Object[].class));
        InvocationHandler weak = MethodHandleProxies.asInterfaceInstance(
                InvocationHandler.class, MethodHandles.foldArguments(invoke, get));
        return (DynamicMBean)
                Proxy.newProxyInstance(ClassLoader.getSystemClassLoader(), new Class<?>[] {DynamicMBean.class}, weak);
    }

    /** By java.lang.ref.Cleaner, whose thread and classes are the JDK's; on Java 8 a bean without answers stays. */
    private static void unregisterWithout(Object strong, MBeanServer server, ObjectName name)
            throws ReflectiveOperationException {
        Class<?> cleaner;
        try {
            cleaner = Class.forName("java.lang.ref.Cleaner");
        } catch (ClassNotFoundException e) {
            return;
        }
        MethodHandle unregister = MethodHandles.publicLookup()
                .findVirtual(MBeanServer.class, "unregisterMBean", MethodType.methodType(void.class, ObjectName.class))
                .bindTo(server)
                .bindTo(name);
        Runnable action = MethodHandleProxies.asInterfaceInstance(Runnable.class, unregister);
        cleaner.getMethod("register", Object.class, Runnable.class)
                .invoke(cleaner.getMethod("create").invoke(null), strong, action);
    }
}
