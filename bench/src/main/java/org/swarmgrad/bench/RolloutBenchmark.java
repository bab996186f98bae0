// Rollouts alone: environments, policy forward, sampling; no gradient.
package org.swarmgrad.bench;

import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Setup;
import org.swarmgrad.Acting;
import org.swarmgrad.Engine;
import org.swarmgrad.Statistics;
import org.swarmgrad.measurement.Answers;

/** The same episodes every time, whose statistics must be the same bits. */
public class RolloutBenchmark extends EngineBenchmark {
  private List<Statistics> expected;

  /** Opens the engine and plays the episodes once. */
  @Setup(Level.Trial)
  public void open() {
    engine = Engine.open(config());
    expected = engine.evaluate(0, environments, Acting.SAMPLED);
  }

  /** As many episodes as a batch has. */
  @Benchmark
  public void rollout(Counter counter) {
    List<Statistics> statistics = engine.evaluate(0, environments, Acting.SAMPLED);
    require(statistics.equals(expected), "statistics " + statistics + " after " + expected);
    counter.agentSteps += Answers.check(engine, statistics, environments);
  }
}
