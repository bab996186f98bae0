// Checks of single values at the border of the API, each with one line that names argument, value
// and what is allowed.
package org.swarmgrad;

import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;

final class Checks {
  private Checks() {}

  static <T> T present(String argument, T value) {
    if (value == null) {
      throw new IllegalArgumentException(argument + " is null; a value is needed");
    }
    return value;
  }

  static long range(String argument, long value, long minimum, long maximum) {
    if (value < minimum || value > maximum) {
      throw new IllegalArgumentException(
          argument + " is " + value + "; allowed: " + minimum + " to " + maximum);
    }
    return value;
  }

  static int range(String argument, int value, int minimum, int maximum) {
    return (int) range(argument, (long) value, (long) minimum, (long) maximum);
  }

  /** Rejects NaN as well: it is in no range. */
  static double range(String argument, double value, double minimum, double maximum) {
    if (!(value >= minimum && value <= maximum) || Double.isInfinite(value)) {
      String upper =
          maximum == Double.MAX_VALUE || maximum == Float.MAX_VALUE
              ? "any finite float"
              : number(maximum);
      throw new IllegalArgumentException(
          argument + " is " + number(value) + "; allowed: " + number(minimum) + " to " + upper);
    }
    return value;
  }

  /** How long something may last; the longest is far from an overflow in nanoseconds. */
  static Duration patience(Duration value) {
    if (present("patience", value).compareTo(Duration.ofMillis(1)) < 0
        || value.compareTo(Duration.ofDays(365)) > 0) {
      throw new IllegalArgumentException("patience is " + value + "; allowed: 1 ms to 365 days");
    }
    return value;
  }

  static void length(String argument, long found, long expected, String shape) {
    if (found != expected) {
      throw new IllegalArgumentException(
          argument + " has " + found + " elements; allowed: " + expected + " = " + shape);
    }
  }

  /** What went wrong with a file, in one line: the exception's own text often is the path alone. */
  static String reason(Exception failure) {
    String kind =
        switch (failure) {
          case NoSuchFileException missing -> "it does not exist";
          case AccessDeniedException denied -> "permission denied";
          case FileAlreadyExistsException existing -> "a file of that name exists";
          default -> failure.getMessage() == null ? failure.toString() : failure.getMessage();
        };
    return kind.lines().findFirst().orElse("");
  }

  /** A number as people write it: without ".0" where it is whole. */
  static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }
}
