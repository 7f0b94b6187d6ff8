// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.Availability;
import io.pagelock.Forecast;
import io.pagelock.PageLockException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the library suggests, as it is to be done by a user of the command. */
final class Remedies {
    private static final Pattern USER = Pattern.compile("\\bUSER\\b");
    private static final Pattern JVM_OPTION =
            Pattern.compile("(?<![\\w'=-])(-D[\\w.]+=[\\w./]+|-X\\w+|--enable-[\\w-]+=[\\w.-]+)");
    private static final Pattern SAFE_NAME = Pattern.compile("[\\w.@-]+");

    private Remedies() {}

    static List<String> of(PageLockException e) {
        return list(e.remedy());
    }

    static List<String> of(Forecast forecast) {
        return list(forecast.remedy());
    }

    static List<String> of(Availability availability) {
        return list(availability.remedy());
    }

    private static List<String> list(String remedy) {
        return remedy.isEmpty() ? Collections.emptyList() : Collections.singletonList(remedy);
    }

    /** The message of an exception without its remedies, which are shown one a line. */
    static String without(PageLockException e) {
        String message = e.getMessage();
        String end = ". " + e.remedy();
        return !e.remedy().isEmpty() && message.endsWith(end)
                ? message.substring(0, message.length() - end.length())
                : message;
    }

    /** Names the user, and says where options of the JVM go, for they cannot be given to the command. */
    static List<String> here(List<String> remedies) {
        String user = System.getProperty("user.name", "");
        List<String> here = new ArrayList<>();
        for (String each : remedies) {
            String remedy = SAFE_NAME.matcher(user).matches()
                    ? USER.matcher(each).replaceAll(Matcher.quoteReplacement(user))
                    : each;
            Matcher option = JVM_OPTION.matcher(remedy);
            if (!remedy.contains("PAGELOCK_OPTS") && option.find()) {
                remedy += "; options of the JVM are given to this command as PAGELOCK_OPTS='" + option.group(1) + "'";
            }
            here.add(remedy);
        }
        return here;
    }
}
