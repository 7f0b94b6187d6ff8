// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.util.concurrent.TimeUnit;
import javax.management.AttributeNotFoundException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.StandardMBean;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

class WeakBeanTest {
    public interface NumberMXBean {
        int getNumber();
    }

    @Test
    void theServerAnswersWhileTheLibraryLivesAndDoesNotKeepIt() throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        ObjectName name = new ObjectName("test:type=WeakBean");
        Object strong =
                WeakBean.register(server, name, new StandardMBean((NumberMXBean) () -> 7, NumberMXBean.class, true));
        System.gc();
        assertEquals(7, server.getAttribute(name, "Number"));
        Assertions.assertThrows(AttributeNotFoundException.class, () -> server.getAttribute(name, "Other"));
        Reference.reachabilityFence(strong);
        strong = null;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (server.isRegistered(name) && System.nanoTime() < end) {
            System.gc();
            Thread.sleep(10);
        }
        assertFalse(server.isRegistered(name));
    }
}
