// swarmgrad eval: plays new episodes with a trained policy, or with random actions, and reports the
// returns.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.swarmgrad.Acting;
import org.swarmgrad.Baseline;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.Device;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Group;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Policy;
import org.swarmgrad.Statistics;

final class EvalCommand implements Command {
  private static final long DEFAULT_EPISODES = 10_000;
  private static final String RANDOM_GROUP = "random-group";

  @Override
  public String name() {
    return "eval";
  }

  @Override
  public String summary() {
    return "Play new episodes and report the returns.";
  }

  @Override
  public String usage() {
    return "eval --run runs/NAME [options], or eval --random --env ID [options]";
  }

  @Override
  public String example() {
    return "eval --run runs/simple_spread_v3-001 --episodes 10000 --greedy";
  }

  @Override
  public Options options() {
    Options options = new Options();
    Arguments.value(options, "run", "FOLDER", "play the policy of this run folder");
    Arguments.flag(
        options, "best", "play its best policy by the evaluations on the way, not its last");
    Arguments.flag(options, "random", "play uniformly random actions in --env");
    EngineOptions.addEnvironment(options);
    Arguments.value(options, "seed", "SEED", "seed of --random, 0 to 2^64 - 1");
    Arguments.value(
        options,
        "horizon",
        "STEPS",
        "steps of an episode of --random; 0: the environment's own (0)");
    Arguments.value(options, "episodes", "COUNT", "episodes to play (" + DEFAULT_EPISODES + ")");
    Arguments.flag(options, "sampled", "draw actions only, as in training; without it both ways");
    Arguments.flag(options, "greedy", "take the most probable actions only; without it both ways");
    options.addOption(
        Option.builder()
            .longOpt(RANDOM_GROUP)
            .hasArg()
            .argName("GROUP")
            .desc("this group plays uniformly random actions against --run's; may be repeated")
            .get());
    EngineOptions.addMachine(options);
    return Arguments.json(options);
  }

  @Override
  public int run(CommandLine line, Terminal terminal) throws IOException {
    if (line.hasOption("run") == line.hasOption("random")) {
      throw new UsageException(
          "give --run FOLDER or --random --env ID; allowed: exactly one of them");
    }
    for (String name : List.of("greedy", "sampled", "best", RANDOM_GROUP)) {
      if (line.hasOption("random") && line.hasOption(name)) {
        throw new UsageException(
            "--" + name + " is given together with --random; allowed: with --run");
      }
    }
    long episodes = Arguments.getLong(line, "episodes", DEFAULT_EPISODES, 1, Integer.MAX_VALUE);
    return line.hasOption("run")
        ? trained(line, episodes, terminal)
        : random(line, episodes, terminal);
  }

  private static int trained(CommandLine line, long episodes, Terminal terminal)
      throws IOException {
    for (String name : List.of("agents", "param", "seed", "horizon")) {
      if (line.hasOption(name)) {
        throw new UsageException(
            "--" + name + " is given together with --run, which fixes it; allowed: with --random");
      }
    }
    if (line.hasOption("greedy") && line.hasOption("sampled")) {
      throw new UsageException(
          "--greedy is given together with --sampled; allowed: one of them, or none for both");
    }
    EngineOptions.loadEnvironment(line);
    Path folder = Path.of(line.getOptionValue("run"));
    List<Path> runs = RunFolder.trainings(folder);
    if (runs.equals(List.of(folder))) {
      terminal.result(trained(folder, line, episodes, terminal));
      return 0;
    }
    List<JsonNode> results = new ArrayList<>();
    for (Path run : runs) {
      terminal.say("%s", run);
      results.add(trained(run, line, episodes, terminal).put("run", run.toString()));
    }
    ObjectNode summary = Json.object();
    Summary.putReturns(summary, "", results, terminal);
    if (results.get(0).has(Acting.GREEDY.toString())) {
      String greedy = Acting.GREEDY.toString();
      Summary.putReturns(
          summary.putObject(greedy),
          ", greedy",
          results.stream().map(result -> result.get(greedy)).toList(),
          terminal);
    }
    summary.putArray("seeds").addAll(results);
    terminal.result(summary);
    return 0;
  }

  private static ObjectNode trained(Path folder, CommandLine line, long episodes, Terminal terminal)
      throws IOException {
    Checkpoint checkpoint =
        RunFolder.checkpoint(
            folder, line.hasOption("best") ? RunFolder.BEST : RunFolder.CHECKPOINT);
    EnvironmentSpec trained = checkpoint.config().environment();
    if (line.hasOption("env")
        && !EngineOptions.environment(line).equals(trained)
        && !EngineOptions.environment(line).equals(EnvironmentSpec.of(trained.id()))) {
      throw new UsageException(
          "--env is '"
              + line.getOptionValue("env")
              + "' together with --run, which fixes it; allowed: a file that holds "
              + trained
              + ", or no --env");
    }
    EngineConfig config =
        checkpoint.config().toBuilder()
            .device(EngineOptions.device(line, Device.CPU, terminal))
            .threads(Arguments.getInt(line, "threads", 0, 0, 4096))
            .instructionSet(Arguments.get(line, "isa", InstructionSet::parse, InstructionSet.AUTO))
            .build();
    try (Engine engine = Engine.open(config)) {
      Stall.watch(engine, terminal);
      EngineOptions.sayBackendChange(checkpoint, engine, terminal);
      checkpoint.restore(engine);
      return play(engine, episodes, actings(line, engine.groups()), terminal);
    }
  }

  /** The ways to play, each [group]. */
  private static List<List<Acting>> actings(CommandLine line, List<Group> groups) {
    List<String> names = groups.stream().map(Group::name).toList();
    List<String> random =
        line.hasOption(RANDOM_GROUP) ? List.of(line.getOptionValues(RANDOM_GROUP)) : List.of();
    for (String name : random) {
      if (!names.contains(name)) {
        throw new UsageException("--random-group is '" + name + "'; allowed: one of " + names);
      }
    }
    List<Acting> ways = new ArrayList<>(List.of(Acting.SAMPLED, Acting.GREEDY));
    if (line.hasOption("sampled")) {
      ways.remove(Acting.GREEDY);
    } else if (line.hasOption("greedy")) {
      ways.remove(Acting.SAMPLED);
    }
    return ways.stream()
        .map(
            way -> names.stream().map(name -> random.contains(name) ? Acting.RANDOM : way).toList())
        .toList();
  }

  private static int random(CommandLine line, long episodes, Terminal terminal) {
    EngineConfig smallest =
        EngineConfig.builder(EngineOptions.environment(line))
            .policy(Policy.linear())
            .environments(1)
            .baseline(Baseline.NONE)
            .build();
    try (Engine engine = Engine.open(EngineOptions.config(line, smallest, terminal))) {
      Stall.watch(engine, terminal);
      List<Acting> acting = Collections.nCopies(engine.groups().size(), Acting.RANDOM);
      terminal.result(play(engine, episodes, List.of(acting), terminal));
      return 0;
    }
  }

  /** Plays the same episodes in each way; the first is the result, the others are named in it. */
  private static ObjectNode play(
      Engine engine, long episodes, List<List<Acting>> ways, Terminal terminal) {
    ObjectNode result = Json.object().put("environment", engine.config().environment().toString());
    for (List<Acting> way : ways) {
      List<Statistics> statistics = engine.evaluate(0, episodes, way);
      for (Statistics group : statistics) {
        terminal.say(
            "%s: team return %.3f +- %.3f (95%%), per agent %.3f, episode length %.1f, %d"
                + " episodes, %s actions",
            engine.groups().get(group.group()).name(),
            group.teamReturnMean(),
            group.teamReturnConfidence95(),
            group.agentReturnMean(),
            group.episodeLengthMean(),
            group.episodes(),
            way.get(group.group()));
      }
      ObjectNode target = way == ways.get(0) ? result : result.putObject(label(way));
      target.put("acting", label(way)).put("episodes", episodes);
      Json.perGroup(
          target,
          engine.groups(),
          statistics,
          (object, group) -> {
            Json.returns(object, group);
            object.put("actions", way.get(group.group()).toString());
          });
    }
    return result;
  }

  /** How the groups act that are not random, where there are any. */
  private static String label(List<Acting> way) {
    return way.stream()
        .filter(acting -> acting != Acting.RANDOM)
        .findFirst()
        .orElse(Acting.RANDOM)
        .toString();
  }
}
