// What one call into the engine library costs: the Foreign Function binding that the library has
// against the JNI binding that JavaCPP generates. The work inside the calls is the same and tiny.
package org.swarmgrad.bench;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Group;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Simulator;
import org.swarmgrad.Swarmgrad;

/** Calls with one number, and calls that bring back one agent's observation. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 4, time = 1)
public class CallBenchmark {
  private static final int AGENT = 1;
  private static final long SEED = 7;

  /** Sets the size of an observation: 18 numbers with 3 agents, 180 with 30. */
  @Param({"3", "30"})
  public int agents;

  private Simulator simulator;
  private JniBinding.Simulation simulation;

  /** Opens the same environment through both bindings and compares what they bring back. */
  @Setup(Level.Trial)
  public void open() {
    EnvironmentSpec environment = EnvironmentSpec.of("simple_spread_v3").with("agents", agents);
    simulator = Simulator.open(environment, SEED, InstructionSet.AUTO);
    Group group = simulator.groups().get(0);
    simulation =
        new JniBinding.Simulation(agents, SEED, group.observationSize(), group.actionCount());
    simulator.reset(3, 1);
    simulation.reset(3, 1);
    simulation.observeOffHeap(AGENT);
    float[] expected = ffmObserve().features();
    requireEqual("an array's", expected, jniObserveArray());
    requireEqual("an off-heap", expected, simulation.offHeap());
    for (InstructionSet set : InstructionSet.values()) {
      if (Swarmgrad.isAvailable(set) != (JniBinding.isaAvailable(set.ordinal()) != 0)) {
        throw new IllegalStateException("the bindings disagree on " + set);
      }
    }
  }

  private static void requireEqual(String kind, float[] expected, float[] found) {
    if (!Arrays.equals(expected, found)) {
      throw new IllegalStateException(
          "the bindings disagree on "
              + kind
              + " observation: "
              + Arrays.toString(expected)
              + ", "
              + Arrays.toString(found));
    }
  }

  /** Frees both. */
  @TearDown(Level.Trial)
  public void close() {
    simulator.close();
    simulation.close();
  }

  /** A number in, a number out. */
  @Benchmark
  public boolean ffmNumber() {
    return Swarmgrad.isAvailable(InstructionSet.AVX2);
  }

  /** A number in, a number out. */
  @Benchmark
  public boolean jniNumber() {
    return JniBinding.isaAvailable(InstructionSet.AVX2.ordinal()) != 0;
  }

  /** As the library's users call it: guard against a second thread, call, copy into new arrays. */
  @Benchmark
  public Simulator.Observation ffmObserve() {
    return simulator.observe(AGENT);
  }

  /** Into given Java arrays. */
  @Benchmark
  public float[] jniObserveArray() {
    return simulation.observeArray(AGENT);
  }

  /** Into given memory: no copy. */
  @Benchmark
  public Object jniObserveOffHeap() {
    return simulation.observeOffHeap(AGENT);
  }
}
