// What Engine.weights makes of given rewards.
package org.swarmgrad;

/**
 * The weights of given rewards.
 *
 * @param weight [step][agent][environment], 0 where not alive
 * @param valueError [step][value agent][environment], what the value network aims at less what it
 *     says: the weight of its gradient; null without a value network
 */
public record Weights(float[] weight, float[] valueError) {}
