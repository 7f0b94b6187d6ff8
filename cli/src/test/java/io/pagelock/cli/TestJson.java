// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;

/** Reads output strictly. */
final class TestJson {
    private TestJson() {}

    /** The one document in the text; anything beside it is an error. */
    static JsonObject only(String text) {
        try {
            JsonReader reader = new JsonReader(new StringReader(text));
            reader.setStrictness(Strictness.STRICT);
            JsonObject document = JsonParser.parseReader(reader).getAsJsonObject();
            assertEquals(JsonToken.END_DOCUMENT, reader.peek(), text);
            return document;
        } catch (IOException e) {
            throw new UncheckedIOException(text, e);
        } catch (RuntimeException e) {
            throw new AssertionError("not one JSON document: '" + text + "'", e);
        }
    }
}
