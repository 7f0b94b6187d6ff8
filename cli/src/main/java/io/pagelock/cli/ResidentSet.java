// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.pagelock.files.FileSelection;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The pages that were in memory when {@code status --json} wrote its document. */
final class ResidentSet {
    /** Beside the files: for each, where its resident parts begin and how long they are, in bytes, one after the other. */
    static final String KEY = "residentRanges";

    private ResidentSet() {}

    /**
     * Reads a document.
     *
     * @param name of a file, or a dash
     * @return each resident part of each file
     * @throws Failure if it cannot be read, or is no such document
     */
    static List<FileSelection> read(byte[] name) {
        boolean standardInput = name.length == 1 && name[0] == '-';
        Path path = FileNames.path(name);
        String shown = standardInput ? "standard input" : FileNames.text(path, Console.localeCharset());
        try (InputStream in = standardInput ? System.in : Files.newInputStream(path);
                Reader text = new InputStreamReader(in, StandardCharsets.UTF_8)) {
            return selections(JsonParser.parseReader(text).getAsJsonObject());
        } catch (NoSuchFileException e) {
            throw new Failure("NO_SUCH_FILE", shown + ": no such file or directory", Collections.emptyList(), e);
        } catch (IOException e) {
            throw Failure.of(shown, e);
        } catch (JsonParseException
                | IllegalStateException
                | IllegalArgumentException
                | ClassCastException
                | NullPointerException
                | UnsupportedOperationException e) {
            throw new Failure(
                    "NOT_A_DOCUMENT",
                    shown + ": not a document of 'pagelock status --json' with " + KEY,
                    Collections.emptyList(),
                    e);
        }
    }

    private static List<FileSelection> selections(JsonObject document) {
        JsonArray files = document.getAsJsonArray("files");
        JsonArray ranges = document.getAsJsonArray(KEY);
        if (files.size() != ranges.size()) {
            throw new IllegalArgumentException("other files than ranges");
        }
        List<FileSelection> selections = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            FileSelection file = FileSelection.of(path(files.get(i).getAsJsonObject()));
            JsonArray numbers = ranges.get(i).getAsJsonArray();
            if (numbers.size() % 2 != 0) {
                throw new IllegalArgumentException("a range without a length");
            }
            for (int j = 0; j < numbers.size(); j += 2) {
                selections.add(file.range(number(numbers.get(j)), number(numbers.get(j + 1))));
            }
        }
        return selections;
    }

    /** Digits alone: what else is a number in JSON may have a billion digits when it is written out. */
    private static long number(JsonElement element) {
        return Long.parseLong(element.getAsString());
    }

    private static Path path(JsonObject file) {
        JsonElement element = file.get("uri");
        if (element != null) {
            URI uri = URI.create(element.getAsString());
            if (!"file".equals(uri.getScheme())) {
                throw new IllegalArgumentException("not the URI of a file");
            }
            return Paths.get(uri);
        }
        byte[] name = file.get("path").getAsString().getBytes(StandardCharsets.UTF_8);
        if (name.length == 0) {
            throw new IllegalArgumentException("an empty name is not a file");
        }
        return FileNames.path(name);
    }
}
