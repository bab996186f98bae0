// A batch given from outside, of one network, for Engine.gradientOf.
package org.swarmgrad;

/**
 * What the gradient of one network is computed from: of a group's policy, or of its value network,
 * whose agents and features are those of {@link Group.ValueNetwork}.
 *
 * @param network index of the group for its policy; the number of groups + index for its value
 *     network
 * @param environments episodes, at least 1; independent of the engine's configuration
 * @param steps 1 to the engine's horizon
 * @param observation [step][agent][feature][environment], as the network sees it: normalised where
 *     the engine normalises
 * @param action [step][agent][environment]; null for a value network
 * @param weight [step][agent][environment] of grad log pi(action), or of the value's gradient
 * @param alive [step][agent][environment], null: all alive
 * @param mask [step][agent][action][environment], null: every action available, and for a value
 *     network
 */
public record Batch(
    int network,
    int environments,
    int steps,
    float[] observation,
    int[] action,
    float[] weight,
    byte[] alive,
    byte[] mask) {
  /** Checks that what is needed is there; shapes are checked by the engine, which knows them. */
  public Batch {
    Checks.range("environments", environments, 1, Integer.MAX_VALUE);
    Checks.range("steps", steps, 1, Integer.MAX_VALUE);
    Checks.present("observation", observation);
    Checks.present("weight", weight);
  }
}
