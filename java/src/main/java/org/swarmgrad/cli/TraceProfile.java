// What a replay must know of each recorded environment: a table, one row an environment.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;

/**
 * What a replay must know of a recorded environment beyond the file and the catalogue: how its
 * parameters are called here, which recorded fields carry no state, and which differences rounding
 * excuses. A new environment is a new row.
 *
 * @param parameters recorded name to the environment's own; HORIZON for the step count at which
 *     episodes are truncated
 * @param zeroFields recorded fields that the environment leaves out because they are always zero
 * @param falseParameters recorded parameters that must be false: variants that do not exist here
 * @param nullEpisodes whether episodes that contain null (not a number) are excepted
 * @param contact the distance rule of a collision count in the reward, or null where there is none
 */
record TraceProfile(
    Map<String, String> parameters,
    Set<String> zeroFields,
    Set<String> falseParameters,
    boolean nullEpisodes,
    Contact contact) {
  static final String HORIZON = "horizon";

  private static final Map<String, TraceProfile> PROFILES =
      Map.of(
          "simple_spread_v3",
          new TraceProfile(
              Map.of("N", "agents", "local_ratio", "local_ratio", "max_cycles", HORIZON),
              Set.of("agent_comm"),
              Set.of("continuous_actions"),
              true,
              new Contact("agent_pos", 0.3, "local_ratio")),
          "CartPole-v1",
          new TraceProfile(Map.of("max_episode_steps", HORIZON), Set.of(), Set.of(), false, null));

  static TraceProfile of(String environment) {
    TraceProfile profile = PROFILES.get(environment);
    if (profile == null) {
      throw new IllegalArgumentException(
          "environment is '"
              + environment
              + "'; allowed: "
              + String.join(", ", PROFILES.keySet().stream().sorted().toList()));
    }
    return profile;
  }

  /**
   * Agents closer than a distance cost each of the two a fixed amount of reward.
   *
   * @param field [agent][2] of positions
   * @param distance below which two agents collide
   * @param costParameter recorded parameter that holds the cost of one collision
   */
  record Contact(String field, double distance, String costParameter) {
    private static final double ROUNDING = 1e-6;

    /** How many collisions of an agent are a matter of rounding in a recorded state. */
    int undecided(double[] positions, int agent) {
      int count = 0;
      for (int other = 0; other < positions.length / 2; other++) {
        double x = positions[2 * agent] - positions[2 * other];
        double y = positions[2 * agent + 1] - positions[2 * other + 1];
        double largest = 1;
        for (int axis = 0; axis < 2; axis++) {
          largest = Math.max(largest, Math.abs(positions[2 * agent + axis]));
          largest = Math.max(largest, Math.abs(positions[2 * other + axis]));
        }
        if (other != agent && Math.abs(Math.sqrt(x * x + y * y) - distance) <= ROUNDING * largest) {
          count++;
        }
      }
      return count;
    }

    double cost(JsonNode parameters) {
      return parameters.path(costParameter).asDouble();
    }
  }
}
