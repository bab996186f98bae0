// Times rollouts of uniformly random actions: rules, observations and drawing, no policy. Holds the
// one list of what stands for the catalogue; prints nothing.
package org.swarmgrad.measurement;

import java.util.ArrayList;
import java.util.List;
import org.swarmgrad.Acting;
import org.swarmgrad.Baseline;
import org.swarmgrad.Device;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Policy;
import org.swarmgrad.Statistics;
import org.swarmgrad.SwarmgradException;

/**
 * Random rollouts of one environment in a stretch of time.
 *
 * @param environment that was played
 * @param agents of all groups
 * @param horizon steps of an episode that nothing ends
 * @param agentStepsPerSecond of each repetition
 * @param environmentStepsPerSecond of each repetition
 */
public record Rollouts(
    EnvironmentSpec environment,
    int agents,
    int horizon,
    List<Double> agentStepsPerSecond,
    List<Double> environmentStepsPerSecond) {
  /** Usual configurations, every environment of the library among them. */
  public static final List<String> CATALOGUE =
      List.of(
          "simple_spread_v3",
          "simple_tag_v3",
          "simple_speaker_listener_v4",
          "simple_reference_v3",
          "meeting",
          "CartPole-v1",
          "Foraging-8x8-2p-2f-v3",
          "Foraging-2s-8x8-2p-2f-coop-v3",
          "Foraging-15x15-4p-5f-v3",
          "rware-tiny-2ag-v2",
          "rware-tiny-4ag-v2",
          "rware-large-8ag-hard-v2",
          "overcooked_cramped_room",
          "overcooked_coord_ring",
          "overcooked_asymm_advantages",
          "overcooked_forced_coord",
          "overcooked_counter_circuit",
          "smax_3m",
          "smax_2s3z",
          "smax_8m",
          "smax_3s5z",
          "climbing",
          "penalty",
          "prisoners_dilemma",
          "stag_hunt",
          "common_interest",
          "crowd-32",
          "crowd-64",
          "crowd-1024");

  private static final int LEAST_REPETITIONS = 3;

  /** So many agent-steps last long enough for the clock and keep all threads busy to the end. */
  private static final long AGENT_STEPS = 1 << 20;

  /** Two cohorts. */
  private static final long LEAST_EPISODES_PER_THREAD = 32;

  private static final long MOST_EPISODES = 1 << 16;

  /**
   * Plays the same episodes again and again.
   *
   * @param environment to play
   * @param device to play on
   * @param threads 0: one per core
   * @param instructionSet to use
   * @param seconds without the first, untimed, repetition; at least 3 repetitions
   * @return every single timing; every answer was checked
   */
  public static Rollouts measure(
      EnvironmentSpec environment,
      Device device,
      int threads,
      InstructionSet instructionSet,
      double seconds) {
    EngineConfig smallest =
        EngineConfig.builder(environment)
            .policy(Policy.linear())
            .environments(1)
            .baseline(Baseline.NONE)
            .device(device)
            .threads(threads)
            .instructionSet(instructionSet)
            .build();
    try (Engine engine = Engine.open(smallest)) {
      int agents = engine.info().agentCount();
      int horizon = engine.info().horizon();
      long episodes =
          Math.clamp(
              AGENT_STEPS / ((long) agents * horizon),
              LEAST_EPISODES_PER_THREAD * engine.info().threads(),
              MOST_EPISODES);
      Rollouts measured =
          new Rollouts(environment, agents, horizon, new ArrayList<>(), new ArrayList<>());
      List<Statistics> expected = engine.evaluate(0, episodes, Acting.RANDOM);
      long begin = System.nanoTime();
      while (measured.agentStepsPerSecond.size() < LEAST_REPETITIONS
          || (System.nanoTime() - begin) * 1e-9 < seconds) {
        measured.repeat(engine, episodes, expected);
      }
      return measured;
    }
  }

  private void repeat(Engine engine, long episodes, List<Statistics> expected) {
    long begin = System.nanoTime();
    List<Statistics> statistics = engine.evaluate(0, episodes, Acting.RANDOM);
    double seconds = (System.nanoTime() - begin) * 1e-9;
    if (!statistics.equals(expected)) {
      throw new SwarmgradException(
          "the answer of the benchmark is wrong: statistics of "
              + environment
              + " are "
              + statistics
              + "; allowed: the same as before, "
              + expected);
    }
    agentStepsPerSecond.add(Answers.check(engine, statistics, episodes) / seconds);
    environmentStepsPerSecond.add(episodes * statistics.get(0).episodeLengthMean() / seconds);
  }
}
