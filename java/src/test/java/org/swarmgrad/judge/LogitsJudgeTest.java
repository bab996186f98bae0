// The engine's arithmetic between logits and gradient, and its sampling, against the reference.
package org.swarmgrad.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.LogitRows;
import org.swarmgrad.Policy;
import org.swarmgrad.TestDevice;
import org.swarmgrad.reference.Softmax;

/**
 * The arithmetic between logits and gradient from identical single-precision logits, and the
 * frequencies of sampled actions.
 */
class LogitsJudgeTest {
  /** Relative to max(1, |expected|): a handful of roundings of exp, log and a sum. */
  private static final double TOLERANCE = 2e-6;

  private static Engine engine;

  @BeforeAll
  static void open() {
    engine =
        Engine.open(
            EngineConfig.builder(EnvironmentSpec.of("meeting"))
                .policy(Policy.linear())
                .environments(2)
                .seed(7)
                .device(TestDevice.DEVICE)
                .build());
  }

  @AfterAll
  static void close() {
    engine.close();
  }

  @Tag("contract")
  @ParameterizedTest
  @CsvSource({"1,1", "2,1e4", "3,1", "5,10", "5,1e4", "9,100", "17,1e3", "50,3", "50,1e4"})
  void logSoftmaxEntropyAndGradient(int actions, double range) {
    int rows = 2003;
    Random random = new Random(actions);
    double entropyCoefficient = 0.5;
    float[] logit = new float[rows * actions];
    byte[] mask = new byte[rows * actions];
    float[] weight = new float[rows];
    int[] action = new int[rows];
    for (int row = 0; row < rows; row++) {
      weight[row] = (float) random.nextGaussian();
      action[row] = random.nextInt(actions);
      for (int choice = 0; choice < actions; choice++) {
        int index = row * actions + choice;
        logit[index] = (float) ((2 * random.nextDouble() - 1) * range);
        mask[index] =
            (byte) (row % 2 == 0 || choice == action[row] || random.nextInt(3) > 0 ? 1 : 0);
      }
      if (row % 5 == 0) {
        // Ties and the far ends of the range.
        Arrays.fill(logit, row * actions, (row + 1) * actions, (float) range);
        logit[row * actions] = (float) (row % 10 == 0 ? -range : range);
      }
    }
    LogitRows.Result found =
        engine.logits(
            new LogitRows(rows, actions, logit, mask, weight, action, 0, entropyCoefficient));
    for (int row = 0; row < rows; row++) {
      double[] z = new double[actions];
      boolean[] available = new boolean[actions];
      for (int choice = 0; choice < actions; choice++) {
        z[choice] = logit[row * actions + choice];
        available[choice] = mask[row * actions + choice] != 0;
      }
      double[] logProbability = Softmax.logProbability(z, available);
      double[] gradient =
          Softmax.gradient(logProbability, action[row], weight[row], entropyCoefficient);
      assertClose("entropy", row, 0, Softmax.entropy(logProbability), found.entropy()[row]);
      for (int choice = 0; choice < actions; choice++) {
        int index = row * actions + choice;
        assertClose(
            "log-probability", row, choice, logProbability[choice], found.logProbability()[index]);
        assertClose("gradient", row, choice, gradient[choice], found.gradient()[index]);
        if (!available[choice]) {
          assertThat(found.gradient()[index]).as("row %d, masked action %d", row, choice).isZero();
        }
      }
    }
  }

  private static void assertClose(String what, int row, int action, double expected, float found) {
    double difference = expected == found ? 0 : Math.abs(found - expected);
    if (!(difference <= TOLERANCE * Math.max(1, Math.abs(expected)))) {
      throw new AssertionError(
          what
              + " of row "
              + row
              + ", action "
              + action
              + ": expected "
              + expected
              + ", found "
              + found);
    }
  }

  /**
   * Sixteen million draws. The rare actions stand first, in the middle and last; a masked one has
   * the largest logit of all. With a fixed seed the statistic is always the same number, so that
   * its bound is no matter of luck.
   */
  @Test
  void sampledActionsHaveTheirProbabilities() {
    double[] probability = {4e-7, 0.5, 0.2, 8e-7, 0.2, 0, 0.09, 0.00999, 1e-5, 6e-7};
    int actions = probability.length;
    int masked = 5;
    int rows = 1 << 20;
    int calls = 16;
    float[] logit = new float[rows * actions];
    byte[] mask = new byte[rows * actions];
    for (int index = 0; index < logit.length; index++) {
      int action = index % actions;
      mask[index] = (byte) (action == masked ? 0 : 1);
      logit[index] = action == masked ? 30 : (float) Math.log(probability[action]);
    }
    long[] count = new long[actions];
    for (int iteration = 0; iteration < calls; iteration++) {
      int[] drawn =
          engine
              .logits(new LogitRows(rows, actions, logit, mask, null, null, iteration, 0))
              .action();
      for (int action : drawn) {
        count[action]++;
      }
    }
    assertThat(count[masked]).as("draws of the masked action").isZero();
    double total = Arrays.stream(probability).sum();
    double statistic = 0;
    for (int action = 0; action < actions; action++) {
      if (action != masked) {
        double expected = probability[action] / total * rows * calls;
        assertThat(expected)
            .as("expected draws of action %d, enough for the statistic", action)
            .isGreaterThan(5);
        assertThat(count[action])
            .as("draws of action %d, expected %f", action, expected)
            .isPositive();
        statistic += (count[action] - expected) * (count[action] - expected) / expected;
      }
    }
    // Chi-square with 8 degrees of freedom exceeds 31.8 with probability 1e-4.
    assertThat(statistic).as("chi-square of %s", Arrays.toString(count)).isLessThan(31.8);
  }

  @Tag("contract")
  @Test
  void drawsOfDifferentRowsAndIterationsDiffer() {
    int rows = 4096;
    float[] logit = new float[rows * 2];
    int[] first = engine.logits(new LogitRows(rows, 2, logit, null, null, null, 0, 0)).action();
    int[] again = engine.logits(new LogitRows(rows, 2, logit, null, null, null, 0, 0)).action();
    int[] next = engine.logits(new LogitRows(rows, 2, logit, null, null, null, 1, 0)).action();
    assertThat(again).isEqualTo(first);
    int equal = 0;
    for (int row = 0; row < rows; row++) {
      equal += first[row] == next[row] ? 1 : 0;
    }
    // Half of 4096 fair coins, five standard deviations of 32 either way.
    assertThat((double) equal).isCloseTo(rows / 2.0, within(160.0));
  }
}
