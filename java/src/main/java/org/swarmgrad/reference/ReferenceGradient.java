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

  /**
   * What the value network sees: with one row a step the agents' observations one after another.
   */
  private static double[] valueObservation(Trajectories batch, int step, int row, int environment) {
    if (batch.group().valueNetwork().agents() > 1) {
      return observation(batch, step, row, environment);
    }
    double[] values = new double[batch.group().valueNetwork().observationSize()];
    int size = batch.group().observationSize();
    for (int agent = 0; agent < batch.group().agentCount(); agent++) {
      System.arraycopy(observation(batch, step, agent, environment), 0, values, agent * size, size);
    }
    return values;
  }

  /** Whether a row of the value network is of somebody who lives. */
  static boolean valueRowLives(Trajectories batch, int step, int row, int environment) {
    if (step >= batch.episodeLength()[environment]) {
      return false;
    }
    boolean joint = batch.group().valueNetwork().agents() == 1;
    for (int agent = 0; agent < batch.group().agentCount(); agent++) {
      if ((joint || agent == row) && batch.alive()[batch.index(step, agent, environment)] != 0) {
        return true;
      }
    }
    return false;
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

  /**
   * The value network's output.
   *
   * @param network at whose parameters
   * @param batch recorded
   * @param step of the episode
   * @param row the value network's agent
   * @param environment of the batch
   * @param pattern of the relu layers, or null
   * @return what it says, before the running deviation
   */
  public static double value(
      ReferencePolicy network,
      Trajectories batch,
      int step,
      int row,
      int environment,
      ReluPattern pattern) {
    return network.forward(valueObservation(batch, step, row, environment), pattern).logit()[0];
  }

  /**
   * The gradient of the value network: mean over episodes of the sum over its living rows.
   *
   * @param network at whose parameters
   * @param batch recorded; its errors are what the outputs' gradients are multiplied with
   * @param parameterCount of the network
   * @param pattern counts relu signs that differ from the engine's, or null
   * @param hidden the engine's activations for the pattern, or null
   * @return [parameter], the direction of ascent of minus half the mean of squared errors
   */
  public static double[] valueGradient(
      ReferencePolicy network,
      Trajectories batch,
      int parameterCount,
      ReluPattern pattern,
      HiddenActivations hidden) {
    double[] gradient = new double[parameterCount];
    for (int environment = 0; environment < batch.environments(); environment++) {
      for (int step = 0; step < batch.steps(); step++) {
        for (int row = 0; row < batch.group().valueNetwork().agents(); row++) {
          if (valueRowLives(batch, step, row, environment)) {
            if (pattern != null) {
              pattern.next(hidden.of(step, row, environment));
            }
            Activations activations =
                network.forward(valueObservation(batch, step, row, environment), pattern);
            double error = batch.valueError()[batch.valueIndex(step, row, environment)];
            network.backward(activations, new double[] {error / batch.environments()}, gradient);
          }
        }
      }
    }
    return gradient;
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
