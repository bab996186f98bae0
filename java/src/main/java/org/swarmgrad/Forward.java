// What a group's policy, or its value network, makes of given observations.
package org.swarmgrad;

/**
 * The outcome of a forward pass.
 *
 * @param hidden [row][hiddenTotal]: the layers' activations one after the other
 * @param logit [row][action]; of a value network the value, [row]
 */
public record Forward(float[] hidden, float[] logit) {}
