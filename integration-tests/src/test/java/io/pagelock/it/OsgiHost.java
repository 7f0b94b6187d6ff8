// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;

/** Starts the OSGi framework of the class path with bundles, the last of which is an application, and runs a class of it. */
public final class OsgiHost {
    private OsgiHost() {}

    public static void main(String[] args) throws Exception {
        Path storage = Files.createTempDirectory("osgi");
        Framework framework = ServiceLoader.load(FrameworkFactory.class)
                .iterator()
                .next()
                .newFramework(Map.of(
                        Constants.FRAMEWORK_STORAGE,
                        storage.toString(),
                        Constants.FRAMEWORK_STORAGE_CLEAN,
                        Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT));
        framework.start();
        List<Bundle> bundles = new ArrayList<>();
        for (int i = 1; i < args.length; i++) {
            bundles.add(framework
                    .getBundleContext()
                    .installBundle(Path.of(args[i]).toUri().toString()));
        }
        for (Bundle bundle : bundles) {
            bundle.start();
        }
        int status = 0;
        try {
            bundles.get(bundles.size() - 1)
                    .loadClass(args[0])
                    .getMethod("main", String[].class)
                    .invoke(null, (Object) new String[0]);
        } catch (InvocationTargetException e) {
            e.printStackTrace();
            status = 1;
        }
        // Threads of the framework would keep the JVM alive.
        System.exit(status);
    }
}
