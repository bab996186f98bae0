// The reference's weights against sums done by hand.
package org.swarmgrad.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.swarmgrad.AgentReduction;
import org.swarmgrad.Baseline;
import org.swarmgrad.Trajectories;
import org.swarmgrad.Weight;

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
    double[] values = ReferenceWeights.values(REWARDS, Weight.REWARD_TO_GO, 0.5);
    double[] mean = ReferenceWeights.meanOverEpisodes(REWARDS, values);
    assertThat(mean).containsExactly(37.125, 41.25, 5.5);
    double[] weights =
        ReferenceWeights.weights(
            REWARDS,
            Weight.REWARD_TO_GO,
            0.5,
            Baseline.PREVIOUS_BATCH,
            ReferenceWeights.cohorts(2),
            mean,
            AgentReduction.MEAN,
            3);
    assertThat(weights[4]).isEqualTo((12.5 - 41.25) * 1.5);
    assertThat(weights[6]).isZero();
  }

  @Test
  void cohortsAreNearEqual() {
    assertThat(ReferenceWeights.cohorts(1)).containsExactly(0, 1);
    assertThat(ReferenceWeights.cohorts(16)).containsExactly(0, 16);
    assertThat(ReferenceWeights.cohorts(17)).containsExactly(0, 8, 17);
    assertThat(ReferenceWeights.cohorts(33)).containsExactly(0, 11, 22, 33);
  }

  private static void assertWeights(Weight weight, Baseline baseline, double... expected) {
    assertThat(
            ReferenceWeights.weights(
                REWARDS,
                weight,
                0.5,
                baseline,
                ReferenceWeights.cohorts(2),
                null,
                AgentReduction.SUM,
                1))
        .as("%s %s", weight, baseline)
        .containsExactly(expected, within(1e-12));
  }
}
