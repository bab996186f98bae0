// When a training stops; limits never change what it computes until then.
package org.swarmgrad.cli;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The first limit that is reached counts.
 *
 * @param iterations since the very first, Long.MAX_VALUE for no limit
 * @param seconds of training, infinity for no limit
 * @param untilReturn "[GROUP=]X", null for no limit
 */
record Limits(long iterations, double seconds, String untilReturn) {
  static final List<String> KEYS = List.of("iterations", "seconds", "until_return");

  /** The limits that there are. */
  SortedMap<String, String> toMap() {
    SortedMap<String, String> map = new TreeMap<>();
    if (iterations != Long.MAX_VALUE) {
      map.put("iterations", String.valueOf(iterations));
    }
    if (Double.isFinite(seconds)) {
      map.put("seconds", String.valueOf(seconds));
    }
    if (untilReturn != null) {
      map.put("until_return", untilReturn);
    }
    return map;
  }

  /** Reads what {@link #toMap()} wrote; may hold other names as well. */
  static Limits fromMap(Map<String, String> map) {
    String iterations = map.get("iterations");
    String seconds = map.get("seconds");
    return new Limits(
        iterations == null
            ? Long.MAX_VALUE
            : Arguments.parseLong("iterations", iterations, 1, Long.MAX_VALUE),
        seconds == null ? Double.POSITIVE_INFINITY : Arguments.parsePositive("seconds", seconds),
        map.get("until_return"));
  }

  /** What is left after so many seconds of training. */
  Limits after(double spent) {
    return new Limits(iterations, seconds - spent, untilReturn);
  }
}
