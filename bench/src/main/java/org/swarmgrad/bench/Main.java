// Runs the benchmarks and appends their results to the history, or hands over to the table of
// scores; a benchmark whose answer is wrong makes the run fail.
package org.swarmgrad.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.swarmgrad.Engine;
import org.swarmgrad.measurement.BenchmarkResult;
import org.swarmgrad.measurement.History;
import org.swarmgrad.measurement.Machine;
import org.swarmgrad.measurement.Workload;

/** The entry of benchmarks.jar. */
public final class Main {
  private static final Path DEFAULT_HISTORY = Path.of("bench", "history");
  private static final String AGENT_STEPS = "agentSteps";

  private Main() {}

  /**
   * Runs benchmarks and exits: 0 success, 1 failure, 2 wrong use.
   *
   * @param arguments JMH's own after --history FOLDER or --no-history, if wanted; or --ratios
   *     [SECONDS [WORD]], --scores, --climbing, --script or --plot
   */
  public static void main(String[] arguments) {
    int status = run(arguments);
    System.out.flush();
    System.exit(status);
  }

  /** Returns the exit status. */
  static int run(String... arguments) {
    List<String> rest = new ArrayList<>(List.of(arguments));
    try {
      if (!rest.isEmpty()) {
        List<String> values = rest.subList(1, rest.size());
        switch (rest.get(0)) {
          case "--ratios":
            PairedRatios.run(values);
            return 0;
          case "--scores":
            return ScoreTable.run(values);
          case "--climbing":
            return Climbing.run(values);
          case "--script":
            SpeakerScript.run(values);
            return 0;
          case "--plot":
            Charts.run(values);
            return 0;
          default:
            break; // JMH's
        }
      }
      Path folder = historyFolder(rest);
      CommandLineOptions options = new CommandLineOptions(rest.toArray(String[]::new));
      if (options.shouldHelp() || options.shouldList() || options.shouldListWithParams()) {
        System.out.println(
            "--ratios [SECONDS [WORD]] prints ratios of paired turns.\n"
                + ScoreTable.USAGE
                + ".\n"
                + Climbing.USAGE
                + ".\n"
                + SpeakerScript.USAGE
                + ".\n"
                + Charts.USAGE
                + ".\n"
                + "First, before JMH's options: --history FOLDER (bench/history), or"
                + " --no-history\n");
        org.openjdk.jmh.Main.main(rest.toArray(String[]::new));
        return 0;
      }
      measure(options, folder);
      return 0;
    } catch (CommandLineOptionException | IllegalArgumentException failure) {
      return fail(failure.getMessage(), 2);
    } catch (NoBenchmarksException failure) {
      return fail("no benchmark matches " + rest + "; -l lists them", 1);
    } catch (RunnerException | IOException failure) {
      return fail(failure.getMessage(), 1);
    }
  }

  private static int fail(String message, int status) {
    System.err.println("benchmarks: " + message);
    return status;
  }

  private static void measure(CommandLineOptions options, Path folder)
      throws RunnerException, IOException {
    String commit = commit();
    String date = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    Collection<RunResult> measured =
        new Runner(new OptionsBuilder().parent(options).shouldFailOnError(true).build()).run();
    List<BenchmarkResult> results = results(measured, Machine.here(), commit, date);
    results.forEach(Main::print);
    if (folder != null) {
      new History(folder).append(results);
      System.out.println(results.size() + " results appended to " + folder);
    }
  }

  /** Takes --history FOLDER or --no-history away from the arguments; null: keep no history. */
  private static Path historyFolder(List<String> arguments) {
    if (!arguments.isEmpty() && arguments.get(0).equals("--no-history")) {
      arguments.remove(0);
      return null;
    }
    if (arguments.size() > 1 && arguments.get(0).equals("--history")) {
      arguments.remove(0);
      return Path.of(arguments.remove(0));
    }
    if (!Files.isDirectory(DEFAULT_HISTORY.getParent())) {
      throw new IllegalArgumentException(
          "there is no folder "
              + DEFAULT_HISTORY.getParent()
              + " here; run from the root of the sources, or give --history FOLDER or --no-history"
              + " first");
    }
    return DEFAULT_HISTORY;
  }

  /** What goes into the history. */
  static List<BenchmarkResult> results(
      Collection<RunResult> measured, Machine machine, String commit, String date) {
    List<BenchmarkResult> results = new ArrayList<>();
    for (RunResult run : measured) {
      Result<?> agentSteps = run.getSecondaryResults().get(AGENT_STEPS);
      Result<?> score = agentSteps == null ? run.getPrimaryResult() : agentSteps;
      String name = run.getParams().getBenchmark();
      results.add(
          new BenchmarkResult(
              name.substring(name.lastIndexOf('.') + 1),
              agentSteps == null ? plainParameters(run) : workload(run.getParams()),
              score.getScore(),
              score.getStatistics().getStandardDeviation()
                  / Math.sqrt(score.getStatistics().getN()),
              agentSteps == null
                  ? BenchmarkResult.NANOSECONDS_PER_CALL
                  : BenchmarkResult.AGENT_STEPS_PER_SECOND,
              machine,
              commit,
              date));
    }
    return results;
  }

  private static SortedMap<String, String> plainParameters(RunResult run) {
    SortedMap<String, String> parameters = new TreeMap<>();
    for (String key : run.getParams().getParamsKeys()) {
      parameters.put(key, run.getParams().getParam(key));
    }
    return parameters;
  }

  /** The names that `swarmgrad bench` gives to the same configuration. */
  private static SortedMap<String, String> workload(BenchmarkParams parameters) {
    try (Engine engine =
        Engine.open(
            EngineBenchmark.config(
                parameters.getParam("environment"),
                parameters.getParam("policy"),
                Long.parseLong(parameters.getParam("environments")),
                Integer.parseInt(parameters.getParam("threads")),
                parameters.getParam("isa")))) {
      return Workload.parameters(engine);
    }
  }

  private static void print(BenchmarkResult result) {
    System.out.printf(
        "%-18s %14.4g +- %8.2g %s  %s%n",
        result.benchmark(), result.score(), result.error(), result.unit(), result.parameters());
  }

  /** Of the working directory, with "-changed" where sources differ from it. */
  private static String commit() throws IOException {
    String commit = git("rev-parse", "--short=12", "HEAD");
    if (commit.isEmpty()) {
      return "unknown";
    }
    String changes = git("status", "--porcelain", "--", ".", ":!" + DEFAULT_HISTORY);
    return changes.isEmpty() ? commit : commit + "-changed";
  }

  /** What git prints; empty where it fails or is absent. */
  private static String git(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("git"));
    command.addAll(List.of(arguments));
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return process.waitFor() == 0 ? output : "";
    } catch (InterruptedException stopped) {
      throw new IOException("interrupted while git ran", stopped);
    } catch (IOException absent) {
      return "";
    }
  }
}
