// Everything that happened to one group in one recorded batch, as plain arrays; no copies are made
// of them.
package org.swarmgrad;

/**
 * A recorded batch of one group. Rows of episodes shorter than the horizon are zero, with alive 0.
 *
 * @param group the group
 * @param environments episodes in the batch
 * @param steps horizon
 * @param observation [step][agent][feature][environment], as the policy sees it: normalised where
 *     the engine normalises
 * @param action [step][agent][environment]
 * @param reward [step][agent][environment], dead agents' included
 * @param logProbability [step][agent][environment] of the action taken, nats
 * @param weight [step][agent][environment], after the baseline, scale included
 * @param alive [step][agent][environment], 1 where the agent acted
 * @param mask [step][agent][action][environment], 1 where available; null where the group has no
 *     mask
 * @param episodeLength [environment], steps
 * @param truncated [environment], 1 where the horizon ended the episode and not its rules
 * @param value [step + 1][value agent][environment], the value network's output; that of the last
 *     state where it is used; null without a value network
 * @param valueError [step][value agent][environment], what the network aims at less its output: the
 *     weight of its gradient; null without a value network
 */
public record Trajectories(
    Group group,
    int environments,
    int steps,
    float[] observation,
    int[] action,
    float[] reward,
    float[] logProbability,
    float[] weight,
    byte[] alive,
    byte[] mask,
    int[] episodeLength,
    byte[] truncated,
    float[] value,
    float[] valueError) {
  /**
   * Index into arrays of shape [step][agent][environment].
   *
   * @param step of the episode
   * @param agent within the group
   * @param environment of the batch
   * @return the index
   */
  public int index(int step, int agent, int environment) {
    return (step * group.agentCount() + agent) * environments + environment;
  }

  /**
   * Index into {@link #observation()}.
   *
   * @param step of the episode
   * @param agent within the group
   * @param feature of the observation
   * @param environment of the batch
   * @return the index
   */
  public int observationIndex(int step, int agent, int feature, int environment) {
    return ((step * group.agentCount() + agent) * group.observationSize() + feature) * environments
        + environment;
  }

  /**
   * Index into {@link #value()} and {@link #valueError()}.
   *
   * @param step of the episode
   * @param agent of the value network
   * @param environment of the batch
   * @return the index
   */
  public int valueIndex(int step, int agent, int environment) {
    return (step * group.valueNetwork().agents() + agent) * environments + environment;
  }

  /**
   * Index into {@link #mask()}.
   *
   * @param step of the episode
   * @param agent within the group
   * @param action of the group
   * @param environment of the batch
   * @return the index
   */
  public int maskIndex(int step, int agent, int action, int environment) {
    return ((step * group.agentCount() + agent) * group.actionCount() + action) * environments
        + environment;
  }
}
