// Holds a recorded batch of an engine against the reference, with the tolerances; it judges no
// environment's rules.
package org.swarmgrad.reference;

import java.util.ArrayList;
import java.util.List;
import org.swarmgrad.ActivationFunction;
import org.swarmgrad.AgentReduction;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Forward;
import org.swarmgrad.Group;
import org.swarmgrad.Policy;
import org.swarmgrad.Recording;
import org.swarmgrad.Scale;
import org.swarmgrad.Statistics;
import org.swarmgrad.Trajectories;
import org.swarmgrad.reference.ReferencePolicy.ReluPattern;

/**
 * Holds one recorded batch of an engine against the double-precision reference: weights from its
 * rewards, log-probabilities and gradient from its observations, actions and weights. It does not
 * judge the environment's rules; recorded trajectories do.
 */
public final class Judge {
  /**
   * Weights are computed in double and rounded once: half a unit in the last place, and double's
   * own rounding.
   */
  private static final double WEIGHT_ROUNDING = 0x1p-23;

  private static final double DOUBLE_ROUNDING = 1e-12;

  private final Engine engine;
  private final EngineConfig config;

  /**
   * A judge of an engine at its present parameters.
   *
   * @param engine open
   */
  public Judge(Engine engine) {
    this.engine = engine;
    config = engine.config();
  }

  /**
   * One comparison.
   *
   * @param quantity compared
   * @param difference found
   * @param allowed at most
   * @param worst where: place, expected and found; the first disagreement where there is one
   */
  public record Finding(String quantity, double difference, double allowed, String worst) {
    /**
     * The verdict.
     *
     * @return true if the difference is a number and allowed
     */
    public boolean agrees() {
      return difference <= allowed;
    }

    @Override
    public String toString() {
      return quantity + ": difference " + difference + ", allowed " + allowed + "; " + worst;
    }
  }

  /**
   * Allowed relative error of a gradient: single-precision sums, and probabilities whose relative
   * error grows with the logits.
   *
   * @param largestLogit largest absolute logit of the batch
   * @return 2e-6 + 2e-7 x the largest logit
   */
  public static double gradientTolerance(double largestLogit) {
    return 2e-6 + 2e-7 * largestLogit;
  }

  /**
   * Judges one batch.
   *
   * @param recording made by the engine at its present parameters
   * @param previous [group][step] the baselines that the batch before left, all 0 in the first;
   *     used by previous-batch only
   * @return the findings of every group
   */
  public List<Finding> judge(Recording recording, double[][] previous) {
    List<Finding> findings = new ArrayList<>();
    for (int group = 0; group < recording.trajectories().size(); group++) {
      Trajectories batch = recording.trajectories().get(group);
      double scale = scale(batch, recording.gradient().statistics().get(group));
      findings.add(judgeWeights(batch, previous[group], scale));
      judgePolicy(recording, group, findings);
    }
    return findings;
  }

  /**
   * A running deviation is of earlier batches, so the engine is asked for it; it reports 1/N of the
   * mean together with it.
   */
  private double scale(Trajectories batch, Statistics statistics) {
    if (config.scale() == Scale.NONE) {
      return 1;
    }
    boolean mean = config.agentReduction() == AgentReduction.MEAN;
    return statistics.scale() * (mean ? batch.group().agentCount() : 1);
  }

  private Finding judgeWeights(Trajectories batch, double[] previous, double scale) {
    double[] expected =
        ReferenceWeights.weights(
            batch,
            config.weight(),
            config.discount(),
            config.baseline(),
            ReferenceWeights.cohorts(batch.environments()),
            previous,
            config.agentReduction(),
            scale);
    double largest = 0;
    for (double value : ReferenceWeights.values(batch, config.weight(), config.discount())) {
      largest = Math.max(largest, Math.abs(value * scale));
    }
    Comparison comparison = new Comparison("weight");
    for (int step = 0; step < batch.steps(); step++) {
      for (int agent = 0; agent < batch.group().agentCount(); agent++) {
        for (int environment = 0; environment < batch.environments(); environment++) {
          int index = batch.index(step, agent, environment);
          double allowed =
              WEIGHT_ROUNDING * Math.abs(expected[index]) + DOUBLE_ROUNDING * Math.max(1, largest);
          comparison.add(
              place(environment, step, agent), expected[index], batch.weight()[index], allowed);
        }
      }
    }
    return comparison.finding();
  }

  private void judgePolicy(Recording recording, int index, List<Finding> findings) {
    Trajectories batch = recording.trajectories().get(index);
    Group group = batch.group();
    int[] sizes = sizes(index);
    float[] all = engine.parameters();
    double[] parameters = new double[(int) group.parameterCount()];
    for (int parameter = 0; parameter < parameters.length; parameter++) {
      parameters[parameter] = all[(int) group.parameterOffset() + parameter];
    }
    boolean relu = isRelu(index);
    ReferencePolicy policy = new ReferencePolicy(sizes, relu, parameters);
    Forward forward = engine.forward(index, rows(batch));
    ReluPattern pattern = relu ? new ReluPattern() : null;
    ReferenceGradient.HiddenActivations hidden =
        (step, agent, environment) -> {
          float[] row = new float[group.hiddenTotal()];
          System.arraycopy(
              forward.hidden(),
              batch.index(step, agent, environment) * row.length,
              row,
              0,
              row.length);
          return row;
        };
    double largestLogit = 0;
    for (float logit : forward.logit()) {
      largestLogit = Math.max(largestLogit, Math.abs(logit));
    }
    double tolerance = gradientTolerance(largestLogit);

    Comparison logProbability = new Comparison("log-probability");
    ReluPattern uncounted = relu ? new ReluPattern() : null;
    for (int step = 0; step < batch.steps(); step++) {
      for (int agent = 0; agent < group.agentCount(); agent++) {
        for (int environment = 0; environment < batch.environments(); environment++) {
          int row = batch.index(step, agent, environment);
          if (batch.alive()[row] != 0) {
            if (relu) {
              uncounted.next(hidden.of(step, agent, environment));
            }
            double expected =
                ReferenceGradient.logProbability(
                    policy, batch, step, agent, environment, uncounted)[batch.action()[row]];
            double allowed = tolerance * Math.max(1, Math.abs(expected));
            logProbability.add(
                place(environment, step, agent), expected, batch.logProbability()[row], allowed);
          }
        }
      }
    }
    findings.add(logProbability.finding());

    double[] expected =
        ReferenceGradient.gradient(
            policy, batch, config.entropyCoefficient(), parameters.length, pattern, hidden);
    findings.add(
        compareGradient(
            sizes,
            expected,
            recording.gradient().values(),
            (int) group.parameterOffset(),
            tolerance,
            smallestNorm(config.entropyCoefficient(), batch.steps() * group.agentCount())));
    if (relu) {
      boolean allowed = pattern.firstError() == null;
      String worst =
          allowed ? pattern.differing() + " signs differ within rounding" : pattern.firstError();
      findings.add(new Finding("relu pattern", allowed ? 0 : 1, 0, worst));
    }
  }

  /**
   * The norm below which a gradient is no measure of its own error: near the uniform policy the
   * entropy's gradient is what cancellation leaves of terms of the coefficient's size, each rounded
   * to 2^-24 = 0.03 x 2e-6.
   *
   * @param entropyCoefficient of the configuration
   * @param rows steps x agents of an episode
   * @return the norm
   */
  private static double smallestNorm(double entropyCoefficient, int rows) {
    return 0.03 * entropyCoefficient * Math.sqrt(rows);
  }

  /**
   * Compares a whole gradient by the norm of the difference over the norm of the reference.
   *
   * @param sizes of the policy's layers, to name a parameter
   * @param expected [parameter]
   * @param found contains the gradient
   * @param offset of the gradient in found
   * @param tolerance relative
   * @param smallestNorm what a smaller norm of the reference counts as
   * @return the finding; its worst parameter is the one with the largest difference
   */
  public static Finding compareGradient(
      int[] sizes,
      double[] expected,
      float[] found,
      int offset,
      double tolerance,
      double smallestNorm) {
    double squares = 0;
    double differenceSquares = 0;
    int worst = 0;
    double worstDifference = -1;
    for (int parameter = 0; parameter < expected.length; parameter++) {
      double difference = Math.abs(found[offset + parameter] - expected[parameter]);
      squares += expected[parameter] * expected[parameter];
      differenceSquares += difference * difference;
      if (!(difference <= worstDifference)) {
        worst = parameter;
        worstDifference = difference;
      }
    }
    String text =
        ReferencePolicy.describe(sizes, worst)
            + ": expected "
            + expected[worst]
            + ", found "
            + found[offset + worst]
            + ", norm of the whole "
            + Math.sqrt(squares);
    double norm = Math.max(Math.sqrt(squares), smallestNorm);
    double difference = differenceSquares == 0 ? 0 : Math.sqrt(differenceSquares) / norm;
    return new Finding("gradient", difference, tolerance, text);
  }

  /**
   * The layers of a group's policy.
   *
   * @param group index of the group
   * @return [layer + 1]: observation, hidden layers, actions
   */
  public int[] sizes(int group) {
    Policy policy = policy(group);
    int[] sizes = new int[policy.hidden().size() + 2];
    sizes[0] = engine.groups().get(group).observationSize();
    for (int layer = 0; layer < policy.hidden().size(); layer++) {
      sizes[layer + 1] = policy.hidden().get(layer);
    }
    sizes[sizes.length - 1] = engine.groups().get(group).actionCount();
    return sizes;
  }

  private boolean isRelu(int group) {
    return !policy(group).hidden().isEmpty()
        && policy(group).activation() == ActivationFunction.RELU;
  }

  private Policy policy(int group) {
    List<Policy> policies = config.policies();
    return policies.get(policies.size() == 1 ? 0 : group);
  }

  /** [row][feature], row in the order of {@link Trajectories#index}. */
  private static float[] rows(Trajectories batch) {
    int features = batch.group().observationSize();
    float[] rows = new float[batch.observation().length];
    for (int step = 0; step < batch.steps(); step++) {
      for (int agent = 0; agent < batch.group().agentCount(); agent++) {
        for (int environment = 0; environment < batch.environments(); environment++) {
          for (int feature = 0; feature < features; feature++) {
            rows[batch.index(step, agent, environment) * features + feature] =
                batch.observation()[batch.observationIndex(step, agent, feature, environment)];
          }
        }
      }
    }
    return rows;
  }

  private static String place(int environment, int step, int agent) {
    return "environment " + environment + ", step " + step + ", agent " + agent;
  }

  /** Keeps the value nearest to, or first beyond, its allowance. */
  private static final class Comparison {
    private final String quantity;
    private Finding worst;

    Comparison(String quantity) {
      this.quantity = quantity;
      worst = new Finding(quantity, 0, 0, "nothing differs");
    }

    void add(String place, double expected, double found, double allowed) {
      if (!worst.agrees()) {
        return;
      }
      double difference = expected == found ? 0 : Math.abs(found - expected);
      if (!(difference <= worst.difference) || !(difference <= allowed)) {
        worst =
            new Finding(
                quantity,
                difference,
                allowed,
                place + ": expected " + expected + ", found " + found);
      }
    }

    Finding finding() {
      return worst;
    }
  }
}
