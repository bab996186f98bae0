// Rewards given from outside, of one group, for Engine.weights.
package org.swarmgrad;

/**
 * What the weights of one group are computed from.
 *
 * @param group index of the group
 * @param environments episodes, at least 1
 * @param steps 1 to the engine's horizon
 * @param cohortFirst [cohort count + 1] ascending from 0 to environments, 1 to 16 members each;
 *     null: the engine's own partition
 * @param reward [step][agent][environment]
 * @param alive [step][agent][environment], null: all alive during the episode
 * @param episodeLength [environment], null: steps
 * @param truncated [environment], 1 where the horizon ended the episode and not its rules; null:
 *     nowhere
 * @param value [step + 1][value agent][environment], what the value network says; null: 0
 */
public record Rewards(
    int group,
    int environments,
    int steps,
    long[] cohortFirst,
    float[] reward,
    byte[] alive,
    int[] episodeLength,
    byte[] truncated,
    float[] value) {
  /** Checks that what is needed is there; shapes are checked by the engine, which knows them. */
  public Rewards {
    Checks.range("environments", environments, 1, Integer.MAX_VALUE);
    Checks.range("steps", steps, 1, Integer.MAX_VALUE);
    Checks.present("reward", reward);
  }
}
