// One named number of an environment as the library's catalogue describes it; not a value of it.
package org.swarmgrad;

import java.util.List;

/**
 * A parameter that an environment accepts.
 *
 * @param name for example "local_ratio"
 * @param summary one line
 * @param integer whether only whole numbers are allowed
 * @param defaultValue the value where none is given
 * @param minimum smallest allowed value
 * @param maximum largest allowed value
 * @param choices names of the values minimum, minimum + 1, ...; empty for a plain number
 */
public record EnvironmentParameter(
    String name,
    String summary,
    boolean integer,
    double defaultValue,
    double minimum,
    double maximum,
    List<String> choices) {
  /** Copies the choices. */
  public EnvironmentParameter {
    choices = List.copyOf(choices);
  }

  /**
   * Reads a value: a number, or the name of a choice.
   *
   * @param text for example "0.5" or "shared"
   * @return the value, inside its range
   * @throws IllegalArgumentException naming parameter, text and what is allowed
   */
  public double parse(String text) {
    int choice = choices.indexOf(text);
    if (choice >= 0) {
      return minimum + choice;
    }
    double value;
    try {
      value = Double.parseDouble(text);
    } catch (NumberFormatException failure) {
      throw new IllegalArgumentException(
          name + " is '" + text + "'; allowed: " + allowed(), failure);
    }
    return check(value);
  }

  /**
   * Checks a value.
   *
   * @param value to check
   * @return the value
   * @throws IllegalArgumentException naming parameter, value and what is allowed
   */
  public double check(double value) {
    if (!(value >= minimum && value <= maximum) || (integer && value != Math.rint(value))) {
      throw new IllegalArgumentException(
          name + " is " + Checks.number(value) + "; allowed: " + allowed());
    }
    return value;
  }

  /**
   * The value as people write it.
   *
   * @param value inside its range
   * @return the name of a choice, or a number
   */
  public String format(double value) {
    return choices.isEmpty() ? Checks.number(value) : choices.get((int) (value - minimum));
  }

  /**
   * The same parameter where an environment's id says another default.
   *
   * @param value inside the range
   * @return a copy with that default
   */
  public EnvironmentParameter withDefault(double value) {
    return new EnvironmentParameter(name, summary, integer, value, minimum, maximum, choices);
  }

  /**
   * What is allowed, in words.
   *
   * @return for example "0 to 1" or "shared | own"
   */
  public String allowed() {
    if (!choices.isEmpty()) {
      return String.join(" | ", choices);
    }
    return (integer ? "whole numbers " : "")
        + Checks.number(minimum)
        + " to "
        + Checks.number(maximum);
  }
}
