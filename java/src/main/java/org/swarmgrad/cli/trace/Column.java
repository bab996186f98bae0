// What a named value of a recording is to a replay: state, chance, or something to compare.
package org.swarmgrad.cli.trace;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import org.swarmgrad.Simulator;

/** What a named value of a recording is to a replay. */
sealed interface Column {
  /**
   * A part of the state: it makes the start, and is compared after every step that records it.
   *
   * @param field of the environment
   * @param reading of a recorded value
   */
  record State(String field, Reading reading) implements Column {}

  /**
   * Random draws of a step, given to the environment before it.
   *
   * @param field of the environment
   * @param reading of a recorded value
   * @param possible compares it, after the step, with what could have been drawn
   */
  record Chance(String field, Reading reading, Check possible) implements Column {}

  /** A value that is compared, after all state, at the start and after every step that holds it. */
  non-sealed interface Check extends Column {
    void compare(Moment moment, String name, JsonNode value) throws IOException;
  }

  /** Turns a recorded value into a field's. */
  interface Reading {
    /**
     * Reads a value.
     *
     * @param value recorded
     * @param field that it is read for
     * @param last recorded values of the field, null where there are none
     * @param where it stands
     * @return [row][column]
     */
    double[] read(JsonNode value, Simulator.Field field, double[] last, String where)
        throws IOException;
  }

  /** State that is recorded as the environment holds it. */
  static Column state(String field) {
    return new State(field, Column::plain);
  }

  /** Needed by no replay. */
  static Check ignored() {
    return (moment, name, value) -> {};
  }

  /** Always the same numbers, which the environment therefore leaves out. */
  static Check always(double... expected) {
    return (moment, name, value) -> {
      double[] numbers = Recordings.numbers(value, expected.length, moment.place() + " " + name);
      for (int index = 0; index < expected.length; index++) {
        if (numbers[index] != expected[index]) {
          throw Recordings.malformed(
              moment.place() + " " + name,
              "holds " + numbers[index] + "; allowed: " + expected[index]);
        }
      }
    };
  }

  static double[] plain(JsonNode value, Simulator.Field field, double[] last, String where)
      throws IOException {
    return Recordings.numbers(value, field.size(), where);
  }
}
