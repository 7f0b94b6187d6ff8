// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** A manual page from the definitions of the commands. Source: man(7) of groff and of mandoc, macros that both have. */
final class ManualPage {
    private final StringBuilder page = new StringBuilder();

    ManualPage(CommandSpec root) {
        String name = root.name();
        line(".TH " + name.toUpperCase(Locale.ROOT) + " 1 \"\" \"" + escape(root.version()[0]) + "\"");
        line(".SH NAME");
        text(name + " \\- " + escape(root.usageMessage().description()[0].replaceAll("\\.$", "")));
        line(".SH SYNOPSIS");
        for (CommandLine each : root.subcommands().values()) {
            CommandSpec command = each.getCommandSpec();
            line(".B " + escape(name + " " + command.name()));
            StringBuilder rest = new StringBuilder("[\\fIoptions\\fR]");
            for (PositionalParamSpec parameter : command.positionalParameters()) {
                rest.append(" \\fI").append(escape(parameter.paramLabel())).append("\\fR ...");
            }
            text(rest.toString());
            line(".br");
        }
        line(".SH COMMANDS");
        for (Map.Entry<String, CommandLine> each : root.subcommands().entrySet()) {
            CommandSpec command = each.getValue().getCommandSpec();
            line(".SS " + escape(each.getKey()));
            for (String paragraph : command.usageMessage().description()) {
                text(escape(paragraph));
                line(".PP");
            }
            command.options().stream().filter(option -> !option.hidden()).forEach(this::option);
        }
        for (String each : root.usageMessage().footer()) {
            if (each.endsWith(":")) {
                line(".SH " + escape(each.substring(0, each.length() - 1).toUpperCase(Locale.ROOT)));
            } else if (!each.isEmpty()) {
                line(".TP");
                int colon = each.indexOf(": ");
                text("\\fB" + escape(each.substring(0, colon).trim()) + "\\fR");
                text(escape(each.substring(colon + 2)));
            }
        }
    }

    private void option(OptionSpec option) {
        line(".TP");
        StringBuilder names = new StringBuilder();
        for (String each : Arrays.asList(option.names())) {
            names.append(names.length() == 0 ? "" : ", ")
                    .append("\\fB")
                    .append(escape(each))
                    .append("\\fR");
        }
        if (option.arity().max() > 0) {
            names.append("=\\fI").append(escape(option.paramLabel())).append("\\fR");
        }
        text(names.toString());
        text(escape(String.join(" ", option.description())));
    }

    private void line(String line) {
        page.append(line).append('\n');
    }

    /** A line that is no request, whatever it begins with. */
    private void text(String text) {
        line(text.startsWith(".") || text.startsWith("'") ? "\\&" + text : text);
    }

    private static String escape(String text) {
        return text.replace("\\", "\\e").replace("-", "\\-").replace("\"", "\\(dq");
    }

    @Override
    public String toString() {
        return page.toString();
    }
}
