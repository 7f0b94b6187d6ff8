// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.pagelock.LimitValue;
import io.pagelock.Tristate;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Function;

/** A JSON object that keeps the order of its keys and writes what is not known as null. */
final class Json {
    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .serializeNulls()
            .disableHtmlEscaping()
            .create();

    private final JsonObject object = new JsonObject();

    private Json put(String key, JsonElement value) {
        object.add(key, value);
        return this;
    }

    Json put(String key, String value) {
        return put(key, value == null ? JsonNull.INSTANCE : new JsonPrimitive(value));
    }

    Json put(String key, Optional<String> value) {
        return put(key, value.orElse(null));
    }

    Json put(String key, long value) {
        return put(key, new JsonPrimitive(value));
    }

    Json put(String key, boolean value) {
        return put(key, new JsonPrimitive(value));
    }

    Json put(String key, double value) {
        return put(key, new JsonPrimitive(value));
    }

    Json put(String key, OptionalLong value) {
        return value.isPresent() ? put(key, value.getAsLong()) : putNull(key);
    }

    Json put(String key, OptionalInt value) {
        return value.isPresent() ? put(key, value.getAsInt()) : putNull(key);
    }

    Json put(String key, Tristate value) {
        return value == Tristate.UNKNOWN ? putNull(key) : put(key, value == Tristate.YES);
    }

    Json put(String key, LimitValue value) {
        return put(key, value.bytes());
    }

    Json put(String key, Json value) {
        return put(key, value.object);
    }

    Json putNull(String key) {
        return put(key, JsonNull.INSTANCE);
    }

    Json putTexts(String key, Collection<String> values) {
        JsonArray array = new JsonArray();
        values.forEach(array::add);
        return put(key, array);
    }

    <T> Json putAll(String key, Collection<T> values, Function<T, Json> toJson) {
        JsonArray array = new JsonArray();
        values.forEach(each -> array.add(toJson.apply(each).object));
        return put(key, array);
    }

    <T> Json putNumbers(String key, Collection<T> values, Function<T, Collection<Long>> toNumbers) {
        JsonArray array = new JsonArray();
        for (T each : values) {
            JsonArray numbers = new JsonArray();
            toNumbers.apply(each).forEach(numbers::add);
            array.add(numbers);
        }
        return put(key, array);
    }

    /** A path; where its name is not UTF-8, so that its text is not exact, also its URI, which is. */
    Json putPath(Path path) {
        byte[] name = FileNames.bytes(path);
        put(
                "path",
                FileNames.isText(name)
                        ? new String(name, StandardCharsets.UTF_8)
                        : FileNames.text(path, StandardCharsets.UTF_8));
        return FileNames.isText(name) ? this : put("uri", path.toUri().toString());
    }

    @Override
    public String toString() {
        return GSON.toJson(object);
    }
}
