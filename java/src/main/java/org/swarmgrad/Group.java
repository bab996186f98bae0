// The shape of one agent group: its agents, spaces and parameters; none of their numbers.
package org.swarmgrad;

/**
 * Agents that share one policy.
 *
 * @param name for example "agent"
 * @param firstAgent index of the first agent; a group holds consecutive agents
 * @param agentCount number of agents
 * @param observationSize features of one agent's observation
 * @param actionCount actions of one agent
 * @param masked whether actions can be unavailable
 * @param hiddenTotal sum of the policy's hidden layer sizes; 0 on a simulator
 * @param parameterOffset of this group inside the parameters
 * @param parameterCount layer by layer: weight [output][input], then bias [output]
 * @param valueNetwork the network of the learned-value baseline; null without that baseline
 */
public record Group(
    String name,
    int firstAgent,
    int agentCount,
    int observationSize,
    int actionCount,
    boolean masked,
    int hiddenTotal,
    long parameterOffset,
    long parameterCount,
    ValueNetwork valueNetwork) {
  /**
   * The shape of a group's value network, which has one output.
   *
   * @param agents rows a step: 1 with the joint input, else the group's agents
   * @param observationSize features of one row
   * @param hiddenTotal sum of its hidden layer sizes
   * @param parameterOffset inside the parameters, behind every policy's
   * @param parameterCount layer by layer, as a policy's
   */
  public record ValueNetwork(
      int agents,
      int observationSize,
      int hiddenTotal,
      long parameterOffset,
      long parameterCount) {}
}
