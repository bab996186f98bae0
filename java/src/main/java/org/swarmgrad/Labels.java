// The one way in which choices are written in files, on the command line and in messages: lower
// case, words joined by '-'.
package org.swarmgrad;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

final class Labels {
  private Labels() {}

  static String label(Enum<?> choice) {
    return choice.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static <E extends Enum<E>> E parse(Class<E> type, String argument, String text) {
    for (E choice : type.getEnumConstants()) {
      if (choice.toString().equals(text)) {
        return choice;
      }
    }
    String allowed =
        Arrays.stream(type.getEnumConstants())
            .map(Enum::toString)
            .collect(Collectors.joining(", "));
    throw new IllegalArgumentException(argument + " is '" + text + "'; allowed: " + allowed);
  }

  /** The text under `name` of a map read from a file. */
  static String text(Map<String, String> map, String name) {
    String value = map.get(name);
    if (value == null) {
      throw new IllegalArgumentException("'" + name + "' is missing; found: " + map.keySet());
    }
    return value;
  }

  /** "true" or "false" under `name` of a map read from a file. */
  static boolean flag(Map<String, String> map, String name) {
    String value = text(map, name);
    if (!value.equals("true") && !value.equals("false")) {
      throw new IllegalArgumentException(name + " is '" + value + "'; allowed: true, false");
    }
    return value.equals("true");
  }

  /** "name: this value, that value" of everything that differs. */
  static List<String> differences(Map<String, String> these, Map<String, String> those) {
    return these.entrySet().stream()
        .filter(entry -> !entry.getValue().equals(those.get(entry.getKey())))
        .map(entry -> entry.getKey() + ": " + entry.getValue() + ", " + those.get(entry.getKey()))
        .toList();
  }

  /** The number under `name` of a map read from a file. */
  static double number(Map<String, String> map, String name) {
    return number(map, name, Double::valueOf, "a number");
  }

  /** The whole number under `name` of a map read from a file, in the range that `parser` has. */
  static <T> T whole(Map<String, String> map, String name, Function<String, T> parser) {
    return number(map, name, parser, "a whole number");
  }

  private static <T> T number(
      Map<String, String> map, String name, Function<String, T> parser, String allowed) {
    String value = text(map, name);
    try {
      return parser.apply(value);
    } catch (NumberFormatException failure) {
      throw new IllegalArgumentException(
          name + " is '" + value + "'; allowed: " + allowed, failure);
    }
  }
}
