// Gradient ascent on a game of two players and one round, with the expectation over joint actions
// in closed form; it samples nothing and is not what trains.
package org.swarmgrad.reference;

import java.util.Arrays;
import java.util.List;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Group;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Optimizer;
import org.swarmgrad.Scale;
import org.swarmgrad.Simulator;

/**
 * What an engine would do if its batches were infinitely large: each of two players with a linear
 * policy follows the gradient of its own expected payoff, in double precision, from the engine's
 * parameters and with the engine's optimizer. Only the payoffs are the environment's, asked for
 * joint action by joint action.
 */
public final class ExactAscent {
  private static final int PLAYERS = 2;

  private final EngineConfig config;
  private final List<Group> groups;
  private final double[][][] payoff;
  private final double[][] parameters = new double[PLAYERS][];
  private final double[][] mean = new double[PLAYERS][];
  private final double[][] square = new double[PLAYERS][];
  private int steps;

  /**
   * Starts where an engine is now; the engine itself stays as it is.
   *
   * @param engine at its first iteration, so that its optimizer remembers nothing
   * @throws IllegalArgumentException naming what the closed form does not cover
   */
  public ExactAscent(Engine engine) {
    config = engine.config();
    groups = engine.groups();
    require("groups", groups.size() == PLAYERS, groups.size(), "2");
    require("horizon", engine.info().horizon() == 1, engine.info().horizon(), "1");
    require("iteration", engine.iteration() == 0, engine.iteration(), "0");
    require("scale", config.scale() == Scale.NONE, config.scale(), "none");
    require("gradient-clip", config.gradientClip() == 0, config.gradientClip(), "0");
    require("reward-scale", config.rewardScale() == 1, config.rewardScale(), "1");
    boolean normalises = config.observationNormalisation();
    require("observation-normalisation", !normalises, normalises, "false");
    boolean shaped = !config.trainingParameters().isEmpty();
    require("training-parameters", !shaped, config.trainingParameters(), "none");
    for (Group group : groups) {
      require("agents of a group", group.agentCount() == 1, group.agentCount(), "1");
      require("features", group.observationSize() == 1, group.observationSize(), "1");
      require("hidden units", group.hiddenTotal() == 0, group.hiddenTotal(), "0");
    }
    payoff = payoffs(config.environment(), groups);
    for (int player = 0; player < PLAYERS; player++) {
      parameters[player] = parameters(engine, player);
      mean[player] = new double[parameters[player].length];
      square[player] = new double[parameters[player].length];
    }
  }

  private static void require(String name, boolean allowed, Object found, String what) {
    if (!allowed) {
      throw new IllegalArgumentException(name + " is " + found + "; exact ascent covers: " + what);
    }
  }

  private static double[] parameters(Engine engine, int player) {
    Group group = engine.groups().get(player);
    float[] all = engine.parameters();
    double[] parameters = new double[(int) group.parameterCount()];
    for (int i = 0; i < parameters.length; i++) {
      parameters[i] = all[(int) group.parameterOffset() + i];
    }
    return parameters;
  }

  /** Asks the environment, [player][action of player 0][action of player 1]. */
  private static double[][][] payoffs(EnvironmentSpec environment, List<Group> groups) {
    double[][][] payoff =
        new double[PLAYERS][groups.get(0).actionCount()][groups.get(1).actionCount()];
    try (Simulator simulator = Simulator.open(environment, 0, InstructionSet.AUTO)) {
      for (int row = 0; row < payoff[0].length; row++) {
        for (int column = 0; column < payoff[0][row].length; column++) {
          simulator.reset(0, 0);
          float[] reward = simulator.step(row, column).reward();
          for (int player = 0; player < PLAYERS; player++) {
            payoff[player][row][column] = reward[player];
          }
        }
      }
    }
    return payoff;
  }

  /**
   * The payoffs.
   *
   * @return [player][action of player 0][action of player 1]
   */
  public double[][][] payoffs() {
    return payoff;
  }

  /**
   * The policies now.
   *
   * @return [player][action]
   */
  public double[][] policy() {
    return policy(parameters);
  }

  /**
   * The policies that an engine of the same game has now.
   *
   * @param engine trained or not
   * @return [player][action]
   */
  public static double[][] policy(Engine engine) {
    return policy(new double[][] {parameters(engine, 0), parameters(engine, 1)});
  }

  private static double[][] policy(double[][] parameters) {
    double[][] policy = new double[PLAYERS][];
    for (int player = 0; player < PLAYERS; player++) {
      policy[player] = logProbability(parameters[player]);
      for (int action = 0; action < policy[player].length; action++) {
        policy[player][action] = Math.exp(policy[player][action]);
      }
    }
    return policy;
  }

  private static ReferencePolicy linear(double[] parameters) {
    return new ReferencePolicy(new int[] {1, parameters.length / 2}, false, parameters);
  }

  /** The one feature is 1 in the only round. */
  private static ReferencePolicy.Activations forward(double[] parameters) {
    return linear(parameters).forward(new double[] {1}, null);
  }

  private static double[] logProbability(double[] parameters) {
    double[] logit = forward(parameters).logit();
    boolean[] available = new boolean[logit.length];
    Arrays.fill(available, true);
    return Softmax.logProbability(logit, available);
  }

  /**
   * A player's expected payoff of each action against the other's policy.
   *
   * @param player 0 or 1
   * @return [action]
   */
  public double[] expectedPayoff(int player) {
    double[] other = policy()[1 - player];
    double[] expected = new double[groups.get(player).actionCount()];
    for (int own = 0; own < expected.length; own++) {
      for (int theirs = 0; theirs < other.length; theirs++) {
        expected[own] +=
            other[theirs] * (player == 0 ? payoff[0][own][theirs] : payoff[1][theirs][own]);
      }
    }
    return expected;
  }

  /**
   * The gradient of a player's expected payoff, plus the entropy term's.
   *
   * @param player 0 or 1
   * @return [parameter]
   */
  public double[] gradient(int player) {
    double[] expected = expectedPayoff(player);
    double[] logProbability = logProbability(parameters[player]);
    double[] logitGradient = new double[expected.length];
    for (int action = 0; action < expected.length; action++) {
      double[] score =
          Softmax.gradient(logProbability, action, expected[action], config.entropyCoefficient());
      for (int logit = 0; logit < score.length; logit++) {
        logitGradient[logit] += Math.exp(logProbability[action]) * score[logit];
      }
    }
    double[] gradient = new double[parameters[player].length];
    linear(parameters[player]).backward(forward(parameters[player]), logitGradient, gradient);
    return gradient;
  }

  /**
   * Both players take one step of the engine's optimizer at the same time.
   *
   * @param learningRate of this step
   */
  public void step(double learningRate) {
    double[][] gradients = {gradient(0), gradient(1)};
    steps++;
    for (int player = 0; player < PLAYERS; player++) {
      for (int i = 0; i < gradients[player].length; i++) {
        parameters[player][i] += learningRate * direction(player, i, gradients[player][i]);
      }
    }
  }

  /** Adam as Kingma and Ba 2015 write it, or the gradient itself. */
  private double direction(int player, int i, double gradient) {
    if (config.optimizer() == Optimizer.SGD) {
      return gradient;
    }
    double beta1 = config.adamBeta1();
    double beta2 = config.adamBeta2();
    mean[player][i] = beta1 * mean[player][i] + (1 - beta1) * gradient;
    square[player][i] = beta2 * square[player][i] + (1 - beta2) * gradient * gradient;
    return mean[player][i]
        / (1 - Math.pow(beta1, steps))
        / (Math.sqrt(square[player][i] / (1 - Math.pow(beta2, steps))) + config.adamEpsilon());
  }
}
