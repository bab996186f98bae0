// Reads the recorded parameters of an environment into a specification; every one must be known.
package org.swarmgrad.cli.trace;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.swarmgrad.EnvironmentSpec;

/**
 * The parameters of a recording, read one by one into an environment's specification. Those that a
 * recording leaves out keep the environment's defaults; those that nothing reads are an error.
 */
final class Parameters {
  private final JsonNode recorded;
  private final Set<String> known = new TreeSet<>();
  private EnvironmentSpec spec;
  private int horizon;

  Parameters(JsonNode recorded, EnvironmentSpec defaults) {
    this.recorded = recorded;
    this.spec = defaults;
  }

  /** Reads a number, or a truth value as 0 or 1; null is the environment's default. */
  Parameters number(String name, String own) {
    JsonNode value = take(name);
    if (!value.isMissingNode() && !value.isNull()) {
      set(own, number(name, value));
    }
    return this;
  }

  /** Reads a text that is, or stands for, a choice of the environment. */
  Parameters choice(String name, String own, Map<String, String> names) {
    JsonNode value = take(name);
    if (!value.isMissingNode()) {
      String text = value.asText();
      try {
        spec = spec.withAssignment(own + "=" + names.getOrDefault(text, text));
      } catch (IllegalArgumentException failure) {
        throw new IllegalArgumentException(
            "parameter " + name + " is " + value + ": " + failure.getMessage(), failure);
      }
    }
    return this;
  }

  /** Reads the number of steps after which episodes are cut off. */
  Parameters horizon(String name) {
    JsonNode value = take(name);
    if (!value.isMissingNode()) {
      horizon = (int) number(name, value);
    }
    return this;
  }

  /** A variant of the reference that does not exist here: only one value is allowed. */
  Parameters only(String name, Object allowed) {
    JsonNode value = take(name);
    if (!value.isMissingNode() && !value.asText().equals(String.valueOf(allowed))) {
      throw refused(name, value, String.valueOf(allowed));
    }
    return this;
  }

  /** Says how an episode starts, which the recording itself holds. */
  Parameters start(String... names) {
    for (String name : names) {
      take(name);
    }
    return this;
  }

  /** A value for the caller to read; missing where the recording leaves it out. */
  JsonNode take(String name) {
    known.add(name);
    JsonNode value = recorded.get(name);
    return value == null ? MissingNode.getInstance() : value;
  }

  Parameters set(String own, double value) {
    spec = spec.with(own, value);
    return this;
  }

  EnvironmentSpec spec() {
    return spec;
  }

  /** The specification, once every recorded parameter was read. */
  EnvironmentSpec complete() {
    for (Map.Entry<String, JsonNode> entry : recorded.properties()) {
      if (!known.contains(entry.getKey())) {
        throw new IllegalArgumentException(
            "parameter '"
                + entry.getKey()
                + "' is "
                + entry.getValue()
                + "; allowed: "
                + String.join(", ", known));
      }
    }
    return spec;
  }

  /** Steps after which episodes are cut off; 0: the environment's own. */
  int horizon() {
    return horizon;
  }

  static IllegalArgumentException refused(String name, JsonNode value, String allowed) {
    return new IllegalArgumentException(
        "parameter " + name + " is " + value + "; allowed: " + allowed);
  }

  private static double number(String name, JsonNode value) {
    if (value instanceof BooleanNode) {
      return value.booleanValue() ? 1 : 0;
    }
    if (!value.isNumber()) {
      throw refused(name, value, "a number");
    }
    return value.doubleValue();
  }
}
