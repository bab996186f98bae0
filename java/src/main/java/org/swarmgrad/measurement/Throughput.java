// Times whole iterations, rollouts and the machine's own peak in turns, so that all three see the
// same machine; prints nothing.
package org.swarmgrad.measurement;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.swarmgrad.Acting;
import org.swarmgrad.Engine;

/**
 * What an engine did in a stretch of time.
 *
 * @param agentStepsPerSecond of each whole iteration, learning included
 * @param rolloutAgentStepsPerSecond of each evaluation of as many episodes, actions sampled
 * @param peakGflopPerSecond of each repetition of independent fused multiply-adds
 */
public record Throughput(
    List<Double> agentStepsPerSecond,
    List<Double> rolloutAgentStepsPerSecond,
    List<Double> peakGflopPerSecond) {
  /** So small that the policy, and with it the length of episodes, stays what it was. */
  private static final double LEARNING_RATE = 1e-5;

  private static final int LEAST_ROUNDS = 3;
  private static final int PEAKS_PER_ROUND = 2;
  private static final int PEAKS_PER_MEASUREMENT = 20;

  /**
   * Measures until the time is over, at least 3 rounds.
   *
   * @param engine to train; its parameters change
   * @param seconds without the first, untimed, iteration and rollout
   * @return every single timing; every answer was checked
   */
  public static Throughput measure(Engine engine, double seconds) {
    Throughput measured = new Throughput(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    long episodes = engine.config().environments();
    iteration(engine);
    rollout(engine, episodes);
    long begin = System.nanoTime();
    double elapsed = 0;
    for (int round = 0; round < LEAST_ROUNDS || elapsed < seconds; round++) {
      // Peaks are spread evenly over the time, and over the rounds where those are few.
      boolean peakDue =
          round < LEAST_ROUNDS
              || measured.peakGflopPerSecond.size() < PEAKS_PER_MEASUREMENT * elapsed / seconds;
      for (int i = 0; peakDue && i < PEAKS_PER_ROUND; i++) {
        measured.peakGflopPerSecond.add(engine.fmaPeak());
      }
      measured.agentStepsPerSecond.add(iteration(engine));
      measured.rolloutAgentStepsPerSecond.add(rollout(engine, episodes));
      elapsed = (System.nanoTime() - begin) * 1e-9;
    }
    return measured;
  }

  /** One whole iteration; agent-steps per second. */
  private static double iteration(Engine engine) {
    long begin = System.nanoTime();
    var statistics = engine.train(LEARNING_RATE).get(0);
    double seconds = (System.nanoTime() - begin) * 1e-9;
    return Answers.check(engine, statistics, engine.config().environments()) / seconds;
  }

  private static double rollout(Engine engine, long episodes) {
    long begin = System.nanoTime();
    var statistics = engine.evaluate(0, episodes, Acting.SAMPLED);
    double seconds = (System.nanoTime() - begin) * 1e-9;
    return Answers.check(engine, statistics, episodes) / seconds;
  }

  /**
   * The middle value.
   *
   * @param values at least one
   * @return the median
   */
  public static double median(List<Double> values) {
    return Sample.median(values.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /**
   * Standard error of the mean, which stands for that of the median too.
   *
   * @param values at least two
   * @return deviation / sqrt(count)
   */
  public static double standardError(List<Double> values) {
    double mean = stream(values).average().orElseThrow();
    double squares = stream(values).map(value -> (value - mean) * (value - mean)).sum();
    return Math.sqrt(squares / (values.size() - 1) / values.size());
  }

  /**
   * The largest value.
   *
   * @param values at least one
   * @return the best repetition
   */
  public static double best(List<Double> values) {
    return stream(values).max().orElseThrow();
  }

  private static DoubleStream stream(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue);
  }
}
