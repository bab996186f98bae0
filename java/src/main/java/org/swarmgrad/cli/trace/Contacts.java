// Which differences of rewards are a matter of rounding: agents that touch or do not.
package org.swarmgrad.cli.trace;

import java.util.function.ToDoubleFunction;
import org.swarmgrad.EnvironmentSpec;

/**
 * Pairs of agents closer than a distance change rewards by a fixed amount.
 *
 * @param field [agent][2] of positions
 * @param distance below which two agents touch
 * @param amount that one pair changes a reward by
 * @param pairs that count
 */
record Contacts(
    String field, double distance, ToDoubleFunction<EnvironmentSpec> amount, Pairs pairs) {
  /** Positions this close to the distance, times the largest coordinate, may touch or not. */
  private static final double ROUNDING = 1e-6;

  /** Whether the pair first < second counts in an agent's reward. */
  interface Pairs {
    boolean count(EnvironmentSpec spec, int agent, int first, int second);
  }

  /** Whether pairs within rounding of the distance explain a whole difference of rewards. */
  boolean explain(
      EnvironmentSpec spec, double[] positions, int agent, double difference, double tolerance) {
    int possible = undecided(spec, positions, agent);
    for (int pair = 1; pair <= possible; pair++) {
      if (Math.abs(difference - pair * amount.applyAsDouble(spec)) <= tolerance) {
        return true;
      }
    }
    return false;
  }

  private int undecided(EnvironmentSpec spec, double[] positions, int agent) {
    int count = 0;
    for (int first = 0; first < positions.length / 2; first++) {
      for (int second = first + 1; second < positions.length / 2; second++) {
        double x = positions[2 * first] - positions[2 * second];
        double y = positions[2 * first + 1] - positions[2 * second + 1];
        double largest = 1;
        for (int axis = 0; axis < 2; axis++) {
          largest = Math.max(largest, Math.abs(positions[2 * first + axis]));
          largest = Math.max(largest, Math.abs(positions[2 * second + axis]));
        }
        if (Math.abs(Math.sqrt(x * x + y * y) - distance) <= ROUNDING * largest
            && pairs.count(spec, agent, first, second)) {
          count++;
        }
      }
    }
    return count;
  }
}
