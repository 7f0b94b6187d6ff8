// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.util.ArrayList;
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
