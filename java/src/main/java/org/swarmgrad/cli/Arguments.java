// Declares options and reads their values, with one line that names option, value and what is
// allowed.
package org.swarmgrad.cli;

import java.util.function.Function;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

final class Arguments {
  private Arguments() {}

  /** Adds "--name VALUE". */
  static Options value(Options options, String name, String argument, String description) {
    return options.addOption(
        Option.builder().longOpt(name).hasArg().argName(argument).desc(description).get());
  }

  /** Adds "--name". */
  static Options flag(Options options, String name, String description) {
    return options.addOption(Option.builder().longOpt(name).desc(description).get());
  }

  /** Adds --json. */
  static Options json(Options options) {
    return flag(options, "json", "print one JSON object as the last line of standard output");
  }

  /** The value of an option, or `otherwise` where it is absent. */
  static <T> T get(CommandLine line, String name, Function<String, T> parser, T otherwise) {
    String text = line.getOptionValue(name);
    return text == null ? otherwise : parser.apply(text);
  }

  static long getLong(CommandLine line, String name, long otherwise, long minimum, long maximum) {
    String text = line.getOptionValue(name);
    return text == null ? otherwise : parseLong("--" + name, text, minimum, maximum);
  }

  static long parseLong(String name, String text, long minimum, long maximum) {
    try {
      long value = Long.parseLong(text);
      if (value >= minimum && value <= maximum) {
        return value;
      }
    } catch (NumberFormatException failure) {
      // Falls through to the one message for both cases.
    }
    throw new UsageException(
        name + " is '" + text + "'; allowed: whole numbers " + range(minimum, maximum));
  }

  static int getInt(CommandLine line, String name, int otherwise, int minimum, int maximum) {
    return (int) getLong(line, name, otherwise, minimum, maximum);
  }

  /** Any finite number; what else is not allowed is said by the constructor that takes it. */
  static double getDouble(CommandLine line, String name, double otherwise) {
    String text = line.getOptionValue(name);
    return text == null ? otherwise : parseDouble("--" + name, text);
  }

  static double parseDouble(String name, String text) {
    try {
      double value = Double.parseDouble(text);
      if (Double.isFinite(value)) {
        return value;
      }
    } catch (NumberFormatException failure) {
      // Falls through to the one message for both cases.
    }
    throw new UsageException(name + " is '" + text + "'; allowed: a finite number");
  }

  static double parsePositive(String name, String text) {
    double value = parseDouble(name, text);
    if (value <= 0) {
      throw new UsageException(name + " is '" + text + "'; allowed: above 0");
    }
    return value;
  }

  private static String range(long minimum, long maximum) {
    return maximum == Long.MAX_VALUE ? "from " + minimum : minimum + " to " + maximum;
  }
}
