// The gradient of a recorded batch in double precision, and the surrogate it is the derivative of;
// the judge, never optimised.
package org.swarmgrad.reference;

import org.swarmgrad.Trajectories;
import org.swarmgrad.reference.ReferencePolicy.Activations;
import org.swarmgrad.reference.ReferencePolicy.ReluPattern;

/**
 * The REINFORCE gradient of a recorded batch in double precision, and the surrogate it is the
 * derivative of.
 */
public final class ReferenceGradient {
  private ReferenceGradient() {}

  private static double[] observation(Trajectories batch, int step, int agent, int environment) {
    double[] values = new double[batch.group().observationSize()];
    for (int feature = 0; feature < values.length; feature++) {
      values[feature] =
          batch.observation()[batch.observationIndex(step, agent, feature, environment)];
    }
    return values;
  }

  private static boolean[] available(Trajectories batch, int step, int agent, int environment) {
    boolean[] values = new boolean[batch.group().actionCount()];
    for (int action = 0; action < values.length; action++) {
      values[action] =
          batch.mask() == null
              || batch.mask()[batch.maskIndex(step, agent, action, environment)] != 0;
    }
    return values;
  }

  /**
   * Log-probability of each action of one agent.
   *
   * @param policy at whose parameters
   * @param batch recorded
   * @param step of the episode
   * @param agent of the group
   * @param environment of the batch
   * @param pattern of the relu layers, or null
   * @return [action]
   */
  public static double[] logProbability(
      ReferencePolicy policy,
      Trajectories batch,
      int step,
      int agent,
      int environment,
      ReluPattern pattern) {
    double[] logit = policy.forward(observation(batch, step, agent, environment), pattern).logit();
    return Softmax.logProbability(logit, available(batch, step, agent, environment));
  }

  /** Gives the engine's relu activations of one observation. */
  @FunctionalInterface
  public interface HiddenActivations {
    /**
     * The activations of all hidden layers.
     *
     * @param step of the episode
     * @param agent of the group
     * @param environment of the batch
     * @return [hidden unit]
     */
    float[] of(int step, int agent, int environment);
  }

  /**
   * The gradient: mean over episodes of the sum over steps and living agents.
   *
   * @param policy at whose parameters
   * @param batch recorded
   * @param entropyCoefficient of the summed entropy
   * @param parameterCount of the policy
   * @param pattern counts relu signs that differ from the engine's, or null
   * @param hidden the engine's activations for the pattern, or null
   * @return [parameter], the direction of ascent
   */
  public static double[] gradient(
      ReferencePolicy policy,
      Trajectories batch,
      double entropyCoefficient,
      int parameterCount,
      ReluPattern pattern,
      HiddenActivations hidden) {
    double[] gradient = new double[parameterCount];
    for (int environment = 0; environment < batch.environments(); environment++) {
      for (int step = 0; step < batch.steps(); step++) {
        for (int agent = 0; agent < batch.group().agentCount(); agent++) {
          int index = batch.index(step, agent, environment);
          if (batch.alive()[index] != 0) {
            if (pattern != null) {
              pattern.next(hidden.of(step, agent, environment));
            }
            Activations activations =
                policy.forward(observation(batch, step, agent, environment), pattern);
            double[] logProbability =
                Softmax.logProbability(
                    activations.logit(), available(batch, step, agent, environment));
            double[] logitGradient =
                Softmax.gradient(
                    logProbability,
                    batch.action()[index],
                    batch.weight()[index],
                    entropyCoefficient);
            policy.backward(activations, logitGradient, gradient);
          }
        }
      }
    }
    for (int parameter = 0; parameter < gradient.length; parameter++) {
      gradient[parameter] /= batch.environments();
    }
    return gradient;
  }

  /**
   * What {@link #gradient} is the derivative of, at fixed data.
   *
   * @param policy at whose parameters
   * @param batch recorded
   * @param entropyCoefficient of the summed entropy
   * @return mean over episodes of the sum of weight x log-probability + entropyCoefficient x
   *     entropy
   */
  public static double surrogate(
      ReferencePolicy policy, Trajectories batch, double entropyCoefficient) {
    double sum = 0;
    for (int environment = 0; environment < batch.environments(); environment++) {
      for (int step = 0; step < batch.steps(); step++) {
        for (int agent = 0; agent < batch.group().agentCount(); agent++) {
          int index = batch.index(step, agent, environment);
          if (batch.alive()[index] != 0) {
            double[] logit =
                policy.forward(observation(batch, step, agent, environment), null).logit();
            double[] logProbability =
                Softmax.logProbability(logit, available(batch, step, agent, environment));
            sum += batch.weight()[index] * logProbability[batch.action()[index]];
            sum += entropyCoefficient * Softmax.entropy(logProbability);
          }
        }
      }
    }
    return sum / batch.environments();
  }
}
