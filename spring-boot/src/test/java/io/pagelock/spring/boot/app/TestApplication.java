// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spring.boot.app;

import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import java.nio.ByteBuffer;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;

/** An application that locks a buffer for as long as it lives. Prints its port, and ends with its standard input. */
@SpringBootApplication
public class TestApplication {
    private static final int BYTES = 1 << 20;

    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BYTES);

    @Bean
    @Lazy(false)
    PageLock lock(PageLocker locker) {
        return locker.lock(buffer);
    }

    @Bean
    CommandLineRunner port(Environment environment) {
        return arguments -> System.out.println("port " + environment.getProperty("local.server.port"));
    }

    /**
     * Starts it.
     *
     * @param arguments Boot's
     */
    public static void main(String[] arguments) throws java.io.IOException {
        SpringApplication.run(TestApplication.class, arguments);
        while (System.in.read() >= 0) {}
        System.exit(0);
    }
}
