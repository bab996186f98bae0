// The engine's statistics against its recorded rows.
package org.swarmgrad.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Policy;
import org.swarmgrad.Recording;
import org.swarmgrad.Statistics;
import org.swarmgrad.TestDevice;
import org.swarmgrad.Trajectories;
import org.swarmgrad.reference.Judge;
import org.swarmgrad.reference.ReferenceGradient;
import org.swarmgrad.reference.ReferencePolicy;
import org.swarmgrad.reference.Softmax;

/** The statistics of a batch worked out again from its recorded rows. */
@Tag("contract")
class StatisticsJudgeTest {
  @ParameterizedTest
  @CsvSource({"simple_spread_v3, 33, 25", "CartPole-v1, 17, 60", "meeting, 100, 2"})
  void statisticsAreThoseOfTheRows(String environment, int environments, int horizon) {
    EngineConfig config =
        EngineConfig.builder(EnvironmentSpec.of(environment))
            .policy(Policy.mlp(16))
            .environments(environments)
            .horizon(horizon)
            .device(TestDevice.DEVICE)
            .build();
    try (Engine engine = Engine.open(config)) {
      JudgedEngine.drawParameters(engine, 3);
      Recording recording = engine.record();
      Trajectories batch = recording.trajectories().getFirst();
      Statistics statistics = recording.gradient().statistics().getFirst();
      int agents = batch.group().agentCount();
      double sum = 0;
      double squares = 0;
      double smallest = Double.POSITIVE_INFINITY;
      double largest = Double.NEGATIVE_INFINITY;
      double steps = 0;
      double weights = 0;
      double absolute = 0;
      double weightSquares = 0;
      long agentSteps = 0;
      for (int episode = 0; episode < environments; episode++) {
        double teamReturn = 0;
        for (int row = 0; row < horizon * agents; row++) {
          int index = row * environments + episode;
          teamReturn += batch.reward()[index];
          if (batch.alive()[index] != 0) {
            agentSteps++;
            weights += batch.weight()[index];
            absolute += Math.abs(batch.weight()[index]);
            weightSquares += (double) batch.weight()[index] * batch.weight()[index];
          }
        }
        sum += teamReturn;
        squares += teamReturn * teamReturn;
        smallest = Math.min(smallest, teamReturn);
        largest = Math.max(largest, teamReturn);
        steps += batch.episodeLength()[episode];
      }
      double mean = sum / environments;
      double norm = 0;
      for (float value : recording.gradient().values()) {
        norm += (double) value * value;
      }
      assertThat(statistics.episodes()).isEqualTo(environments);
      assertThat(statistics.agentSteps()).isEqualTo(agentSteps);
      assertClose("team_return_mean", statistics.teamReturnMean(), mean);
      assertClose(
          "team_return_deviation",
          statistics.teamReturnDeviation(),
          Math.sqrt((squares - environments * mean * mean) / (environments - 1)));
      assertClose("team_return_minimum", statistics.teamReturnMinimum(), smallest);
      assertClose("team_return_maximum", statistics.teamReturnMaximum(), largest);
      assertClose("agent_return_mean", statistics.agentReturnMean(), mean / agents);
      assertClose("episode_length_mean", statistics.episodeLengthMean(), steps / environments);
      assertClose("gradient_norm", statistics.gradientNorm(), Math.sqrt(norm));
      double weightMean = weights / agentSteps;
      assertClose(
          "weight_variance",
          statistics.weightVariance(),
          weightSquares / agentSteps - weightMean * weightMean);
      assertClose(
          "effective_sample_size",
          statistics.effectiveSampleSize(),
          absolute * absolute / weightSquares);
      assertClose("entropy_mean", statistics.entropyMean(), entropySum(engine, batch) / agentSteps);
    }
  }

  private static double entropySum(Engine engine, Trajectories batch) {
    float[] parameters = engine.parameters();
    double[] wide = new double[parameters.length];
    for (int index = 0; index < wide.length; index++) {
      wide[index] = parameters[index];
    }
    ReferencePolicy policy = new ReferencePolicy(new Judge(engine).sizes(0), false, wide);
    double sum = 0;
    for (int step = 0; step < batch.steps(); step++) {
      for (int agent = 0; agent < batch.group().agentCount(); agent++) {
        for (int environment = 0; environment < batch.environments(); environment++) {
          if (batch.alive()[batch.index(step, agent, environment)] != 0) {
            sum +=
                Softmax.entropy(
                    ReferenceGradient.logProbability(
                        policy, batch, step, agent, environment, null));
          }
        }
      }
    }
    return sum;
  }

  private static void assertClose(String name, double found, double expected) {
    assertThat(found).as(name).isCloseTo(expected, within(1e-6 * Math.max(1, Math.abs(expected))));
  }
}
