// Made-up rewards through the engine's weights call.
package org.swarmgrad.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.swarmgrad.Engine;
import org.swarmgrad.Group;
import org.swarmgrad.Rewards;
import org.swarmgrad.Trajectories;
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
            null,
            null,
            null);
    double[] expected =
        ReferenceWeights.weights(
            batch,
            engine.config().weight(),
            engine.config().discount(),
            engine.config().baseline(),
            cohortFirst == null ? ReferenceWeights.cohorts(environments) : cohortFirst,
            new double[steps],
            engine.config().agentReduction(),
            1);
    float[] found =
        engine
            .weights(
                new Rewards(0, environments, steps, cohortFirst, reward, alive, length, null, null))
            .weight();
    for (int step = 0; step < steps; step++) {
      for (int agent = 0; agent < group.agentCount(); agent++) {
        for (int environment = 0; environment < environments; environment++) {
          int index = batch.index(step, agent, environment);
          assertThat((double) found[index])
              .as("environment %d, step %d, agent %d", environment, step, agent)
              .isCloseTo(expected[index], within(Math.abs(expected[index]) * 0x1p-23 + 1e-10));
        }
      }
    }
  }
}
