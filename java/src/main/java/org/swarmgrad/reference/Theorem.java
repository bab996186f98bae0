// The comparisons that `swarmgrad verify` shows; how they are printed is the command's.
package org.swarmgrad.reference;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.swarmgrad.AgentReduction;
import org.swarmgrad.Baseline;
import org.swarmgrad.Device;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Optimizer;
import org.swarmgrad.Policy;
import org.swarmgrad.Recording;
import org.swarmgrad.Scale;
import org.swarmgrad.ValueInput;
import org.swarmgrad.Weight;
import org.swarmgrad.reference.Judge.Finding;
import org.swarmgrad.reference.Meeting.Rule;
import org.swarmgrad.reference.ReferenceWeights.Past;

/**
 * The team policy gradient shown to be what the engine computes: on the meeting game the exact
 * expectation of the engine's estimators against the exact gradient, on simple_spread_v3 a sampled
 * batch against the double-precision reference.
 */
public final class Theorem {
  /** Two programs that add the same 243 products in double differ by less. */
  private static final double DOUBLE_ROUNDING = 1e-12;

  /** Of estimators that use nothing of earlier batches. */
  private static final Past NONE = Past.none(Meeting.STEPS);

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
    double largestLogit = largestLogit(cases);
    List<double[][]> exact = new ArrayList<>();
    StringBuilder returns = new StringBuilder("J =");
    for (TheoremCase one : cases) {
      double expectedReturn = Meeting.expectedReturn(rule, one.logit());
      returns.append(String.format(Locale.ROOT, " %.6f", expectedReturn));
      returnDifference =
          Math.max(returnDifference, Math.abs(expectedReturn - one.expectedReturn()));
      exact.add(Meeting.gradient(rule, one.logit()));
      gradientDifference = Math.max(gradientDifference, largest(exact.getLast(), one.gradient()));
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

    Enumeration enumeration = new Enumeration(cases, Enumeration.oneHot(), device);
    double allowed = allowed(enumeration, largestLogit);
    for (Weight weight : List.of(Weight.TOTAL_RETURN, Weight.REWARD_TO_GO)) {
      for (Baseline baseline : List.of(Baseline.NONE, Baseline.LEAVE_ONE_OUT)) {
        List<double[][]> expectations =
            enumeration.expectations(
                enumeration.config().weight(weight).baseline(baseline).build(), NONE, null);
        String name =
            baseline == Baseline.NONE ? "E[" + weight + "]" : "E[" + weight + ", " + baseline + "]";
        String remark = baseline == Baseline.NONE ? "" : "all pairs of trajectories, cohort of 2";
        rows.add(
            new Row(
                subject, name, "gradient of J", largest(expectations, exact, 1), allowed, remark));
      }
    }
    EngineConfig average =
        enumeration
            .config()
            .weight(Weight.TOTAL_RETURN)
            .agentReduction(AgentReduction.MEAN)
            .build();
    rows.add(
        new Row(
            subject,
            "N x E[concatenate and average]",
            "gradient of J",
            largest(enumeration.expectations(average, NONE, null), exact, Meeting.AGENTS),
            allowed,
            "the average itself is 1/N of it"));

    List<double[][]> own =
        enumeration.expectations(
            enumeration.config().weight(Weight.OWN_RETURN).build(), NONE, null);
    List<double[][]> predicted =
        cases.stream().map(one -> one.estimators().get("own_return_only")).toList();
    rows.add(
        new Row(
            subject,
            "E[own-return]",
            "independent program",
            largest(own, predicted, 1),
            allowed,
            bias("J", own, exact)));
    return rows;
  }

  private static double allowed(Enumeration enumeration, double largestLogit) {
    return Judge.gradientTolerance(largestLogit)
        * enumeration.trajectories().stream()
            .mapToDouble(one -> Math.abs(one.teamReturn()))
            .max()
            .orElseThrow();
  }

  private static double largestLogit(List<TheoremCase> cases) {
    return cases.stream()
        .flatMap(one -> Arrays.stream(one.logit()))
        .flatMapToDouble(Arrays::stream)
        .map(Math::abs)
        .max()
        .orElseThrow();
  }

  /** How far an estimator is from the gradient, policy by policy. */
  private static String bias(String of, List<double[][]> own, List<double[][]> exact) {
    StringBuilder text = new StringBuilder("off the gradient of " + of + " by");
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

  /**
   * What each option does to the expectation, on the meeting game with the gift rule: unbiased ones
   * against the gradient of J (of the return discounted by 0.9 where the row says so), biased ones
   * against the double-precision reference, with the size of the bias. Means, deviation and values
   * are numbers out of the air: any that are known before the batch will do.
   *
   * @return every line
   * @throws IOException if the cases cannot be read
   */
  public List<Row> options() throws IOException {
    List<TheoremCase> cases =
        TheoremCase.all().stream().filter(one -> one.rule() == Rule.GIFT).toList();
    return new Options(cases).rows();
  }

  /** The rows of the options, which have much in common. */
  private final class Options {
    private static final double DISCOUNT = 0.9;
    private static final double REWARD_SCALE = 0.25;
    private static final Past PAST = new Past(new double[] {0.4, -0.7}, 1.7);

    private final List<TheoremCase> cases;
    private final Enumeration enumeration;
    private final double allowed;
    private final List<Row> rows = new ArrayList<>();

    /** Values of states that have nothing to do with what they are worth. */
    private final Enumeration.Values arbitrary =
        (one, step, agent, observation) -> Math.sin(5 * step + 3 * agent + 2 * observation);

    Options(List<TheoremCase> cases) {
      this.cases = cases;
      enumeration = new Enumeration(cases, Enumeration.oneHot(), device);
      allowed = allowed(enumeration, largestLogit(cases));
    }

    List<Row> rows() {
      List<double[][]> gradient = enumeration.exact((one, each) -> each.teamReturn());
      List<double[][]> discounted =
          enumeration.exact((one, each) -> each.discountedReturn(DISCOUNT));

      unbiased("previous-batch", previous(), "J", gradient, 1);
      unbiased("learned-value, joint", learned(ValueInput.JOINT), "J", gradient, 1);
      unbiased("learned-value, own", learned(ValueInput.OWN), "J", gradient, 1);
      unbiased(
          "running-deviation, reward-scale 0.25",
          previous().scale(Scale.RUNNING_DEVIATION).rewardScale(REWARD_SCALE),
          "J",
          gradient,
          PAST.deviation() / REWARD_SCALE);
      normalised();
      unbiased(
          "total-return, 0.9",
          previous().weight(Weight.TOTAL_RETURN).discount(DISCOUNT),
          "discounted J",
          discounted,
          1);
      unbiased(
          "discounted-state-weight, learned-value, 0.9",
          learned(ValueInput.JOINT).weight(Weight.DISCOUNTED_STATE_WEIGHT).discount(DISCOUNT),
          "discounted J",
          discounted,
          1);
      biased("reward-to-go, 0.9", "discounted J", previous().discount(DISCOUNT), discounted);
      biased("lambda 0.5", "J", learned(ValueInput.JOINT).lambda(0.5), gradient);
      exactValues(gradient);
      biased("bootstrap", "J", learned(ValueInput.JOINT).bootstrap(true), gradient);
      entropy();
      return rows;
    }

    private EngineConfig.Builder previous() {
      return enumeration.config().baseline(Baseline.PREVIOUS_BATCH);
    }

    private EngineConfig.Builder learned(ValueInput input) {
      return enumeration.config().baseline(Baseline.LEARNED_VALUE).valueInput(input);
    }

    private void add(String name, String against, double difference, String remark) {
      rows.add(new Row("meeting, gift", "E[" + name + "]", against, difference, allowed, remark));
    }

    private void unbiased(
        String name,
        EngineConfig.Builder config,
        String of,
        List<double[][]> exact,
        double factor) {
      List<double[][]> found = enumeration.expectations(config.build(), PAST, arbitrary);
      String remark =
          factor == 1
              ? "unbiased"
              : String.format(Locale.ROOT, "unbiased: 1/%.1f of it, known before", factor);
      add(name, "gradient of " + of, largest(found, exact, factor), remark);
    }

    private void biased(
        String name, String of, EngineConfig.Builder builder, List<double[][]> exact) {
      EngineConfig config = builder.build();
      List<double[][]> found = enumeration.expectations(config, PAST, arbitrary);
      List<double[][]> predicted = enumeration.reference(config, PAST, arbitrary);
      add(
          name,
          "double reference",
          largest(found, predicted, 1),
          "biased: " + bias(of, found, exact));
    }

    /** With the values that the policy really has, no return is needed at all. */
    private void exactValues(List<double[][]> gradient) {
      Enumeration.Values exact =
          (one, step, agent, observation) ->
              step == Meeting.STEPS
                  ? 0
                  : (enumeration.expectedRewardToGo(one, step, observation) - PAST.mean()[step])
                      / PAST.deviation();
      List<double[][]> found =
          enumeration.expectations(learned(ValueInput.JOINT).lambda(0).build(), PAST, exact);
      add("lambda 0, exact values", "gradient of J", largest(found, gradient, 1), "unbiased");
    }

    /** The policy sees (indicator - mean) x inverse deviation, with moments out of the air. */
    private void normalised() {
      double[][] features = Enumeration.oneHot();
      for (double[] observation : features) {
        for (int feature = 0; feature < observation.length; feature++) {
          observation[feature] =
              (float) ((observation[feature] - 0.05 * feature) * (1 + 0.1 * feature));
        }
      }
      Enumeration seen = new Enumeration(cases, features, device);
      List<double[][]> found = seen.expectations(previous().build(), PAST, null);
      add(
          "observation-normalisation",
          "gradient of J",
          largest(found, seen.exact((one, each) -> each.teamReturn()), 1),
          "unbiased");
    }

    /**
     * The entropy term leaves out that the policy also decides which states are visited: what is
     * added here.
     */
    private void entropy() {
      EngineConfig config = previous().entropyCoefficient(1).build();
      List<double[][]> found = enumeration.expectations(config, PAST, null);
      List<double[][]> predicted = enumeration.reference(config, PAST, null);
      List<double[][]> whole = enumeration.exact(enumeration::entropy);
      for (int index = 0; index < whole.size(); index++) {
        for (int row = 0; row < Meeting.FEATURES; row++) {
          for (int column = 0; column < Meeting.ACTIONS; column++) {
            whole.get(index)[row][column] += predicted.get(index)[row][column];
          }
        }
      }
      add(
          "entropy 1",
          "double reference",
          largest(found, predicted, 1),
          "biased: " + bias("J + entropy", found, whole));
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
    rows.addAll(sampled("mlp:64,64", Weight.REWARD_TO_GO, Baseline.LEARNED_VALUE, 1));
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
