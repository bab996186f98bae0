// Three iterations worked out again from what an environment written in Java saw of them: that each
// uses value networks, means, deviations and moments as they stood before it.
package org.swarmgrad.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swarmgrad.Baseline;
import org.swarmgrad.Cohort;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Environment;
import org.swarmgrad.Gradient;
import org.swarmgrad.Group;
import org.swarmgrad.JavaEnvironment;
import org.swarmgrad.Optimizer;
import org.swarmgrad.Policy;
import org.swarmgrad.Rates;
import org.swarmgrad.Scale;
import org.swarmgrad.Trajectories;
import org.swarmgrad.ValueInput;
import org.swarmgrad.Weight;
import org.swarmgrad.reference.Judge;
import org.swarmgrad.reference.ReferenceGradient;
import org.swarmgrad.reference.ReferenceMoments;
import org.swarmgrad.reference.ReferencePolicy;
import org.swarmgrad.reference.ReferenceWeights;
import org.swarmgrad.reference.ReferenceWeights.Past;

class EarlierIterationsTest {
  private static final int EPISODES = 21;
  private static final int HORIZON = 6;
  private static final int[] COUNT = {2, 3};
  private static final int[] FEATURES = {3, 2};
  private static final int[] ACTIONS = {3, 2};
  private static final Rates RATES = new Rates(0.02, 0.05, 0.3);

  /** Weights and inputs rounded to single precision on the way, by the test and by the engine. */
  private static final double TOLERANCE = 5e-6;

  /** What the environment wrote and was told, of all groups' agents; the states' last one too. */
  private static final class Log {
    private final float[][][][] observation = new float[HORIZON + 1][5][3][EPISODES];
    private final boolean[][][] alive = new boolean[HORIZON + 1][5][EPISODES];
    private final int[][][] action = new int[HORIZON][5][EPISODES];
    private final float[][][] reward = new float[HORIZON][5][EPISODES];
    private final int[] length = new int[EPISODES];
    private final boolean[] ended = new boolean[EPISODES];
  }

  /**
   * Two walkers and three guards drift about. Whoever strays too far is dead, which costs its team;
   * chance ends episodes.
   */
  private static final class Drift implements Environment {
    private final List<Log> logs;
    private final float[][] place = new float[5][Cohort.MAXIMUM];
    private int state;

    Drift(List<Log> logs) {
      this.logs = logs;
    }

    @Override
    public List<Agents> groups() {
      return List.of(
          new Agents("walker", COUNT[0], FEATURES[0], ACTIONS[0]),
          new Agents("guard", COUNT[1], FEATURES[1], ACTIONS[1]));
    }

    @Override
    public int horizon() {
      return HORIZON;
    }

    @Override
    public void reset(Cohort cohort) {
      state = 0;
      for (float[] agent : place) {
        for (int e = 0; e < cohort.episodes(); e++) {
          agent[e] = cohort.uniform(e, -1, 2);
        }
      }
    }

    @Override
    public void observe(Cohort cohort) {
      for (int e = 0; e < cohort.episodes(); e++) {
        for (int agent = 0; agent < 5; agent++) {
          float[] seen = {10 * place[agent][e] + 5, place[(agent + 1) % 5][e], 0.1f * state};
          logs.getLast().alive[state][agent][cohort.environment(e)] = cohort.alive(agent, e);
          for (int feature = 0; feature < FEATURES[agent < 2 ? 0 : 1]; feature++) {
            cohort.observe(agent, feature, e, seen[feature]);
            logs.getLast().observation[state][agent][feature][cohort.environment(e)] =
                seen[feature];
          }
        }
      }
    }

    @Override
    public void step(Cohort cohort) {
      Log log = logs.getLast();
      state = cohort.step() + 1;
      for (int e = 0; e < cohort.episodes(); e++) {
        if (cohort.playing(e)) {
          int environment = cohort.environment(e);
          for (int agent = 0; agent < 5; agent++) {
            int action = cohort.action(agent, e);
            place[agent][e] += 0.4f * action - 0.3f + cohort.uniform(e, -0.5f, 0.5f);
            float reward = cohort.alive(agent, e) ? place[agent][e] : -0.5f;
            cohort.reward(agent, e, reward);
            log.action[state - 1][agent][environment] = action;
            log.reward[state - 1][agent][environment] = reward;
            if (Math.abs(place[agent][e]) > 2) {
              cohort.alive(agent, e, false);
            }
          }
          log.length[environment] = state;
          if (cohort.uniform(e) < 0.1f) {
            cohort.end(e);
            log.ended[environment] = true;
          }
        }
      }
    }
  }

  /** What earlier batches left of one group, from their logs. */
  private static final class Earlier {
    private final ReferenceMoments returns = new ReferenceMoments();
    private final ReferenceMoments[] features;
    private double[] mean = new double[HORIZON];

    Earlier(Group group) {
      features = new ReferenceMoments[group.observationSize()];
      Arrays.setAll(features, feature -> new ReferenceMoments());
    }
  }

  @ParameterizedTest
  @CsvSource({"joint, 1, false", "own, 1, false", "joint, 0.6, false", "joint, 0.9, true"})
  void iterationsUseWhatEarlierOnesLeft(String input, double lambda, boolean bootstrap) {
    List<Log> logs = new ArrayList<>();
    EngineConfig config =
        EngineConfig.builder(JavaEnvironment.of("drift", () -> new Drift(logs)))
            .policies(List.of(Policy.mlp(5), Policy.linear()))
            .valuePolicies(List.of(Policy.mlp(4, 3), Policy.mlp(6)))
            .environments(EPISODES)
            .weight(Weight.REWARD_TO_GO)
            .baseline(Baseline.LEARNED_VALUE)
            .valueInput(ValueInput.parse(input))
            .lambda(lambda)
            .bootstrap(bootstrap)
            .observationNormalisation(true)
            .scale(Scale.RUNNING_DEVIATION)
            .discount(0.9)
            .entropyCoefficient(RATES.entropyCoefficient())
            .optimizer(Optimizer.SGD)
            .threads(1)
            .build();
    try (Engine engine = Engine.open(config)) {
      JudgedEngine.drawParameters(engine, 4);
      float[] drawn = engine.parameters();
      List<Earlier> earlier = engine.groups().stream().map(Earlier::new).toList();
      for (int iteration = 0; iteration < 3; iteration++) {
        logs.add(new Log());
        float[] before = engine.parameters();
        Gradient gradient = engine.gradient();
        for (int group = 0; group < 2; group++) {
          judge(engine, group, logs.getLast(), earlier.get(group), gradient);
        }
        engine.step(gradient.values(), RATES);
        assertStepped(engine, before, gradient.values());
      }
      String stepByStep = engine.parametersSha256();
      try (Engine whole = Engine.open(config)) {
        whole.setParameters(drawn);
        whole.train(RATES, RATES, RATES);
        assertThat(whole.parametersSha256()).isEqualTo(stepByStep);
      }
    }
  }

  private static void assertStepped(Engine engine, float[] before, float[] gradient) {
    float[] after = engine.parameters();
    long values = engine.groups().getFirst().valueNetwork().parameterOffset();
    for (int index = 0; index < after.length; index++) {
      double rate = index < values ? RATES.learningRate() : RATES.valueLearningRate();
      assertThat((double) after[index])
          .as("parameter %d", index)
          .isCloseTo(before[index] + rate * gradient[index], within(1e-6));
    }
  }

  private static void judge(Engine engine, int index, Log log, Earlier earlier, Gradient gradient) {
    Group group = engine.groups().get(index);
    EngineConfig config = engine.config();
    int valueAgents = group.valueNetwork().agents();
    // One step more than there is, for the value of the last state.
    Trajectories states = batch(group, HORIZON + 1, log, earlier, null, null, null);
    ReferencePolicy network = network(engine, 2 + index);
    float[] value = new float[(HORIZON + 1) * valueAgents * EPISODES];
    for (int step = 0; step <= HORIZON; step++) {
      for (int row = 0; row < valueAgents; row++) {
        for (int environment = 0; environment < EPISODES; environment++) {
          value[states.valueIndex(step, row, environment)] =
              (float) ReferenceGradient.value(network, states, step, row, environment, null);
        }
      }
    }
    Past past = new Past(earlier.mean, earlier.returns.deviation());
    ReferenceWeights weights =
        new ReferenceWeights(config, past, batch(group, HORIZON, log, earlier, value, null, null));
    Trajectories batch =
        batch(
            group,
            HORIZON,
            log,
            earlier,
            value,
            narrow(weights.weights(ReferenceWeights.cohorts(EPISODES))),
            narrow(weights.valueErrors()));
    assertGradient(
        engine,
        index,
        group.parameterOffset(),
        ReferenceGradient.gradient(
            network(engine, index),
            batch,
            RATES.entropyCoefficient(),
            (int) group.parameterCount(),
            null,
            null),
        gradient);
    assertGradient(
        engine,
        2 + index,
        group.valueNetwork().parameterOffset(),
        ReferenceGradient.valueGradient(
            network, batch, (int) group.valueNetwork().parameterCount(), null, null),
        gradient);
    assertThat(gradient.statistics().get(index).scale()).isCloseTo(weights.factor(), within(1e-9));

    // Only now: the batch counts for later ones.
    earlier.mean = weights.meanOverEpisodes();
    Arrays.stream(weights.teamReturns()).forEach(earlier.returns::add);
    for (int environment = 0; environment < EPISODES; environment++) {
      for (int step = 0; step < log.length[environment]; step++) {
        for (int agent = 0; agent < group.agentCount(); agent++) {
          int who = group.firstAgent() + agent;
          if (log.alive[step][who][environment]) {
            for (int feature = 0; feature < group.observationSize(); feature++) {
              earlier.features[feature].add(log.observation[step][who][feature][environment]);
            }
          }
        }
      }
    }
  }

  private static ReferencePolicy network(Engine engine, int network) {
    Group group = engine.groups().get(network % 2);
    long offset = network < 2 ? group.parameterOffset() : group.valueNetwork().parameterOffset();
    int[] sizes = new Judge(engine).sizes(network);
    double[] parameters = new double[ReferencePolicy.parameterCount(sizes)];
    for (int parameter = 0; parameter < parameters.length; parameter++) {
      parameters[parameter] = engine.parameters()[(int) offset + parameter];
    }
    return new ReferencePolicy(sizes, false, parameters);
  }

  private static void assertGradient(
      Engine engine, int network, long offset, double[] expected, Gradient found) {
    Judge.Finding finding =
        Judge.compareGradient(
            network < 2 ? "policy" : "value",
            new Judge(engine).sizes(network),
            expected,
            found.values(),
            (int) offset,
            TOLERANCE,
            0);
    assertThat(finding.agrees())
        .as("iteration %d, network %d: %s", engine.iteration(), network, finding)
        .isTrue();
  }

  private static float[] narrow(double[] values) {
    float[] narrowed = new float[values.length];
    for (int index = 0; index < values.length; index++) {
      narrowed[index] = (float) values[index];
    }
    return narrowed;
  }

  /** The log of one group as networks see it: normalised, and 0 where nobody lives. */
  private static Trajectories batch(
      Group group,
      int steps,
      Log log,
      Earlier earlier,
      float[] value,
      float[] weight,
      float[] valueError) {
    int rows = steps * group.agentCount() * EPISODES;
    byte[] truncated = new byte[EPISODES];
    for (int environment = 0; environment < EPISODES; environment++) {
      truncated[environment] = (byte) (log.ended[environment] ? 0 : 1);
    }
    Trajectories batch =
        new Trajectories(
            group,
            EPISODES,
            steps,
            new float[rows * group.observationSize()],
            new int[rows],
            new float[rows],
            null,
            weight,
            new byte[rows],
            null,
            log.length,
            truncated,
            value,
            valueError);
    for (int step = 0; step < steps; step++) {
      for (int agent = 0; agent < group.agentCount(); agent++) {
        int who = group.firstAgent() + agent;
        for (int environment = 0; environment < EPISODES; environment++) {
          int index = batch.index(step, agent, environment);
          boolean last = step == HORIZON;
          boolean lives =
              log.alive[step][who][environment]
                  && (last ? truncated[environment] != 0 : step < log.length[environment]);
          batch.alive()[index] = (byte) (lives ? 1 : 0);
          if (!last && step < log.length[environment]) {
            batch.action()[index] = log.action[step][who][environment];
            batch.reward()[index] = log.reward[step][who][environment];
          }
          for (int feature = 0; lives && feature < group.observationSize(); feature++) {
            batch.observation()[batch.observationIndex(step, agent, feature, environment)] =
                (float)
                    earlier.features[feature].normalise(
                        log.observation[step][who][feature][environment]);
          }
        }
      }
    }
    return batch;
  }
}
