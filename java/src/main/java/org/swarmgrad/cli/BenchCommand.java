// swarmgrad bench: the throughput of one configuration on this machine, beside the machine's own
// peak and, if asked, its history; or random rollouts of the whole catalogue. The full suite is the
// bench module's.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.swarmgrad.Device;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EngineInfo;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.measurement.BenchmarkResult;
import org.swarmgrad.measurement.Comparison;
import org.swarmgrad.measurement.History;
import org.swarmgrad.measurement.Machine;
import org.swarmgrad.measurement.Rollouts;
import org.swarmgrad.measurement.Throughput;
import org.swarmgrad.measurement.Workload;

final class BenchCommand implements Command {
  private static final double DEFAULT_SECONDS = 10;
  private static final double DEFAULT_ROLLOUT_SECONDS = 1;
  private static final Path DEFAULT_HISTORY = Path.of("bench", "history");

  @Override
  public String name() {
    return "bench";
  }

  @Override
  public String summary() {
    return "Measure agent-steps per second, learning included.";
  }

  @Override
  public String usage() {
    return "bench [options], or bench --catalogue [options]";
  }

  @Override
  public String example() {
    return "bench --env simple_spread_v3 --policy mlp:64,64 --envs 4096 --seconds 10";
  }

  @Override
  public Options options() {
    Options options = EngineOptions.add(new Options());
    Arguments.value(
        options,
        "seconds",
        "SECONDS",
        "how long to measure, at least 3 iterations (10; each of --catalogue 1)");
    Arguments.flag(
        options, "catalogue", "time rollouts of uniformly random actions in every environment");
    Arguments.flag(
        options, "compare", "set results beside the history; no change of speed is a failure");
    Arguments.value(options, "history", "FOLDER", "history of --compare (" + DEFAULT_HISTORY + ")");
    return Arguments.json(options);
  }

  @Override
  public int run(CommandLine line, Terminal terminal) throws IOException {
    boolean rollouts = line.hasOption("catalogue");
    double seconds =
        Arguments.getDouble(line, "seconds", rollouts ? DEFAULT_ROLLOUT_SECONDS : DEFAULT_SECONDS);
    if (seconds <= 0) {
      throw new UsageException(
          "--seconds is '" + line.getOptionValue("seconds") + "'; allowed: above 0");
    }
    if (line.hasOption("history") && !line.hasOption("compare")) {
      throw new UsageException("--history is given without --compare; allowed: together with it");
    }
    if (rollouts) {
      return catalogue(line, seconds, terminal);
    }
    EngineConfig defaults =
        EngineConfig.builder(EnvironmentSpec.of(Workload.DEFAULT_ENVIRONMENT)).build();
    try (Interrupt interrupt = new Interrupt();
        Engine engine = Engine.open(EngineOptions.config(line, defaults, terminal))) {
      interrupt.watch(engine);
      Stall.watch(engine, terminal);
      Throughput measured = Throughput.measure(engine, seconds);
      ObjectNode result = report(engine, measured, terminal);
      if (line.hasOption("compare")) {
        Path folder = Arguments.get(line, "history", Path::of, DEFAULT_HISTORY);
        compare(new History(folder), engine, measured, result, terminal);
      }
      terminal.result(result);
      return 0;
    }
  }

  /** One line an environment, printed as soon as it is known. */
  private static int catalogue(CommandLine line, double seconds, Terminal terminal) {
    List<String> allowed = List.of("catalogue", "seconds", "device", "threads", "isa", "json");
    for (Option option : line.getOptions()) {
      if (!allowed.contains(option.getLongOpt())) {
        throw new UsageException(
            "--"
                + option.getLongOpt()
                + " is given together with --catalogue; allowed: --seconds, --device, --threads,"
                + " --isa, --json");
      }
    }
    Device device = EngineOptions.device(line, Device.CPU, terminal);
    int threads = Arguments.getInt(line, "threads", 0, 0, 4096);
    InstructionSet isa = Arguments.get(line, "isa", InstructionSet::parse, InstructionSet.AUTO);
    terminal.say(
        "uniformly random actions, %s, %s threads, %s, %s; million steps/s, medians",
        device, threads == 0 ? "all" : threads, isa, Machine.processorName());
    terminal.say("%-32s %6s %8s %14s %14s", "", "agents", "horizon", "environment", "agent");
    ObjectNode result = Json.object().put("device", device.toString());
    result.put("threads", threads).put("isa", isa.toString());
    result.put("cpu", Machine.processorName());
    ArrayNode array = result.putArray("rollouts");
    for (String id : Rollouts.CATALOGUE) {
      Rollouts measured =
          Rollouts.measure(EnvironmentSpec.parse(id), device, threads, isa, seconds);
      double environmentSteps = Throughput.median(measured.environmentStepsPerSecond());
      double agentSteps = Throughput.median(measured.agentStepsPerSecond());
      terminal.say(
          "%-32s %6d %8d %14.3f %14.3f",
          id, measured.agents(), measured.horizon(), environmentSteps * 1e-6, agentSteps * 1e-6);
      ObjectNode object = array.addObject().put("environment", id);
      object.put("agents", measured.agents()).put("horizon", measured.horizon());
      object.put("repetitions", measured.agentStepsPerSecond().size());
      object.put("environment_steps_per_s", environmentSteps);
      object.put("agent_steps_per_s", agentSteps);
      object.put(
          "agent_steps_per_s_error", Throughput.standardError(measured.agentStepsPerSecond()));
    }
    terminal.result(result);
    return 0;
  }

  private static ObjectNode report(Engine engine, Throughput measured, Terminal terminal) {
    EngineConfig config = engine.config();
    EngineInfo info = engine.info();
    double agentSteps = Throughput.median(measured.agentStepsPerSecond());
    double error = Throughput.standardError(measured.agentStepsPerSecond());
    double rollout = Throughput.median(measured.rolloutAgentStepsPerSecond());
    double useful = agentSteps * info.flopPerAgentStep() * 1e-9;
    double peak = Throughput.best(measured.peakGflopPerSecond());
    long resident = peakResidentBytes();
    String policy = EngineConfig.formatPolicies(config.policies());

    terminal.say(
        "%s: %d agents, %s, %d environments, horizon %d",
        config.environment(), info.agentCount(), policy, config.environments(), info.horizon());
    terminal.say("%s: %s, %s", engine.device(), engine.processor(), Machine.processorName());
    terminal.say("");
    terminal.say(
        "  whole iterations %12.3f million agent-steps/s, learning included; median of %d, +-"
            + " %.1f%%",
        agentSteps * 1e-6, measured.agentStepsPerSecond().size(), 100 * error / agentSteps);
    terminal.say("  rollouts         %12.3f million agent-steps/s", rollout * 1e-6);
    terminal.say(
        "  useful work      %12.1f GFLOP/s, %d FLOP an agent-step",
        useful, info.flopPerAgentStep());
    terminal.say(
        "  multiply-add peak%12.1f GFLOP/s, best of %d",
        peak, measured.peakGflopPerSecond().size());
    terminal.say("  fraction of peak %12.3f", useful / peak);
    terminal.say(
        "  memory           %12.3f MB a cohort, %.1f MB the engine, %s",
        info.bytesPerCohort() * 1e-6,
        info.bytesTotal() * 1e-6,
        resident == 0
            ? "peak of the process unknown (no /proc/self/status)"
            : String.format(Locale.ROOT, "%.1f MB the process at its peak", resident * 1e-6));

    ObjectNode result = Json.object().put("environment", config.environment().id());
    result.put("agents", info.agentCount()).put("policy", policy);
    result.set("parameters", Json.MAPPER.valueToTree(config.environment().parameters()));
    result.put("environments", config.environments()).put("horizon", info.horizon());
    result.put("threads", info.threads()).put("isa", info.instructionSet().toString());
    result.put("device", engine.device().toString()).put("cpu", Machine.processorName());
    result.put("iterations", measured.agentStepsPerSecond().size());
    result.put("agent_steps_per_s", agentSteps).put("agent_steps_per_s_error", error);
    result.put("rollout_agent_steps_per_s", rollout);
    result.put("flop_per_agent_step", info.flopPerAgentStep());
    result.put("useful_gflop_per_s", useful).put("fma_peak_gflop_per_s", peak);
    result.put("fma_peak_repetitions", measured.peakGflopPerSecond().size());
    result.put("fraction_of_peak", useful / peak);
    result.put("bytes_per_cohort", info.bytesPerCohort()).put("bytes_total", info.bytesTotal());
    result.put("peak_resident_bytes", resident);
    if (resident == 0) {
      result.put("peak_resident_note", "unknown: this system has no /proc/self/status");
    }
    return result;
  }

  /** Most memory that this process ever held, in bytes; 0 where the system does not say. */
  private static long peakResidentBytes() {
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
          .findFirst()
          .orElse(0);
    } catch (IOException absent) {
      return 0;
    }
  }

  /** This measurement and the newest results of the machine beside what came before them. */
  private static void compare(
      History history, Engine engine, Throughput measured, ObjectNode result, Terminal terminal)
      throws IOException {
    List<BenchmarkResult> earlier = history.read();
    Machine machine = Machine.here();
    List<Comparison> comparisons = new ArrayList<>();
    for (BenchmarkResult now :
        List.of(
            result("iteration", engine, machine, measured.agentStepsPerSecond()),
            result("rollout", engine, machine, measured.rolloutAgentStepsPerSecond()))) {
      Comparison.latest(earlier, now)
          .ifPresentOrElse(
              comparisons::add,
              () ->
                  terminal.note(
                      "swarmgrad: %s holds no result of %s %s on this machine",
                      history.folder(), now.benchmark(), now.parameters()));
    }
    comparisons.addAll(Comparison.newest(earlier, machine));
    ArrayNode array = result.putArray("comparison");
    if (!comparisons.isEmpty()) {
      terminal.say("%n  beside the history (a change counts beyond 10%% and 3 errors)");
    }
    for (Comparison comparison : comparisons) {
      BenchmarkResult before = comparison.before();
      BenchmarkResult now = comparison.now();
      terminal.say(
          "  %-6s %+6.1f%%  %.4g -> %.4g %s  %s -> %s  %s %s",
          comparison.verdict(),
          100 * comparison.change(),
          before.score(),
          now.score(),
          now.unit(),
          before.commit(),
          now.commit(),
          now.benchmark(),
          now.parameters());
      ObjectNode object = array.addObject().put("benchmark", now.benchmark());
      object.set("parameters", Json.MAPPER.valueToTree(now.parameters()));
      object.put("unit", now.unit()).put("before", before.score()).put("now", now.score());
      object.put("before_error", before.error()).put("now_error", now.error());
      object.put("before_commit", before.commit()).put("now_commit", now.commit());
      object.put("change", comparison.change()).put("verdict", comparison.verdict().toString());
    }
  }

  private static BenchmarkResult result(
      String benchmark, Engine engine, Machine machine, List<Double> agentStepsPerSecond) {
    return new BenchmarkResult(
        benchmark,
        Workload.parameters(engine),
        Throughput.median(agentStepsPerSecond),
        Throughput.standardError(agentStepsPerSecond),
        BenchmarkResult.AGENT_STEPS_PER_SECOND,
        machine,
        "this run",
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
  }
}
