// Small batches for tests of the reference alone.
package org.swarmgrad.reference;

import java.util.Random;
import org.swarmgrad.Group;
import org.swarmgrad.Group.ValueNetwork;
import org.swarmgrad.Trajectories;

/** Small batches made by hand or at random, for tests of the reference alone. */
final class TestBatches {
  private TestBatches() {}

  static Trajectories rewards(
      int steps, int agents, int environments, float[] reward, byte[] alive, int... episodeLength) {
    Group group = new Group("agent", 0, agents, 1, 1, false, 0, 0, 0, null);
    return new Trajectories(
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
        episodeLength,
        null,
        null,
        null);
  }

  /** Two agents, of a value network with one or two rows a step. */
  static Trajectories random(Random random, int valueRows) {
    int steps = 3;
    int environments = 3;
    Group group =
        new Group(
            "agent",
            0,
            2,
            5,
            4,
            true,
            0,
            0,
            0,
            new ValueNetwork(valueRows, 10 / valueRows, 0, 0, 0));
    int rows = steps * group.agentCount() * environments;
    Trajectories batch =
        new Trajectories(
            group,
            environments,
            steps,
            new float[rows * group.observationSize()],
            new int[rows],
            new float[rows],
            new float[rows],
            new float[rows],
            new byte[rows],
            new byte[rows * group.actionCount()],
            new int[] {steps, steps, steps},
            null,
            null,
            new float[steps * valueRows * environments]);
    for (int index = 0; index < batch.valueError().length; index++) {
      batch.valueError()[index] = (float) random.nextGaussian();
    }
    for (int index = 0; index < batch.observation().length; index++) {
      batch.observation()[index] = (float) random.nextGaussian();
    }
    for (int step = 0; step < steps; step++) {
      for (int agent = 0; agent < group.agentCount(); agent++) {
        for (int environment = 0; environment < environments; environment++) {
          int index = batch.index(step, agent, environment);
          int taken = random.nextInt(group.actionCount());
          batch.action()[index] = taken;
          batch.weight()[index] = (float) random.nextGaussian();
          batch.alive()[index] = (byte) (random.nextInt(4) == 0 ? 0 : 1);
          for (int action = 0; action < group.actionCount(); action++) {
            boolean available = action == taken || random.nextBoolean();
            batch.mask()[batch.maskIndex(step, agent, action, environment)] =
                (byte) (available ? 1 : 0);
          }
        }
      }
    }
    return batch;
  }
}
