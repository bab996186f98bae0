// A catalogue entry: what an environment is and which parameters it accepts; not an instance of it.
package org.swarmgrad;

import java.util.List;
import java.util.stream.Collectors;

/**
 * An environment of the library's catalogue.
 *
 * @param id for example "simple_spread_v3"; of a family one usual member, or the member asked for
 * @param idPattern of a family: how its ids say parameters, {name} a value, [..] may be left out;
 *     otherwise null
 * @param summary one line
 * @param description several lines: groups, observation, actions, reward, source
 * @param parameters that it accepts, the defaults as the id says
 */
public record EnvironmentInfo(
    String id,
    String idPattern,
    String summary,
    String description,
    List<EnvironmentParameter> parameters) {
  /** Copies the parameters. */
  public EnvironmentInfo {
    parameters = List.copyOf(parameters);
  }

  /**
   * A parameter by name.
   *
   * @param name of the parameter
   * @return the parameter
   * @throws IllegalArgumentException naming the parameters that exist
   */
  public EnvironmentParameter parameter(String name) {
    for (EnvironmentParameter parameter : parameters) {
      if (parameter.name().equals(name)) {
        return parameter;
      }
    }
    String names =
        parameters.stream().map(EnvironmentParameter::name).collect(Collectors.joining(", "));
    throw new IllegalArgumentException(
        "'"
            + name
            + "' is no parameter of "
            + id
            + "; allowed: "
            + (names.isEmpty() ? "none" : names));
  }
}
