// Made-up rewards through the engine's weights call.
package org.swarmgrad.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.swarmgrad.Engine;
import org.swarmgrad.Group;
import org.swarmgrad.Rewards;
import org.swarmgrad.Trajectories;
import org.swarmgrad.Weights;
import org.swarmgrad.reference.Judge;
import org.swarmgrad.reference.ReferenceWeights;

/**
 * Rewards made up at random, with dead agents and episodes of all lengths, through the engine's
 * weights call.
 */
final class GivenRewards {
  private GivenRewards() {}

  static void assertWeights(Engine engine, int environments, int steps, long[] cohortFirst) {
    Group group = JudgedEngine.onlyGroup(engine);
    Random random = new Random(environments * 31L + steps);
    int rows = steps * group.agentCount() * environments;
    float[] reward = new float[rows];
    byte[] alive = new byte[rows];
    for (int row = 0; row < rows; row++) {
      reward[row] = (float) (10 * random.nextGaussian());
      alive[row] = (byte) (random.nextInt(5) == 0 ? 0 : 1);
    }
    int[] length = random.ints(environments, 1, steps + 1).toArray();
    byte[] truncated = new byte[environments];
    for (int environment = 0; environment < environments; environment++) {
      truncated[environment] = (byte) random.nextInt(2);
    }
    float[] value = null;
    if (group.valueNetwork() != null) {
      value = new float[(steps + 1) * group.valueNetwork().agents() * environments];
      for (int index = 0; index < value.length; index++) {
        value[index] = (float) random.nextGaussian();
      }
    }
    Trajectories batch =
        new Trajectories(
            group,
            environments,
            steps,
            null,
            null,
            reward,
            null,
            null,
            alive,
            null,
            length,
            truncated,
            value,
            null);
    ReferenceWeights reference =
        new ReferenceWeights(engine.config(), new Judge(engine).past(0), batch);
    double[] expected =
        reference.weights(
            cohortFirst == null ? ReferenceWeights.cohorts(environments) : cohortFirst);
    Weights found =
        engine.weights(
            new Rewards(
                0, environments, steps, cohortFirst, reward, alive, length, truncated, value));
    assertClose("weight", found.weight(), expected);
    if (value != null) {
      assertClose("value error", found.valueError(), reference.valueErrors());
    }
  }

  private static void assertClose(String name, float[] found, double[] expected) {
    for (int index = 0; index < expected.length; index++) {
      assertThat((double) found[index])
          .as("%s %d", name, index)
          .isCloseTo(expected[index], within(Math.abs(expected[index]) * 0x1p-23 + 1e-10));
    }
  }
}
