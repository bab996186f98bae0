// Where a command writes: results to standard output, progress and notes to standard error.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.util.Locale;

/**
 * The two streams of a command.
 *
 * @param out results
 * @param err progress and notes
 * @param json whether results are one JSON object in place of text
 */
record Terminal(PrintStream out, PrintStream err, boolean json) {
  /** Prints a line for people; nothing where JSON was asked for. */
  void say(String format, Object... values) {
    if (!json) {
      out.println(String.format(Locale.ROOT, format, values));
    }
  }

  /** Prints a note that is no result. */
  void note(String format, Object... values) {
    err.println(String.format(Locale.ROOT, format, values));
  }

  /** Prints the JSON object, in one line, where it was asked for. */
  void result(JsonNode object) {
    if (json) {
      out.println(object);
    }
  }
}
