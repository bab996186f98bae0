// The shape of one agent group: its agents, spaces and parameters; no values.
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
    long parameterCount) {}
