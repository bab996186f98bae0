// Holds a recorded batch of an engine against the reference, with the tolerances; it judges no
// environment's rules.
package org.swarmgrad.reference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.swarmgrad.ActivationFunction;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Forward;
import org.swarmgrad.Group;
import org.swarmgrad.Policy;
import org.swarmgrad.Recording;
import org.swarmgrad.Trajectories;
import org.swarmgrad.reference.ReferencePolicy.ReluPattern;
import org.swarmgrad.reference.ReferenceWeights.Past;

/**
 * Holds one recorded batch of an engine against the double-precision reference: weights from its
 * rewards, log-probabilities, values and gradients from its observations, actions and weights. It
 * does not judge the environment's rules; recorded trajectories do.
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
   * What earlier batches left in the engine for a group.
   *
   * @param group index of the group
   * @return as the next batch will use it
   */
  public Past past(int group) {
    int steps = engine.info().horizon();
    double[] mean = new double[steps];
    engine.readBuffer(engine.buffer("baseline")).asDoubleBuffer().position(group * steps).get(mean);
    if (!ReferenceWeights.isPerStep(config.weight())) {
      Arrays.fill(mean, mean[0]);
    }
    double[] moments = new double[3]; // count, mean, sum of squared deviations
    engine
        .readBuffer(engine.buffer("return_moments"))
        .asDoubleBuffer()
        .position(group * moments.length)
        .get(moments);
    double deviation = moments[0] > 0 ? Math.sqrt(moments[2] / moments[0]) : 0;
    return new Past(mean, deviation > DOUBLE_ROUNDING * Math.abs(moments[1]) ? deviation : 1);
  }

  /**
   * Judges one batch.
   *
   * @param recording made by the engine in its present state
   * @return the findings of every group
   */
  public List<Finding> judge(Recording recording) {
    List<Finding> findings = new ArrayList<>();
    for (int group = 0; group < recording.trajectories().size(); group++) {
      Trajectories batch = recording.trajectories().get(group);
      ReferenceWeights reference = new ReferenceWeights(config, past(group), batch);
      findings.add(judgeWeights(batch, reference));
      judgePolicy(recording, group, findings);
      if (batch.group().valueNetwork() != null) {
        findings.add(judgeErrors(batch, reference));
        judgeValues(recording, group, findings);
      }
    }
    return findings;
  }

  private static Finding judgeWeights(Trajectories batch, ReferenceWeights reference) {
    double[] expected = reference.weights(ReferenceWeights.cohorts(batch.environments()));
    double largest = 0;
    for (double value : reference.values()) {
      largest = Math.max(largest, Math.abs(value * reference.factor()));
    }
    return compareRows(
        "weight", batch, batch.group().agentCount(), expected, batch.weight(), largest);
  }

  private static Finding judgeErrors(Trajectories batch, ReferenceWeights reference) {
    double[] expected = reference.valueErrors();
    double largest = 0;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    return compareRows(
        "value error",
        batch,
        batch.group().valueNetwork().agents(),
        expected,
        batch.valueError(),
        largest);
  }

  private static Finding compareRows(
      String quantity,
      Trajectories batch,
      int agents,
      double[] expected,
      float[] found,
      double largest) {
    Comparison comparison = new Comparison(quantity);
    for (int index = 0; index < expected.length; index++) {
      int row = index / batch.environments();
      double allowed =
          WEIGHT_ROUNDING * Math.abs(expected[index]) + DOUBLE_ROUNDING * Math.max(1, largest);
      comparison.add(
          place(index % batch.environments(), row / agents, row % agents),
          expected[index],
          found[index],
          allowed);
    }
    return comparison.finding();
  }

  /** One network of the engine, its parameters in double, and what it made of a batch's rows. */
  private final class JudgedNetwork {
    private final int[] sizes;
    private final boolean relu;
    private final int offset;
    private final double[] parameters;
    private final ReferencePolicy reference;
    private final Forward forward;
    private final ReferenceGradient.HiddenActivations hidden;
    private final double largestOutput;

    JudgedNetwork(Trajectories batch, int index) {
      Group group = batch.group();
      boolean isPolicy = index < engine.groups().size();
      int agents = isPolicy ? group.agentCount() : group.valueNetwork().agents();
      int width = isPolicy ? group.hiddenTotal() : group.valueNetwork().hiddenTotal();
      sizes = sizes(index);
      relu = isRelu(index);
      offset = (int) (isPolicy ? group.parameterOffset() : group.valueNetwork().parameterOffset());
      parameters = new double[ReferencePolicy.parameterCount(sizes)];
      float[] all = engine.parameters();
      for (int parameter = 0; parameter < parameters.length; parameter++) {
        parameters[parameter] = all[offset + parameter];
      }
      reference = new ReferencePolicy(sizes, relu, parameters);
      forward = engine.forward(index, rows(batch, sizes[0]));
      hidden =
          (step, agent, environment) -> {
            int row = (step * agents + agent) * batch.environments() + environment;
            return Arrays.copyOfRange(forward.hidden(), row * width, (row + 1) * width);
          };
      double largest = 0;
      for (float output : forward.logit()) {
        largest = Math.max(largest, Math.abs(output));
      }
      largestOutput = largest;
    }

    ReluPattern pattern() {
      return relu ? new ReluPattern() : null;
    }

    void next(ReluPattern pattern, int step, int agent, int environment) {
      if (pattern != null) {
        pattern.next(hidden.of(step, agent, environment));
      }
    }
  }

  private void judgePolicy(Recording recording, int index, List<Finding> findings) {
    Trajectories batch = recording.trajectories().get(index);
    Group group = batch.group();
    JudgedNetwork network = new JudgedNetwork(batch, index);
    double tolerance = gradientTolerance(network.largestOutput);

    Comparison logProbability = new Comparison("log-probability");
    ReluPattern uncounted = network.pattern();
    for (int step = 0; step < batch.steps(); step++) {
      for (int agent = 0; agent < group.agentCount(); agent++) {
        for (int environment = 0; environment < batch.environments(); environment++) {
          int row = batch.index(step, agent, environment);
          if (batch.alive()[row] != 0) {
            network.next(uncounted, step, agent, environment);
            double expected =
                ReferenceGradient.logProbability(
                    network.reference, batch, step, agent, environment, uncounted)[
                    batch.action()[row]];
            double allowed = tolerance * Math.max(1, Math.abs(expected));
            logProbability.add(
                place(environment, step, agent), expected, batch.logProbability()[row], allowed);
          }
        }
      }
    }
    findings.add(logProbability.finding());

    ReluPattern pattern = network.pattern();
    double[] expected =
        ReferenceGradient.gradient(
            network.reference,
            batch,
            config.entropyCoefficient(),
            network.parameters.length,
            pattern,
            network.hidden);
    findings.add(
        compareGradient(
            "policy",
            network.sizes,
            expected,
            recording.gradient().values(),
            network.offset,
            tolerance,
            smallestNorm(config.entropyCoefficient(), batch.steps() * group.agentCount())));
    addPattern(pattern, findings);
  }

  /** Values of all states but the last, whose observations are not recorded. */
  private void judgeValues(Recording recording, int index, List<Finding> findings) {
    Trajectories batch = recording.trajectories().get(index);
    JudgedNetwork network = new JudgedNetwork(batch, engine.groups().size() + index);
    double tolerance = gradientTolerance(network.largestOutput);

    Comparison value = new Comparison("value");
    ReluPattern uncounted = network.pattern();
    for (int step = 0; step < batch.steps(); step++) {
      for (int row = 0; row < batch.group().valueNetwork().agents(); row++) {
        for (int environment = 0; environment < batch.environments(); environment++) {
          if (step < batch.episodeLength()[environment]) {
            network.next(uncounted, step, row, environment);
            double expected =
                ReferenceGradient.value(
                    network.reference, batch, step, row, environment, uncounted);
            double found = batch.value()[batch.valueIndex(step, row, environment)];
            double allowed = tolerance * Math.max(1, Math.abs(expected));
            value.add(place(environment, step, row), expected, found, allowed);
          }
        }
      }
    }
    findings.add(value.finding());

    ReluPattern pattern = network.pattern();
    double[] expected =
        ReferenceGradient.valueGradient(
            network.reference, batch, network.parameters.length, pattern, network.hidden);
    findings.add(
        compareGradient(
            "value",
            network.sizes,
            expected,
            recording.gradient().values(),
            network.offset,
            tolerance,
            0));
    addPattern(pattern, findings);
  }

  private static void addPattern(ReluPattern pattern, List<Finding> findings) {
    if (pattern != null) {
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
   * @param network policy or value, to name a parameter
   * @param sizes of the network's layers, to name a parameter
   * @param expected [parameter]
   * @param found contains the gradient
   * @param offset of the gradient in found
   * @param tolerance relative
   * @param smallestNorm what a smaller norm of the reference counts as
   * @return the finding; its worst parameter is the one with the largest difference
   */
  public static Finding compareGradient(
      String network,
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
        ReferencePolicy.describe(network, sizes, worst)
            + ": expected "
            + expected[worst]
            + ", found "
            + found[offset + worst]
            + ", norm of the whole "
            + Math.sqrt(squares);
    double norm = Math.max(Math.sqrt(squares), smallestNorm);
    double difference = differenceSquares == 0 ? 0 : Math.sqrt(differenceSquares) / norm;
    return new Finding(network + " gradient", difference, tolerance, text);
  }

  /**
   * The layers of a network.
   *
   * @param network as in {@link org.swarmgrad.Batch}
   * @return [layer + 1]: observation, hidden layers, actions or the value
   */
  public int[] sizes(int network) {
    int groups = engine.groups().size();
    Group group = engine.groups().get(network % groups);
    boolean isPolicy = network < groups;
    List<Integer> hidden = shape(network).hidden();
    int[] sizes = new int[hidden.size() + 2];
    sizes[0] = isPolicy ? group.observationSize() : group.valueNetwork().observationSize();
    for (int layer = 0; layer < hidden.size(); layer++) {
      sizes[layer + 1] = hidden.get(layer);
    }
    sizes[sizes.length - 1] = isPolicy ? group.actionCount() : 1;
    return sizes;
  }

  /**
   * Whether a network's hidden layers are relu's.
   *
   * @param network as in {@link org.swarmgrad.Batch}
   * @return false for tanh, and without hidden layers
   */
  public boolean isRelu(int network) {
    return !shape(network).hidden().isEmpty()
        && shape(network).activation() == ActivationFunction.RELU;
  }

  private Policy shape(int network) {
    int groups = engine.groups().size();
    List<Policy> shapes = network < groups ? config.policies() : config.valuePolicies();
    return shapes.get(shapes.size() == 1 ? 0 : network % groups);
  }

  /**
   * [row][feature], row in the order of {@link Trajectories#index}, or of {@link
   * Trajectories#valueIndex} with the features of a value network.
   */
  private static float[] rows(Trajectories batch, int features) {
    float[] rows = new float[batch.observation().length];
    for (int index = 0; index < rows.length; index++) {
      int row = index / features;
      int line = row / batch.environments() * features + index % features;
      rows[index] = batch.observation()[line * batch.environments() + row % batch.environments()];
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
