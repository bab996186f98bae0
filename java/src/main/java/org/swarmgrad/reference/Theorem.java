// The comparisons that `swarmgrad verify` shows; how they are printed is the command's.
package org.swarmgrad.reference;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.swarmgrad.AgentReduction;
import org.swarmgrad.Baseline;
import org.swarmgrad.Batch;
import org.swarmgrad.Device;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Optimizer;
import org.swarmgrad.Policy;
import org.swarmgrad.Recording;
import org.swarmgrad.Rewards;
import org.swarmgrad.Weight;
import org.swarmgrad.reference.Judge.Finding;
import org.swarmgrad.reference.Meeting.Rule;
import org.swarmgrad.reference.Meeting.Trajectory;

/**
 * The team policy gradient shown to be what the engine computes: on the meeting game the exact
 * expectation of the engine's estimators against the exact gradient, on simple_spread_v3 a sampled
 * batch against the double-precision reference.
 */
public final class Theorem {
  /** Two programs that add the same 243 products in double differ by less. */
  private static final double DOUBLE_ROUNDING = 1e-12;

  private static final int PAIR = 2;

  private final Device device;

  /**
   * The comparisons with the engine of a device.
   *
   * @param device that the engines run on
   */
  public Theorem(Device device) {
    this.device = device;
  }

  /**
   * One line of the proof.
   *
   * @param subject game and reward rule, or environment and policy
   * @param quantity shown
   * @param against what it is compared with
   * @param difference the largest found
   * @param allowed at most
   * @param remark what else is to be seen, or empty
   */
  public record Row(
      String subject,
      String quantity,
      String against,
      double difference,
      double allowed,
      String remark) {
    /**
     * The verdict.
     *
     * @return true if the difference is a number and allowed
     */
    public boolean agrees() {
      return difference <= allowed;
    }
  }

  /**
   * The meeting game, for the three reward rules at three policies each.
   *
   * @return every line
   * @throws IOException if the independent program's numbers cannot be read
   */
  public List<Row> meeting() throws IOException {
    List<Row> rows = new ArrayList<>();
    List<TheoremCase> all = TheoremCase.all();
    for (Rule rule : Rule.values()) {
      rows.addAll(rows(rule, all.stream().filter(one -> one.rule() == rule).toList()));
    }
    return rows;
  }

  private List<Row> rows(Rule rule, List<TheoremCase> cases) {
    List<Row> rows = new ArrayList<>();
    double returnDifference = 0;
    double gradientDifference = 0;
    double largestLogit = 0;
    List<double[][]> exact = new ArrayList<>();
    StringBuilder returns = new StringBuilder("J =");
    for (TheoremCase one : cases) {
      double expectedReturn = Meeting.expectedReturn(rule, one.logit());
      returns.append(String.format(Locale.ROOT, " %.6f", expectedReturn));
      returnDifference =
          Math.max(returnDifference, Math.abs(expectedReturn - one.expectedReturn()));
      exact.add(Meeting.gradient(rule, one.logit()));
      gradientDifference = Math.max(gradientDifference, largest(exact.getLast(), one.gradient()));
      for (double[] row : one.logit()) {
        for (double value : row) {
          largestLogit = Math.max(largestLogit, Math.abs(value));
        }
      }
    }
    String subject = "meeting, " + rule.name().toLowerCase(Locale.ROOT);
    rows.add(
        new Row(
            subject,
            "J, enumerated",
            "independent program",
            returnDifference,
            DOUBLE_ROUNDING,
            returns.toString()));
    rows.add(
        new Row(
            subject,
            "gradient of J, enumerated",
            "independent program",
            gradientDifference,
            DOUBLE_ROUNDING,
            ""));

    List<Trajectory> trajectories = Meeting.trajectories(rule);
    double largestReturn =
        trajectories.stream().mapToDouble(one -> Math.abs(one.teamReturn())).max().orElseThrow();
    double allowed = Judge.gradientTolerance(largestLogit) * largestReturn;
    for (Weight weight : List.of(Weight.TOTAL_RETURN, Weight.REWARD_TO_GO)) {
      for (Baseline baseline : List.of(Baseline.NONE, Baseline.LEAVE_ONE_OUT)) {
        List<double[][]> expectations = expectations(cases, weight, baseline, AgentReduction.SUM);
        String name =
            baseline == Baseline.NONE ? "E[" + weight + "]" : "E[" + weight + ", " + baseline + "]";
        String remark = baseline == Baseline.NONE ? "" : "all pairs of trajectories, cohort of 2";
        rows.add(
            new Row(
                subject, name, "gradient of J", largest(expectations, exact, 1), allowed, remark));
      }
    }
    List<double[][]> averages =
        expectations(cases, Weight.TOTAL_RETURN, Baseline.NONE, AgentReduction.MEAN);
    rows.add(
        new Row(
            subject,
            "N x E[concatenate and average]",
            "gradient of J",
            largest(averages, exact, Meeting.AGENTS),
            allowed,
            "the average itself is 1/N of it"));

    List<double[][]> own =
        expectations(cases, Weight.OWN_RETURN, Baseline.NONE, AgentReduction.SUM);
    List<double[][]> predicted =
        cases.stream().map(one -> one.estimators().get("own_return_only")).toList();
    rows.add(
        new Row(
            subject,
            "E[own-return]",
            "independent program",
            largest(own, predicted, 1),
            allowed,
            bias(own, exact)));
    return rows;
  }

  /** How far own-return is from the gradient, policy by policy. */
  private static String bias(List<double[][]> own, List<double[][]> exact) {
    StringBuilder text = new StringBuilder("off the gradient of J by");
    for (int index = 0; index < own.size(); index++) {
      double difference = largest(own.get(index), exact.get(index));
      double product = 0;
      double ownSquares = 0;
      double exactSquares = 0;
      for (int row = 0; row < Meeting.FEATURES; row++) {
        for (int column = 0; column < Meeting.ACTIONS; column++) {
          product += own.get(index)[row][column] * exact.get(index)[row][column];
          ownSquares += own.get(index)[row][column] * own.get(index)[row][column];
          exactSquares += exact.get(index)[row][column] * exact.get(index)[row][column];
        }
      }
      double cosine = product / Math.sqrt(ownSquares * exactSquares);
      text.append(String.format(Locale.ROOT, " %.4f (cosine %.3f)", difference, cosine));
    }
    return text.toString();
  }

  /** The expectation of the engine's estimator at each policy: [case] [observation][action]. */
  private List<double[][]> expectations(
      List<TheoremCase> cases, Weight weight, Baseline baseline, AgentReduction reduction) {
    Rule rule = cases.getFirst().rule();
    EngineConfig config =
        EngineConfig.builder(EnvironmentSpec.of("meeting").with("reward", rule.ordinal()))
            .policy(Policy.linear())
            .environments(PAIR)
            .weight(weight)
            .baseline(baseline)
            .agentReduction(reduction)
            .device(device)
            .threads(1)
            .build();
    List<Trajectory> trajectories = Meeting.trajectories(rule);
    List<double[][]> expectations = new ArrayList<>();
    try (Engine engine = Engine.open(config)) {
      for (TheoremCase one : cases) {
        engine.setParameters(parameters(one.logit()));
        double[][] policy = Meeting.policy(one.logit());
        double[] probability =
            trajectories.stream().mapToDouble(each -> each.probability(policy)).toArray();
        expectations.add(
            baseline == Baseline.LEAVE_ONE_OUT
                ? pairExpectation(engine, trajectories, probability)
                : expectation(engine, trajectories, probability));
      }
    }
    return expectations;
  }

  /** Each trajectory is a batch of its own; its gradient counts with its probability. */
  private static double[][] expectation(
      Engine engine, List<Trajectory> trajectories, double[] probability) {
    double[][] expectation = new double[Meeting.FEATURES][Meeting.ACTIONS];
    for (int index = 0; index < trajectories.size(); index++) {
      List<Trajectory> alone = List.of(trajectories.get(index));
      float[] weight = weights(engine, alone, new long[] {0, 1});
      add(expectation, gradient(engine, alone, weight), probability[index]);
    }
    return expectation;
  }

  /**
   * Each pair of trajectories is a cohort of two. The pairs of one first trajectory make one batch,
   * in which the probability of the second multiplies the weights; that of the first multiplies the
   * batch's gradient.
   */
  private static double[][] pairExpectation(
      Engine engine, List<Trajectory> trajectories, double[] probability) {
    double[][] expectation = new double[Meeting.FEATURES][Meeting.ACTIONS];
    int count = trajectories.size();
    long[] cohortFirst = new long[count + 1];
    for (int cohort = 0; cohort <= count; cohort++) {
      cohortFirst[cohort] = (long) PAIR * cohort;
    }
    for (int first = 0; first < count; first++) {
      List<Trajectory> pairs = new ArrayList<>();
      for (Trajectory second : trajectories) {
        pairs.add(trajectories.get(first));
        pairs.add(second);
      }
      float[] weight = weights(engine, pairs, cohortFirst);
      for (int index = 0; index < weight.length; index++) {
        int second = index % pairs.size() / PAIR;
        weight[index] = (float) (weight[index] * probability[second] * count);
      }
      add(expectation, gradient(engine, pairs, weight), probability[first]);
    }
    return expectation;
  }

  private static float[] weights(Engine engine, List<Trajectory> episodes, long[] cohortFirst) {
    int count = episodes.size();
    float[] reward = new float[Meeting.STEPS * Meeting.AGENTS * count];
    for (int row = 0; row < Meeting.STEPS * Meeting.AGENTS; row++) {
      for (int environment = 0; environment < count; environment++) {
        reward[row * count + environment] =
            (float) episodes.get(environment).reward()[row / Meeting.AGENTS][row % Meeting.AGENTS];
      }
    }
    return engine
        .weights(new Rewards(0, count, Meeting.STEPS, cohortFirst, reward, null, null, null, null))
        .weight();
  }

  private static float[] gradient(Engine engine, List<Trajectory> episodes, float[] weight) {
    int count = episodes.size();
    int rows = Meeting.STEPS * Meeting.AGENTS;
    float[] observation = new float[rows * Meeting.FEATURES * count];
    int[] action = new int[rows * count];
    for (int row = 0; row < rows; row++) {
      for (int environment = 0; environment < count; environment++) {
        Trajectory episode = episodes.get(environment);
        int feature = episode.observation()[row / Meeting.AGENTS][row % Meeting.AGENTS];
        observation[(row * Meeting.FEATURES + feature) * count + environment] = 1;
        action[row * count + environment] =
            episode.action()[row / Meeting.AGENTS][row % Meeting.AGENTS];
      }
    }
    return engine.gradientOf(
        new Batch(0, count, Meeting.STEPS, observation, action, weight, null, null));
  }

  /**
   * The linear policy's weight [action][observation] is the table of logits transposed; its bias
   * stays 0.
   */
  private static float[] parameters(double[][] logit) {
    float[] parameters = new float[(Meeting.FEATURES + 1) * Meeting.ACTIONS];
    for (int observation = 0; observation < Meeting.FEATURES; observation++) {
      for (int action = 0; action < Meeting.ACTIONS; action++) {
        parameters[action * Meeting.FEATURES + observation] = (float) logit[observation][action];
      }
    }
    return parameters;
  }

  private static void add(double[][] expectation, float[] gradient, double probability) {
    for (int observation = 0; observation < Meeting.FEATURES; observation++) {
      for (int action = 0; action < Meeting.ACTIONS; action++) {
        expectation[observation][action] +=
            probability * gradient[action * Meeting.FEATURES + observation];
      }
    }
  }

  private static double largest(List<double[][]> found, List<double[][]> expected, double factor) {
    double largest = 0;
    for (int index = 0; index < found.size(); index++) {
      double[][] scaled = new double[Meeting.FEATURES][Meeting.ACTIONS];
      for (int row = 0; row < Meeting.FEATURES; row++) {
        for (int column = 0; column < Meeting.ACTIONS; column++) {
          scaled[row][column] = factor * found.get(index)[row][column];
        }
      }
      largest = Math.max(largest, largest(scaled, expected.get(index)));
    }
    return largest;
  }

  /** Largest absolute difference; NaN if there is one, since Math.max hands it on. */
  private static double largest(double[][] found, double[][] expected) {
    double largest = 0;
    for (int row = 0; row < expected.length; row++) {
      for (int column = 0; column < expected[row].length; column++) {
        largest = Math.max(largest, Math.abs(found[row][column] - expected[row][column]));
      }
    }
    return largest;
  }

  /**
   * A sampled batch of simple_spread_v3 for every policy, weight and baseline that the table names.
   *
   * @return every line
   */
  public List<Row> sampled() {
    List<Row> rows = new ArrayList<>();
    rows.addAll(sampled("linear", Weight.TOTAL_RETURN, Baseline.NONE, 1));
    rows.addAll(sampled("mlp:64,64", Weight.REWARD_TO_GO, Baseline.LEAVE_ONE_OUT, 1));
    rows.addAll(sampled("mlp:32:relu", Weight.OWN_RETURN, Baseline.NONE, 0.99));
    rows.addAll(
        sampled("mlp:16,16,16", Weight.DISCOUNTED_STATE_WEIGHT, Baseline.LEAVE_ONE_OUT, 0.95));
    return rows;
  }

  private List<Row> sampled(String policy, Weight weight, Baseline baseline, double discount) {
    EngineConfig config =
        EngineConfig.builder(EnvironmentSpec.of("simple_spread_v3"))
            .policy(Policy.parse(policy))
            .environments(33)
            .weight(weight)
            .baseline(baseline)
            .discount(discount)
            .optimizer(Optimizer.ADAM)
            .device(device)
            .build();
    List<Row> rows = new ArrayList<>();
    try (Engine engine = Engine.open(config)) {
      engine.train(0.01, 0.01, 0.01);
      Recording recording = engine.record();
      for (Finding finding : new Judge(engine).judge(recording)) {
        String subject = "simple_spread_v3, " + policy;
        String estimator = weight + (baseline == Baseline.NONE ? "" : ", " + baseline);
        rows.add(
            new Row(
                subject,
                finding.quantity() + " (" + estimator + ")",
                "double reference",
                finding.difference(),
                finding.allowed(),
                finding.agrees() ? "" : finding.worst()));
      }
    }
    return rows;
  }
}
