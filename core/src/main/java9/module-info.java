// SPDX-License-Identifier: Apache-2.0
/** Keeps chosen memory in RAM: the API, the backend SPI and the engine. */
module io.pagelock {
    requires static com.fasterxml.jackson.annotation;
    requires static java.management;
    requires static org.jspecify;

    exports io.pagelock;
    exports io.pagelock.engine;
    exports io.pagelock.spi;

    uses io.pagelock.spi.BackendProvider;
}
