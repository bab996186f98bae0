// What the judge tests do with an engine.
package org.swarmgrad.judge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.swarmgrad.Engine;
import org.swarmgrad.Group;
import org.swarmgrad.Recording;
import org.swarmgrad.Trajectories;
import org.swarmgrad.reference.Judge;
import org.swarmgrad.reference.Judge.Finding;

/**
 * What the judge tests do with an engine: parameters worth judging, one batch, every finding
 * asserted.
 */
final class JudgedEngine {
  private JudgedEngine() {}

  /**
   * Freshly initialised last layers are nearly 0, which hides errors: draws every layer at the
   * scale of its inputs instead.
   */
  static void drawParameters(Engine engine, long seed) {
    Random random = new Random(seed);
    float[] parameters = new float[(int) engine.info().parameterCount()];
    Judge judge = new Judge(engine);
    int groups = engine.groups().size();
    boolean values = engine.groups().getFirst().valueNetwork() != null;
    int index = 0;
    for (int network = 0; network < (values ? 2 * groups : groups); network++) {
      int[] sizes = judge.sizes(network);
      for (int layer = 1; layer < sizes.length; layer++) {
        double scale = Math.sqrt((judge.isRelu(network) ? 2.0 : 1.0) / sizes[layer - 1]);
        for (int weight = 0; weight < sizes[layer] * sizes[layer - 1]; weight++) {
          parameters[index++] = (float) (scale * random.nextGaussian());
        }
        for (int bias = 0; bias < sizes[layer]; bias++) {
          parameters[index++] = (float) (0.1 * random.nextGaussian());
        }
      }
    }
    engine.setParameters(parameters);
  }

  /** Records a batch and asserts that it agrees with the reference. */
  static Recording assertAgrees(Engine engine) {
    Recording recording = engine.record();
    for (Trajectories batch : recording.trajectories()) {
      assertRowsEndWithTheEpisode(batch);
    }
    List<Finding> findings = new Judge(engine).judge(recording);
    for (Finding finding : findings) {
      assertThat(finding.agrees()).as("%s on %s", finding, engine.config()).isTrue();
    }
    return recording;
  }

  private static void assertRowsEndWithTheEpisode(Trajectories batch) {
    for (int step = 0; step < batch.steps(); step++) {
      for (int agent = 0; agent < batch.group().agentCount(); agent++) {
        for (int environment = 0; environment < batch.environments(); environment++) {
          int index = batch.index(step, agent, environment);
          boolean ended = step >= batch.episodeLength()[environment];
          if (ended && (batch.alive()[index] != 0 || batch.reward()[index] != 0)) {
            throw new AssertionError(
                "environment "
                    + environment
                    + ", step "
                    + step
                    + ", agent "
                    + agent
                    + ": the episode ended after "
                    + batch.episodeLength()[environment]
                    + " steps, found alive "
                    + batch.alive()[index]
                    + ", reward "
                    + batch.reward()[index]);
          }
        }
      }
    }
  }

  static Group onlyGroup(Engine engine) {
    assertThat(engine.groups()).hasSize(1);
    return engine.groups().getFirst();
  }
}
