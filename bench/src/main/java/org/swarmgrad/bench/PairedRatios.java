// Ratios that a busy machine cannot bend: two engines take turns in one run, and the median of
// their pairs is printed. Threads, instruction sets, batch sizes, and policies against the peak.
package org.swarmgrad.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Swarmgrad;
import org.swarmgrad.measurement.Answers;
import org.swarmgrad.measurement.Machine;
import org.swarmgrad.measurement.Throughput;

final class PairedRatios {
  private static final String ENVIRONMENT = "simple_spread_v3";
  private static final String POLICY = "mlp:64x64";
  private static final int ENVIRONMENTS = 4096;
  private static final int MANY_ENVIRONMENTS = 1_000_000;
  private static final double LEARNING_RATE = 1e-5;
  private static final double DEFAULT_SECONDS = 10;
  private static final int LEAST_PAIRS = 3;

  /**
   * One side of a pair lasts at least so long, so that a timer tick or a context switch is small.
   */
  private static final double TURN_SECONDS = 0.2;

  private final double seconds;
  private final String wanted;

  private PairedRatios(double seconds, String wanted) {
    this.seconds = seconds;
    this.wanted = wanted;
  }

  /**
   * Prints a line for each ratio.
   *
   * @param arguments the seconds that a line may take (10), then a word: only lines with it
   */
  static void run(List<String> arguments) {
    double seconds = DEFAULT_SECONDS;
    try {
      seconds = arguments.isEmpty() ? seconds : Double.parseDouble(arguments.get(0));
    } catch (NumberFormatException failure) {
      seconds = Double.NaN;
    }
    if (!(seconds > 0) || arguments.size() > 2) {
      throw new IllegalArgumentException(
          "--ratios is given "
              + arguments
              + "; allowed: seconds above 0, then a word of the lines");
    }
    new PairedRatios(seconds, arguments.size() == 2 ? arguments.get(1) : "").run();
  }

  private void run() {
    int cores = Runtime.getRuntime().availableProcessors();
    int threads = Math.min(2, cores);
    say(
        "%s, %d cores; whole iterations of %s, learning included",
        Machine.processorName(), cores, ENVIRONMENT);
    say("%-44s %8s   %s", "", "median", "middle half, pairs");
    ratio(
        threads + " threads : 1 thread, agent-steps/s",
        config(POLICY, ENVIRONMENTS, threads, "auto"),
        config(POLICY, ENVIRONMENTS, 1, "auto"));
    if (Swarmgrad.isAvailable(InstructionSet.AVX512)) {
      ratio(
          "avx2 : avx512, agent-steps/s",
          config(POLICY, ENVIRONMENTS, 0, "avx2"),
          config(POLICY, ENVIRONMENTS, 0, "avx512"));
    }
    // The speeds the other way round, which is the time an agent-step takes.
    ratio(
        MANY_ENVIRONMENTS + " : " + ENVIRONMENTS + " environments, time",
        config(POLICY, ENVIRONMENTS, 0, "auto"),
        config(POLICY, MANY_ENVIRONMENTS, 0, "auto"));
    for (String policy : List.of("linear", POLICY)) {
      EngineConfig natively = config(policy, ENVIRONMENTS, 0, "auto");
      ratio(
          "rules in Java : native, " + policy.replace('x', ',') + ", time",
          natively,
          natively.toBuilder().environment(JavaGames.of(ENVIRONMENT)).build());
    }
    say("%n%-44s %8s   %s", "", "fraction", "of the peak; million agent-steps/s, GFLOP/s peak");
    fraction("linear", ENVIRONMENTS);
    fraction("mlp:64x64", ENVIRONMENTS);
    fraction("mlp:128x128", ENVIRONMENTS);
    fraction("mlp:256x256", ENVIRONMENTS);
    fraction("mlp:1024x1024", ENVIRONMENTS / 8);
  }

  private static EngineConfig config(String policy, int environments, int threads, String isa) {
    return EngineBenchmark.config(ENVIRONMENT, policy, environments, threads, isa);
  }

  /** The speed of one engine by that of another. */
  private void ratio(String name, EngineConfig numerator, EngineConfig denominator) {
    if (!name.contains(wanted)) {
      return;
    }
    List<Double> ratios = new ArrayList<>();
    try (Engine first = Engine.open(numerator);
        Engine second = Engine.open(denominator)) {
      turn(first);
      turn(second);
      long begin = System.nanoTime();
      while (ratios.size() < LEAST_PAIRS || (System.nanoTime() - begin) * 1e-9 < seconds) {
        // Whoever begins changes, so that a drift of the machine favours neither.
        boolean forward = ratios.size() % 2 == 0;
        double earlier = turn(forward ? first : second);
        double later = turn(forward ? second : first);
        ratios.add(forward ? earlier / later : later / earlier);
      }
    }
    ratios.sort(null);
    int count = ratios.size();
    say(
        "%-44s %8.3f   %.3f to %.3f, %d",
        name,
        Throughput.median(ratios),
        ratios.get(count / 4),
        ratios.get(count - 1 - count / 4),
        count);
  }

  /** Iterations for a while; agent-steps per second. */
  private static double turn(Engine engine) {
    long agentSteps = 0;
    long begin = System.nanoTime();
    double elapsed = 0;
    while (elapsed < TURN_SECONDS) {
      agentSteps +=
          Answers.check(engine, engine.train(LEARNING_RATE).get(0), engine.config().environments());
      elapsed = (System.nanoTime() - begin) * 1e-9;
    }
    return agentSteps / elapsed;
  }

  /** As `swarmgrad bench` does it. */
  private void fraction(String policy, int environments) {
    String name = policy.replace('x', ',') + ", " + environments + " environments";
    if (!name.contains(wanted)) {
      return;
    }
    try (Engine engine = Engine.open(config(policy, environments, 0, "auto"))) {
      Throughput measured = Throughput.measure(engine, seconds);
      double agentSteps = Throughput.median(measured.agentStepsPerSecond());
      double peak = Throughput.best(measured.peakGflopPerSecond());
      say(
          "%-44s %8.3f   %.3f, %.0f",
          name,
          agentSteps * engine.info().flopPerAgentStep() * 1e-9 / peak,
          agentSteps * 1e-6,
          peak);
    }
  }

  private static void say(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
