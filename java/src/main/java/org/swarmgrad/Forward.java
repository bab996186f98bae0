// What a group's policy makes of given observations.
package org.swarmgrad;

/**
 * The outcome of a forward pass.
 *
 * @param hidden [row][hiddenTotal]: the layers' activations one after the other
 * @param logit [row][action]
 */
public record Forward(float[] hidden, float[] logit) {}
