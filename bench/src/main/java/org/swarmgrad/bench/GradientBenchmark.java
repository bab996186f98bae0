// The gradient of a given batch alone: policy forward and backward, reduction, and the copies
// between Java arrays and native memory; no environment.
package org.swarmgrad.bench;

import java.util.Arrays;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Setup;
import org.swarmgrad.Batch;
import org.swarmgrad.Engine;
import org.swarmgrad.Recording;
import org.swarmgrad.Trajectories;
import org.swarmgrad.measurement.Answers;

/** One recorded batch, whose gradient must be the same bits every time. */
public class GradientBenchmark extends EngineBenchmark {
  private static final double TOLERANCE = 1e-5;

  private Batch batch;
  private long agentSteps;
  private float[] expected;

  /** Records a batch and compares its gradient with the one made while it was played. */
  @Setup(Level.Trial)
  public void open() {
    engine = Engine.open(config());
    Recording recording = engine.record();
    agentSteps = Answers.check(engine, recording.gradient().statistics(), environments);
    batch = lived(recording.trajectories().get(0));
    expected = engine.gradientOf(batch);
    double difference = relativeDifference(expected, recording.gradient().values());
    require(
        difference <= TOLERANCE,
        "the batch's gradient differs from the recorded one by "
            + difference
            + " of its norm; allowed: "
            + TOLERANCE);
  }

  /** Up to the end of the longest episode: what is after it costs time and changes nothing. */
  private static Batch lived(Trajectories played) {
    int steps = Arrays.stream(played.episodeLength()).max().orElseThrow();
    int cells = steps * played.group().agentCount() * played.environments();
    byte[] mask = played.mask();
    return new Batch(
        0,
        played.environments(),
        steps,
        Arrays.copyOf(played.observation(), cells * played.group().observationSize()),
        Arrays.copyOf(played.action(), cells),
        Arrays.copyOf(played.weight(), cells),
        Arrays.copyOf(played.alive(), cells),
        mask == null ? null : Arrays.copyOf(mask, cells * played.group().actionCount()));
  }

  private static double relativeDifference(float[] values, float[] reference) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < reference.length; i++) {
      difference = Math.hypot(difference, (double) values[i] - reference[i]);
      norm = Math.hypot(norm, reference[i]);
    }
    return difference / norm;
  }

  /** The gradient of the first group. */
  @Benchmark
  public float[] gradient(Counter counter) {
    float[] gradient = engine.gradientOf(batch);
    require(Arrays.equals(gradient, expected), "the same batch gave another gradient");
    counter.agentSteps += agentSteps;
    return gradient;
  }
}
