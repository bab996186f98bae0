// The seeds of several trainings of one configuration.
package org.swarmgrad.cli;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * At least one seed, none twice.
 *
 * @param text as it was given, for example "1..5" or "1,2,7"
 * @param values in that order, read as unsigned
 */
record Seeds(String text, List<Long> values) {
  static final String KEY = "seeds";
  private static final int MOST = 1000;

  static Seeds parse(String text) {
    Set<Long> values = new LinkedHashSet<>();
    for (String part : text.split(",", -1)) {
      int dots = part.indexOf("..");
      long first = seed(text, dots < 0 ? part : part.substring(0, dots));
      long last = dots < 0 ? first : seed(text, part.substring(dots + 2));
      long count = last - first + 1;
      if (Long.compareUnsigned(first, last) > 0
          || Long.compareUnsigned(count - 1, MOST - values.size()) >= 0) {
        throw refused(text);
      }
      for (long i = 0; i < count; i++) {
        if (!values.add(first + i)) {
          throw refused(text);
        }
      }
    }
    return new Seeds(text, List.copyOf(values));
  }

  private static long seed(String text, String part) {
    try {
      return Long.parseUnsignedLong(part);
    } catch (NumberFormatException failure) {
      throw refused(text);
    }
  }

  private static UsageException refused(String text) {
    return new UsageException(
        "seeds is '"
            + text
            + "'; allowed: FIRST..LAST, or numbers separated by commas, 1 to "
            + MOST
            + " seeds of 0 to 2^64 - 1, each once");
  }
}
