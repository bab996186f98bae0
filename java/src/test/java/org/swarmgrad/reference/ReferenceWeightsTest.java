// The reference's weights against sums done by hand.
package org.swarmgrad.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.swarmgrad.AgentReduction;
import org.swarmgrad.Baseline;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Group;
import org.swarmgrad.Group.ValueNetwork;
import org.swarmgrad.Scale;
import org.swarmgrad.Trajectories;
import org.swarmgrad.Weight;
import org.swarmgrad.reference.ReferenceWeights.Past;

/** The reference's weights against sums done by hand. */
class ReferenceWeightsTest {
  /**
   * Two environments, two agents, three steps; the second episode ends after two, its last reward
   * must not count.
   */
  private static final Trajectories REWARDS =
      TestBatches.rewards(
          3,
          2,
          2,
          new float[] {1, 10, 2, 20, 3, 30, 4, 40, 5, 1000, 6, 1000},
          new byte[] {1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1},
          3,
          2);

  @Test
  void eachDefinitionByHand() {
    // Team rewards: 3, 7, 11 and 30, 70.
    assertWeights(
        Weight.TOTAL_RETURN, Baseline.NONE, 9.25, 65, 9.25, 65, 9.25, 65, 0, 65, 9.25, 0, 0, 0);
    assertWeights(
        Weight.REWARD_TO_GO, Baseline.NONE, 9.25, 65, 9.25, 65, 12.5, 70, 0, 70, 11, 0, 0, 0);
    assertWeights(
        Weight.DISCOUNTED_STATE_WEIGHT,
        Baseline.NONE,
        9.25,
        65,
        9.25,
        65,
        6.25,
        35,
        0,
        35,
        2.75,
        0,
        0,
        0);
    assertWeights(
        Weight.OWN_RETURN, Baseline.NONE, 3.75, 25, 5.5, 40, 3.75, 25, 0, 40, 3.75, 0, 0, 0);
  }

  @Test
  void leaveOneOutCountsEndedEpisodesAsZero() {
    assertWeights(
        Weight.REWARD_TO_GO,
        Baseline.LEAVE_ONE_OUT,
        9.25 - 65,
        65 - 9.25,
        9.25 - 65,
        65 - 9.25,
        12.5 - 70,
        70 - 12.5,
        0,
        70 - 12.5,
        11,
        0,
        0,
        0);
  }

  @Test
  void previousBatchSubtractsItsMeanAndMeanDividesByTheConfiguredAgents() {
    EngineConfig config =
        half()
            .baseline(Baseline.PREVIOUS_BATCH)
            .agentReduction(AgentReduction.MEAN)
            .scale(Scale.RUNNING_DEVIATION)
            .rewardScale(6)
            .build();
    double[] mean = new ReferenceWeights(config, Past.none(3), REWARDS).meanOverEpisodes();
    assertThat(mean).containsExactly(37.125, 41.25, 5.5);
    double[] weights =
        new ReferenceWeights(config, new Past(mean, 2), REWARDS)
            .weights(ReferenceWeights.cohorts(2));
    assertThat(weights[4]).isEqualTo((12.5 - 41.25) * 1.5);
    assertThat(weights[6]).isZero();
  }

  /**
   * A value of 10, 20, 30 more than twice what the network says; the horizon cut the first only.
   */
  private static ReferenceWeights learned(EngineConfig.Builder config, int rows, float... value) {
    Group group =
        new Group("agent", 0, 2, 1, 1, false, 0, 0, 0, new ValueNetwork(rows, 1, 0, 0, 0));
    Trajectories batch =
        new Trajectories(
            group,
            2,
            3,
            null,
            null,
            REWARDS.reward(),
            null,
            null,
            REWARDS.alive(),
            null,
            REWARDS.episodeLength(),
            new byte[] {1, 0},
            value,
            null);
    return new ReferenceWeights(
        config.baseline(Baseline.LEARNED_VALUE).build(),
        new Past(new double[] {10, 20, 30}, 2),
        batch);
  }

  @Test
  void learnedValueIsThePreviousMeanAndWhatTheNetworkAdds() {
    float[] joint = {1, -1, 2, -2, 3, 9, 4, 9};
    // Values 12, 24, 36 and 8, 16 against the returns 9.25, 12.5, 11 and 65, 70.
    ReferenceWeights reference = learned(half(), 1, joint);
    assertThat(reference.weights(ReferenceWeights.cohorts(2)))
        .containsExactly(-2.75, 57, -2.75, 57, -11.5, 54, 0, 54, -25, 0, 0, 0);
    assertThat(reference.valueErrors())
        .containsExactly(-0.375 - 1, 27.5 + 1, -3.75 - 2, 25 + 2, -9.5 - 3, 0);
    float[] own = {1, -1, 0, 5, 2, -2, 7, 1, 3, 9, 7, 9, 4, 9, 7, 9};
    assertThat(learned(half(), 2, own).weights(ReferenceWeights.cohorts(2)))
        .containsExactly(-2.75, 57, -0.75, 45, -11.5, 54, 0, 48, -25, 0, 0, 0);
  }

  @Test
  void lambdaReturnsAndBootstrappingByHand() {
    // Values 12, 24, 36 with 38 after the end, and 8, 16; returns 14.875, 23.5, 30 and 51.5, 70.
    float[] joint = {1, -1, 2, -2, 3, 9, 4, 9};
    ReferenceWeights both = learned(half().lambda(0.5).bootstrap(true), 1, joint);
    assertThat(both.weights(ReferenceWeights.cohorts(2)))
        .containsExactly(2.875, 43.5, 2.875, 43.5, -0.5, 54, 0, 54, -6, 0, 0, 0);
    assertThat(both.valueErrors()).containsExactly(1.4375, 21.75, -0.25, 27, -3, 0);
    ReferenceWeights cut = learned(half().lambda(0.5), 1, joint);
    assertThat(cut.values()[0]).isEqualTo(13.6875);
    assertThat(learned(half().bootstrap(true), 1, joint).values()[0]).isEqualTo(9.25 + 0.125 * 38);
  }

  @Test
  void cohortsAreNearEqual() {
    assertThat(ReferenceWeights.cohorts(1)).containsExactly(0, 1);
    assertThat(ReferenceWeights.cohorts(16)).containsExactly(0, 16);
    assertThat(ReferenceWeights.cohorts(17)).containsExactly(0, 8, 17);
    assertThat(ReferenceWeights.cohorts(33)).containsExactly(0, 11, 22, 33);
  }

  private static EngineConfig.Builder half() {
    return EngineConfig.builder("meeting").environments(2).discount(0.5);
  }

  private static void assertWeights(Weight weight, Baseline baseline, double... expected) {
    EngineConfig config = half().weight(weight).baseline(baseline).build();
    assertThat(
            new ReferenceWeights(config, Past.none(3), REWARDS)
                .weights(ReferenceWeights.cohorts(2)))
        .as("%s %s", weight, baseline)
        .containsExactly(expected, within(1e-12));
  }
}
