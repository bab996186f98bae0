// The meeting game's trajectories, each weighted by its probability, through an engine's weights
// and
// gradient; what is compared with what is Theorem's.
package org.swarmgrad.reference;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleBiFunction;
import org.swarmgrad.Baseline;
import org.swarmgrad.Batch;
import org.swarmgrad.Device;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Group;
import org.swarmgrad.Policy;
import org.swarmgrad.Rewards;
import org.swarmgrad.Trajectories;
import org.swarmgrad.ValueInput;
import org.swarmgrad.reference.Meeting.Rule;
import org.swarmgrad.reference.Meeting.Trajectory;
import org.swarmgrad.reference.ReferenceWeights.Past;

/** The exact expectation of an engine's estimator at the policies of some cases. */
final class Enumeration {
  private static final int PAIR = 2;
  private static final int ROWS = Meeting.STEPS * Meeting.AGENTS;

  private final List<TheoremCase> cases;
  private final Rule rule;
  private final Device device;
  private final double[][] features;
  private final List<Trajectory> trajectories;

  /** What a value network says of a state, which an agent's observation names. */
  @FunctionalInterface
  interface Values {
    double of(TheoremCase one, int step, int agent, int observation);
  }

  /**
   * The game at the policies of some cases of one rule.
   *
   * @param cases whose logits are the policy's weights
   * @param features [observation][feature] that the policy sees of an observation
   * @param device that the engines run on
   */
  Enumeration(List<TheoremCase> cases, double[][] features, Device device) {
    this.cases = cases;
    this.features = features;
    this.device = device;
    rule = cases.getFirst().rule();
    trajectories = Meeting.trajectories(rule);
  }

  /** [observation][feature]: 1 where both are the same. */
  static double[][] oneHot() {
    double[][] features = new double[Meeting.FEATURES][Meeting.FEATURES];
    for (int observation = 0; observation < features.length; observation++) {
      features[observation][observation] = 1;
    }
    return features;
  }

  EngineConfig.Builder config() {
    return EngineConfig.builder(EnvironmentSpec.of("meeting").with("reward", rule.ordinal()))
        .policy(Policy.linear())
        .environments(PAIR)
        .baseline(Baseline.NONE)
        .device(device)
        .threads(1);
  }

  List<Trajectory> trajectories() {
    return trajectories;
  }

  private double[] probability(TheoremCase one) {
    double[][] policy = Meeting.policy(logit(one));
    return trajectories.stream().mapToDouble(each -> each.probability(policy)).toArray();
  }

  /** [observation][action] of the linear policy whose weights [feature][action] are the case's. */
  private double[][] logit(TheoremCase one) {
    double[][] logit = new double[Meeting.FEATURES][Meeting.ACTIONS];
    for (int observation = 0; observation < Meeting.FEATURES; observation++) {
      for (int feature = 0; feature < Meeting.FEATURES; feature++) {
        for (int action = 0; action < Meeting.ACTIONS; action++) {
          logit[observation][action] +=
              features[observation][feature] * one.logit()[feature][action];
        }
      }
    }
    return logit;
  }

  /**
   * The gradient of the expectation of something that a trajectory is worth, by the product rule.
   *
   * @return [case] [feature][action]
   */
  List<double[][]> exact(ToDoubleBiFunction<TheoremCase, Trajectory> worth) {
    List<double[][]> all = new ArrayList<>();
    for (TheoremCase one : cases) {
      double[][] table =
          Meeting.gradient(rule, logit(one), trajectory -> worth.applyAsDouble(one, trajectory));
      double[][] gradient = new double[Meeting.FEATURES][Meeting.ACTIONS];
      for (int observation = 0; observation < Meeting.FEATURES; observation++) {
        for (int feature = 0; feature < Meeting.FEATURES; feature++) {
          for (int action = 0; action < Meeting.ACTIONS; action++) {
            gradient[feature][action] +=
                features[observation][feature] * table[observation][action];
          }
        }
      }
      all.add(gradient);
    }
    return all;
  }

  /** What is still to come at a step, on average over the trajectories through a state. */
  double expectedRewardToGo(TheoremCase one, int step, int observation) {
    double[] probability = probability(one);
    double sum = 0;
    double total = 0;
    for (int index = 0; index < probability.length; index++) {
      Trajectory each = trajectories.get(index);
      if (each.observation()[step][0] == observation) {
        sum += probability[index] * each.rewardToGo(step);
        total += probability[index];
      }
    }
    return total == 0 ? 0 : sum / total;
  }

  /** The sum of the policies' entropies over a trajectory. */
  double entropy(TheoremCase one, Trajectory trajectory) {
    double[][] logit = logit(one);
    double sum = 0;
    for (int row = 0; row < ROWS; row++) {
      int observation = trajectory.observation()[row / Meeting.AGENTS][row % Meeting.AGENTS];
      sum +=
          Softmax.entropy(
              Softmax.logProbability(logit[observation], new boolean[] {true, true, true}));
    }
    return sum;
  }

  private static Group group(EngineConfig config) {
    int rows = config.valueInput() == ValueInput.JOINT ? 1 : Meeting.AGENTS;
    Group.ValueNetwork network =
        config.baseline() == Baseline.LEARNED_VALUE
            ? new Group.ValueNetwork(rows, Meeting.FEATURES * Meeting.AGENTS / rows, 0, 0, 0)
            : null;
    return new Group(
        "agent", 0, Meeting.AGENTS, Meeting.FEATURES, Meeting.ACTIONS, false, 0, 0, 0, network);
  }

  /** Trajectories as a batch, all of them cut by the horizon. */
  private Trajectories batch(
      EngineConfig config, TheoremCase one, List<Trajectory> episodes, Values values) {
    int count = episodes.size();
    Group group = group(config);
    int valueAgents = group.valueNetwork() == null ? 0 : group.valueNetwork().agents();
    Trajectories batch =
        new Trajectories(
            group,
            count,
            Meeting.STEPS,
            new float[ROWS * Meeting.FEATURES * count],
            new int[ROWS * count],
            new float[ROWS * count],
            null,
            null,
            new byte[ROWS * count],
            null,
            new int[count],
            new byte[count],
            valueAgents == 0 ? null : new float[(Meeting.STEPS + 1) * valueAgents * count],
            null);
    for (int environment = 0; environment < count; environment++) {
      Trajectory episode = episodes.get(environment);
      batch.episodeLength()[environment] = Meeting.STEPS;
      batch.truncated()[environment] = 1;
      for (int step = 0; step < Meeting.STEPS; step++) {
        for (int agent = 0; agent < Meeting.AGENTS; agent++) {
          int index = batch.index(step, agent, environment);
          batch.action()[index] = episode.action()[step][agent];
          batch.reward()[index] = (float) episode.reward()[step][agent];
          batch.alive()[index] = 1;
          for (int feature = 0; feature < Meeting.FEATURES; feature++) {
            batch.observation()[batch.observationIndex(step, agent, feature, environment)] =
                (float) features[episode.observation()[step][agent]][feature];
          }
        }
      }
      for (int step = 0; step <= Meeting.STEPS; step++) {
        for (int agent = 0; agent < valueAgents; agent++) {
          batch.value()[batch.valueIndex(step, agent, environment)] =
              (float) values.of(one, step, agent, episode.observation()[step][agent]);
        }
      }
    }
    return batch;
  }

  /**
   * The expectation of the engine's estimator at each policy.
   *
   * @param config of {@link #config()} and more
   * @param past what earlier batches are said to have left
   * @param values of states, null without value networks
   * @return [case] [feature][action]
   */
  List<double[][]> expectations(EngineConfig config, Past past, Values values) {
    List<double[][]> expectations = new ArrayList<>();
    try (Engine engine = Engine.open(config)) {
      write(engine, "baseline", past.mean());
      write(engine, "return_moments", 1, 0, past.deviation() * past.deviation());
      for (TheoremCase one : cases) {
        float[] parameters = engine.parameters();
        for (int feature = 0; feature < Meeting.FEATURES; feature++) {
          for (int action = 0; action < Meeting.ACTIONS; action++) {
            parameters[action * Meeting.FEATURES + feature] = (float) one.logit()[feature][action];
          }
        }
        engine.setParameters(parameters);
        expectations.add(
            config.baseline() == Baseline.LEAVE_ONE_OUT
                ? pairExpectation(engine, one)
                : expectation(engine, one, values));
      }
    }
    return expectations;
  }

  private static void write(Engine engine, String buffer, double... values) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(values);
    engine.writeBuffer(engine.buffer(buffer), bytes);
  }

  /** Each trajectory is a batch of its own; its gradient counts with its probability. */
  private double[][] expectation(Engine engine, TheoremCase one, Values values) {
    double[] probability = probability(one);
    double[][] expectation = new double[Meeting.FEATURES][Meeting.ACTIONS];
    for (int index = 0; index < trajectories.size(); index++) {
      Trajectories alone = batch(engine.config(), one, List.of(trajectories.get(index)), values);
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
  private double[][] pairExpectation(Engine engine, TheoremCase one) {
    double[] probability = probability(one);
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
      Trajectories batch = batch(engine.config(), one, pairs, null);
      float[] weight = weights(engine, batch, cohortFirst);
      for (int index = 0; index < weight.length; index++) {
        int second = index % pairs.size() / PAIR;
        weight[index] = (float) (weight[index] * probability[second] * count);
      }
      add(expectation, gradient(engine, batch, weight), probability[first]);
    }
    return expectation;
  }

  private static float[] weights(Engine engine, Trajectories batch, long[] cohortFirst) {
    return engine
        .weights(
            new Rewards(
                0,
                batch.environments(),
                batch.steps(),
                cohortFirst,
                batch.reward(),
                null,
                null,
                batch.truncated(),
                batch.value()))
        .weight();
  }

  private static float[] gradient(Engine engine, Trajectories batch, float[] weight) {
    return engine.gradientOf(
        new Batch(
            0,
            batch.environments(),
            batch.steps(),
            batch.observation(),
            batch.action(),
            weight,
            null,
            null));
  }

  private static void add(double[][] expectation, float[] gradient, double probability) {
    for (int feature = 0; feature < Meeting.FEATURES; feature++) {
      for (int action = 0; action < Meeting.ACTIONS; action++) {
        expectation[feature][action] += probability * gradient[action * Meeting.FEATURES + feature];
      }
    }
  }

  /**
   * The expectation of the double-precision reference's estimator, for features that are one-hot.
   *
   * @param config of {@link #config()} and more
   * @param past what earlier batches are said to have left
   * @param values of states, null without value networks
   * @return [case] [feature][action]
   */
  List<double[][]> reference(EngineConfig config, Past past, Values values) {
    List<double[][]> expectations = new ArrayList<>();
    for (TheoremCase one : cases) {
      double[] probability = probability(one);
      double[][] expectation = new double[Meeting.FEATURES][Meeting.ACTIONS];
      for (int index = 0; index < trajectories.size(); index++) {
        Trajectory each = trajectories.get(index);
        double[] weight =
            new ReferenceWeights(config, past, batch(config, one, List.of(each), values))
                .weights(new long[] {0, 1});
        for (int row = 0; row < ROWS; row++) {
          int observation = each.observation()[row / Meeting.AGENTS][row % Meeting.AGENTS];
          double[] gradient =
              Softmax.gradient(
                  Softmax.logProbability(
                      one.logit()[observation], new boolean[] {true, true, true}),
                  each.action()[row / Meeting.AGENTS][row % Meeting.AGENTS],
                  weight[row],
                  config.entropyCoefficient());
          for (int action = 0; action < Meeting.ACTIONS; action++) {
            expectation[observation][action] += probability[index] * gradient[action];
          }
        }
      }
      expectations.add(expectation);
    }
    return expectations;
  }
}
