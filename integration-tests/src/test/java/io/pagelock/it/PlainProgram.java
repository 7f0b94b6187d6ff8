// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.Security;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/** A program that knows nothing of pagelock. Does what it reads from standard input, line by line, and ends with it. */
public final class PlainProgram {
    private static final List<Object> KEPT = new ArrayList<>();

    private PlainProgram() {}

    public static void main(String[] args) throws Exception {
        System.out.println("begun");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            switch (line) {
                case "grow" -> grow();
                case "report" -> report();
                case "serve" -> serve();
                default -> throw new IllegalArgumentException(line);
            }
            System.out.println(line + " done");
        }
    }

    /** 150 MiB of objects and 20 threads. */
    private static void grow() throws Exception {
        for (int i = 0; i < 600; i++) {
            KEPT.add(new byte[256 << 10]);
        }
        CountDownLatch started = new CountDownLatch(20);
        for (int i = 0; i < 20; i++) {
            Thread thread = new Thread(() -> {
                started.countDown();
                synchronized (KEPT) {
                    while (true) {
                        try {
                            KEPT.wait();
                        } catch (InterruptedException e) {
                            return;
                        }
                    }
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
        started.await();
    }

    private static void report() throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        ObjectName name = new ObjectName("io.pagelock:type=Agent");
        while (!server.isRegistered(name)) {
            Thread.sleep(50);
        }
        System.out.println("Mark=" + Security.getProperty("page-lock-agent"));
        for (MBeanAttributeInfo each : server.getMBeanInfo(name).getAttributes()) {
            Object value = server.getAttribute(name, each.getName());
            System.out.println(
                    each.getName() + "=" + (value instanceof Object[] ? Arrays.asList((Object[]) value) : value));
        }
    }

    private static void serve() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            byte[] body = "served".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        KEPT.add(server);
        System.out.println("port=" + server.getAddress().getPort());
    }
}
