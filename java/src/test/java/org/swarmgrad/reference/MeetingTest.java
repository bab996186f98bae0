// The enumerated game and the reference's weights against an independent program.
package org.swarmgrad.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.swarmgrad.AgentReduction;
import org.swarmgrad.Baseline;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Trajectories;
import org.swarmgrad.Weight;
import org.swarmgrad.reference.Meeting.Trajectory;
import org.swarmgrad.reference.ReferenceWeights.Past;

/**
 * The enumerated game and the reference's own weights against numbers made by an independent
 * program.
 */
class MeetingTest {
  /** Sums of 243 products in double: a few units in the last place of numbers around 1. */
  private static final double ROUNDING = 1e-14;

  static Stream<TheoremCase> cases() throws IOException {
    return TheoremCase.all().stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void returnAndGradientAgree(TheoremCase given) {
    assertThat(Meeting.expectedReturn(given.rule(), given.logit()))
        .isCloseTo(given.expectedReturn(), within(ROUNDING));
    assertClose(Meeting.gradient(given.rule(), given.logit()), given.gradient());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void expectationOfEachEstimatorAgrees(TheoremCase given) {
    assertClose(
        expectation(given, Weight.TOTAL_RETURN, AgentReduction.SUM),
        given.estimators().get("total_return"));
    assertClose(
        expectation(given, Weight.REWARD_TO_GO, AgentReduction.SUM),
        given.estimators().get("reward_to_go"));
    assertClose(
        expectation(given, Weight.DISCOUNTED_STATE_WEIGHT, AgentReduction.SUM),
        given.estimators().get("reward_to_go"));
    assertClose(
        expectation(given, Weight.TOTAL_RETURN, AgentReduction.MEAN),
        given.estimators().get("concat_average"));
    assertClose(
        expectation(given, Weight.OWN_RETURN, AgentReduction.SUM),
        given.estimators().get("own_return_only"));
  }

  private static double[][] expectation(
      TheoremCase given, Weight weight, AgentReduction reduction) {
    EngineConfig config =
        EngineConfig.builder("meeting")
            .weight(weight)
            .baseline(Baseline.NONE)
            .agentReduction(reduction)
            .build();
    double[][] policy = Meeting.policy(given.logit());
    double[][] expectation = new double[Meeting.FEATURES][Meeting.ACTIONS];
    List<Trajectory> trajectories = Meeting.trajectories(given.rule());
    assertThat(trajectories).hasSize(243);
    for (Trajectory trajectory : trajectories) {
      double[] weights =
          new ReferenceWeights(config, Past.none(Meeting.STEPS), rewards(trajectory))
              .weights(ReferenceWeights.cohorts(1));
      double probability = trajectory.probability(policy);
      for (int step = 0; step < Meeting.STEPS; step++) {
        for (int agent = 0; agent < Meeting.AGENTS; agent++) {
          int observation = trajectory.observation()[step][agent];
          double[] gradient =
              Softmax.gradient(
                  Softmax.logProbability(
                      given.logit()[observation], new boolean[] {true, true, true}),
                  trajectory.action()[step][agent],
                  weights[step * Meeting.AGENTS + agent],
                  0);
          for (int action = 0; action < Meeting.ACTIONS; action++) {
            expectation[observation][action] += probability * gradient[action] / 20;
          }
        }
      }
    }
    return expectation;
  }

  /**
   * The rewards are multiples of 0.05: as float they are off by 1e-8, so weights are in twentieths.
   */
  private static Trajectories rewards(Trajectory trajectory) {
    float[] reward = new float[Meeting.STEPS * Meeting.AGENTS];
    for (int step = 0; step < Meeting.STEPS; step++) {
      for (int agent = 0; agent < Meeting.AGENTS; agent++) {
        reward[step * Meeting.AGENTS + agent] = Math.round(trajectory.reward()[step][agent] * 20);
      }
    }
    return TestBatches.rewards(
        Meeting.STEPS, Meeting.AGENTS, 1, reward, new byte[] {1, 1, 1, 1}, Meeting.STEPS);
  }

  private static void assertClose(double[][] found, double[][] expected) {
    for (int observation = 0; observation < expected.length; observation++) {
      assertThat(found[observation])
          .as("observation %d", observation)
          .containsExactly(expected[observation], within(ROUNDING));
    }
  }
}
