// A batch given from outside, of one group, for Engine.gradientOf.
package org.swarmgrad;

/**
 * What the gradient of one group is computed from.
 *
 * @param group index of the group
 * @param environments episodes, at least 1; independent of the engine's configuration
 * @param steps 1 to the engine's horizon
 * @param observation [step][agent][feature][environment]
 * @param action [step][agent][environment]
 * @param weight [step][agent][environment]
 * @param alive [step][agent][environment], null: all alive
 * @param mask [step][agent][action][environment], null: every action available
 */
public record Batch(
    int group,
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
    Checks.present("action", action);
    Checks.present("weight", weight);
  }
}
