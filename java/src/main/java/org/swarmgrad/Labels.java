// The one way in which choices are written in files, on the command line and in messages: lower
// case, words joined by '-'.
package org.swarmgrad;

import java.util.Arrays;
import java.util.Locale;
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
}
