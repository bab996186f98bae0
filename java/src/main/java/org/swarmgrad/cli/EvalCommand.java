// swarmgrad eval: plays new episodes with a trained policy, or with random actions, and reports the
// returns.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.swarmgrad.Acting;
import org.swarmgrad.Baseline;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.Device;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Policy;
import org.swarmgrad.Statistics;

final class EvalCommand implements Command {
  private static final long DEFAULT_EPISODES = 10_000;

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
    Arguments.flag(options, "greedy", "take the most probable action in place of a drawn one");
    EngineOptions.addMachine(options);
    return Arguments.json(options);
  }

  @Override
  public int run(CommandLine line, Terminal terminal) throws IOException {
    if (line.hasOption("run") == line.hasOption("random")) {
      throw new UsageException(
          "give --run FOLDER or --random --env ID; allowed: exactly one of them");
    }
    for (String name : List.of("greedy", "best")) {
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
    Path folder = Path.of(line.getOptionValue("run"));
    EngineOptions.loadEnvironment(line);
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
      return play(
          engine, episodes, line.hasOption("greedy") ? Acting.GREEDY : Acting.SAMPLED, terminal);
    }
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
      return play(engine, episodes, Acting.RANDOM, terminal);
    }
  }

  private static int play(Engine engine, long episodes, Acting acting, Terminal terminal) {
    List<Statistics> statistics = engine.evaluate(0, episodes, acting);
    for (Statistics group : statistics) {
      terminal.say(
          "%s: team return %.3f +- %.3f (95%%), per agent %.3f, episode length %.1f, %d episodes,"
              + " %s actions",
          engine.groups().get(group.group()).name(),
          group.teamReturnMean(),
          group.teamReturnConfidence95(),
          group.agentReturnMean(),
          group.episodeLengthMean(),
          group.episodes(),
          acting);
    }
    ObjectNode result = Json.object().put("environment", engine.config().environment().toString());
    result.put("acting", acting.toString()).put("episodes", episodes);
    Json.perGroup(result, engine.groups(), statistics, Json::returns);
    terminal.result(result);
    return 0;
  }
}
