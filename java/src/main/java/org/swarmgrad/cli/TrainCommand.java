// swarmgrad train: opens an engine and a run folder, lets a Trainer work until a limit, and says
// what came of it.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.swarmgrad.Acting;
import org.swarmgrad.CancelledException;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSource;
import org.swarmgrad.Group;
import org.swarmgrad.Schedule;
import org.swarmgrad.Schedules;
import org.swarmgrad.Statistics;
import org.swarmgrad.Trainer;
import org.swarmgrad.Trainer.StopReason;
import org.swarmgrad.Trainer.TrainedBatch;

final class TrainCommand implements Command {
  private static final double CHECKPOINT_SECONDS = 30;
  private static final int INTERRUPTED = 130;

  @Override
  public String name() {
    return "train";
  }

  @Override
  public String summary() {
    return "Train a policy and keep it in a run folder.";
  }

  @Override
  public String usage() {
    return "train --env ID [options], or train --resume runs/NAME [options]";
  }

  @Override
  public String example() {
    return "train --env simple_spread_v3 --agents 3 --policy mlp:64,64 --seconds 45 --seed 7";
  }

  @Override
  public Options options() {
    Options options = EngineOptions.add(new Options());
    Arguments.value(
        options,
        "learning-rate",
        "RATE",
        "of the first iteration; without it what suits the environment");
    Arguments.value(
        options,
        "value-learning-rate",
        "RATE",
        "of learned-value's networks, on the same schedule; without it --learning-rate");
    Arguments.value(
        options,
        "final-entropy",
        "FACTOR",
        "to which --entropy goes in a straight line; without it it stays");
    Arguments.value(
        options,
        "schedule",
        "KIND",
        "constant, or linear or cosine down to 0; without it what suits the environment");
    Arguments.value(
        options,
        "schedule-iterations",
        "COUNT",
        "when the schedules reach their end; without it what suits the environment, or --iterations\n"
            + "where --schedule is given");
    Arguments.value(
        options, "iterations", "COUNT", "stop at this many, counted from the very first");
    Arguments.value(
        options,
        "seconds",
        "SECONDS",
        "stop after this time; never changes the schedule (without any limit: after the iterations\n"
            + "that suit the environment, or 45 s where none are known)");
    Arguments.value(
        options, "until-return", "[GROUP=]X", "stop when a batch's mean team return reaches X");
    Arguments.value(options, "out", "FOLDER", "run folder; without it runs/ENV-NUMBER");
    Arguments.value(
        options, "resume", "FOLDER", "go on from this run folder's checkpoint, with the same bits");
    Arguments.value(
        options,
        "checkpoint-every",
        "COUNT",
        "iterations between checkpoints; without it every 30 s");
    Arguments.value(
        options,
        "iterations-per-call",
        "COUNT",
        "iterations in one native call, for small problems");
    Arguments.value(
        options, "evaluate", "COUNT", "episodes of the evaluation at the end, 0 for none (2000)");
    return Arguments.json(options);
  }

  /** When to stop: iterations since the very first, seconds of this run, a team return. */
  private record Limits(long iterations, double seconds, String untilReturn) {
    ObjectNode json() {
      ObjectNode object = Json.object();
      if (iterations != Long.MAX_VALUE) {
        object.put("iterations", iterations);
      }
      if (Double.isFinite(seconds)) {
        object.put("seconds", seconds);
      }
      if (untilReturn != null) {
        object.put("until_return", untilReturn);
      }
      return object;
    }

    static Limits fromJson(JsonNode object) {
      return new Limits(
          object.path("iterations").asLong(Long.MAX_VALUE),
          object.path("seconds").asDouble(Double.POSITIVE_INFINITY),
          object.path("until_return").asText(null));
    }

    /** The limits on the command line; where it has none, `otherwise`. */
    static Limits parse(CommandLine line, Limits otherwise) {
      if (!line.hasOption("iterations")
          && !line.hasOption("seconds")
          && !line.hasOption("until-return")) {
        return otherwise;
      }
      double seconds = Arguments.getDouble(line, "seconds", Double.POSITIVE_INFINITY);
      if (seconds <= 0) {
        throw new UsageException(
            "--seconds is '" + line.getOptionValue("seconds") + "'; allowed: above 0");
      }
      return new Limits(
          Arguments.getLong(line, "iterations", Long.MAX_VALUE, 1, Long.MAX_VALUE),
          seconds,
          line.getOptionValue("until-return"));
    }
  }

  /** Everything that is settled before the engine opens. */
  private record Plan(
      EngineConfig config,
      Schedules schedules,
      Limits limits,
      Checkpoint checkpoint,
      Path folder) {}

  @Override
  public int run(CommandLine line, Terminal terminal) throws Exception {
    int perCall = Arguments.getInt(line, "iterations-per-call", 1, 1, 1 << 20);
    long checkpointEvery =
        Arguments.getLong(line, "checkpoint-every", Long.MAX_VALUE, 1, Long.MAX_VALUE);
    long evaluate = Arguments.getLong(line, "evaluate", 2000, 0, Integer.MAX_VALUE);
    Plan plan = line.hasOption("resume") ? resumed(line, terminal) : fresh(line, terminal);
    try (Interrupt interrupt = new Interrupt();
        Engine engine = Engine.open(plan.config)) {
      interrupt.watch(engine);
      Stall.watch(engine, terminal);
      if (plan.checkpoint != null) {
        EngineOptions.sayBackendChange(plan.checkpoint, engine, terminal);
      }
      Trainer trainer =
          plan.checkpoint == null
              ? new Trainer(engine, plan.schedules)
              : Trainer.resume(engine, plan.checkpoint);
      if (plan.limits.untilReturn != null) {
        trainer.stopWhen(untilReturn(plan.limits.untilReturn, engine.groups()));
      }
      if (Double.isFinite(plan.limits.seconds)) {
        trainer.stopWhen(batch -> batch.seconds() >= plan.limits.seconds);
      }
      trainer.iterationsPerCall(perCall).checkpointEvery(checkpointEvery);
      if (checkpointEvery == Long.MAX_VALUE) {
        trainer.checkpointEverySeconds(CHECKPOINT_SECONDS);
      }
      try (RunFolder folder = open(plan)) {
        return train(plan, engine, trainer, folder, evaluate, terminal);
      }
    }
  }

  private static Plan fresh(CommandLine line, Terminal terminal) {
    TrainDefaults defaults = TrainDefaults.of(EngineOptions.environment(line));
    EngineConfig config = EngineOptions.config(line, defaults.config(), terminal);
    Limits limits =
        Limits.parse(line, new Limits(defaults.iterations(), defaults.seconds(), null));
    String out = line.getOptionValue("out");
    Schedules schedules = schedules(line, defaults.schedules(), limits.iterations);
    return new Plan(config, schedules, limits, null, out == null ? null : Path.of(out));
  }

  private static Schedules schedules(CommandLine line, Schedules otherwise, long iterations) {
    double rate = Arguments.getDouble(line, "learning-rate", otherwise.learningRate().start());
    double valueRate =
        Arguments.getDouble(
            line,
            "value-learning-rate",
            line.hasOption("learning-rate") ? rate : otherwise.valueLearningRate().start());
    Schedule.Shape shape =
        Arguments.get(line, "schedule", Schedule.Shape::parse, otherwise.learningRate().shape());
    double entropy = Arguments.getDouble(line, "entropy", otherwise.entropy().start());
    double finalEntropy =
        Arguments.getDouble(
            line, "final-entropy", line.hasOption("entropy") ? entropy : otherwise.entropy().end());
    Schedule.Shape entropyShape =
        entropy == finalEntropy ? Schedule.Shape.CONSTANT : Schedule.Shape.LINEAR;
    Schedule learning = otherwise.learningRate();
    return new Schedules(
        schedule(line, "--schedule", shape, rate, 0, ends(learning, shape, iterations)),
        schedule(line, "--schedule", shape, valueRate, 0, ends(learning, shape, iterations)),
        schedule(
            line,
            "--final-entropy",
            entropyShape,
            entropy,
            finalEntropy,
            ends(otherwise.entropy(), entropyShape, iterations)));
  }

  /** When a schedule ends if the command line does not say. */
  private static long ends(Schedule otherwise, Schedule.Shape shape, long iterations) {
    return otherwise.shape() == shape ? otherwise.iterations() : iterations;
  }

  private static Schedule schedule(
      CommandLine line,
      String option,
      Schedule.Shape shape,
      double start,
      double end,
      long unstated) {
    if (shape == Schedule.Shape.CONSTANT) {
      return Schedule.constant(start);
    }
    long horizon = Arguments.getLong(line, "schedule-iterations", unstated, 1, Long.MAX_VALUE);
    if (horizon == Long.MAX_VALUE) {
      throw new UsageException(
          option
              + " is "
              + line.getOptionValue(option.substring(2))
              + " with no end; allowed: together with --iterations or --schedule-iterations");
    }
    return new Schedule(shape, start, end, horizon);
  }

  private static Plan resumed(CommandLine line, Terminal terminal) throws IOException {
    Path folder = Path.of(line.getOptionValue("resume"));
    if (line.hasOption("out")) {
      throw new UsageException(
          "--out is given together with --resume, which goes on in "
              + folder
              + "; allowed: one of them");
    }
    EngineOptions.loadEnvironment(line);
    Checkpoint checkpoint = Checkpoint.load(folder.resolve(RunFolder.CHECKPOINT));
    EngineConfig config = EngineOptions.config(line, checkpoint.config(), terminal);
    Schedules schedules = schedules(line, checkpoint.schedules(), Long.MAX_VALUE);
    List<String> differences = new ArrayList<>(checkpoint.config().differences(config));
    if (!schedules.equals(checkpoint.schedules())) {
      differences.add("schedules: " + checkpoint.schedules().toMap() + ", " + schedules.toMap());
    }
    if (!differences.isEmpty()) {
      throw new UsageException(
          "--resume goes on with the same training, these would change it (run, command line): "
              + String.join("; ", differences));
    }
    Limits limits =
        Limits.parse(line, Limits.fromJson(RunFolder.readConfig(folder).path("limits")));
    if (limits.iterations < checkpoint.iteration()) {
      throw new UsageException(
          "--iterations is "
              + limits.iterations
              + ", the run is at "
              + checkpoint.iteration()
              + "; allowed: at least that");
    }
    return new Plan(config, checkpoint.schedules(), limits, checkpoint, folder);
  }

  private static RunFolder open(Plan plan) throws IOException {
    if (plan.checkpoint != null) {
      return RunFolder.resume(plan.folder, plan.checkpoint);
    }
    ObjectNode config = Json.object();
    config.set("config", Json.MAPPER.valueToTree(plan.config.toMap()));
    config.set("schedules", Json.MAPPER.valueToTree(new TreeMap<>(plan.schedules.toMap())));
    config.set("limits", plan.limits.json());
    Path folder =
        plan.folder == null ? RunFolder.unused(plan.config.environment().id()) : plan.folder;
    RunFolder run = RunFolder.create(folder, config);
    Optional<EnvironmentSource> source = plan.config.environment().source();
    if (source.isPresent()) {
      source.get().copyTo(folder.resolve(RunFolder.ENVIRONMENT));
    }
    return run;
  }

  /** "X" for the only group, or "GROUP=X". */
  private static Predicate<TrainedBatch> untilReturn(String text, List<Group> groups) {
    int equals = text.indexOf('=');
    List<String> names = groups.stream().map(Group::name).toList();
    int group = equals < 0 ? 0 : names.indexOf(text.substring(0, equals));
    if (group < 0 || (equals < 0 && groups.size() > 1)) {
      throw new UsageException(
          "--until-return is '" + text + "'; allowed: GROUP=X with GROUP one of " + names);
    }
    double goal = Arguments.parseDouble("--until-return", text.substring(equals + 1));
    return batch -> batch.groups().get(group).teamReturnMean() >= goal;
  }

  private static int train(
      Plan plan, Engine engine, Trainer trainer, RunFolder folder, long evaluate, Terminal terminal)
      throws IOException {
    describe(engine, folder, terminal);
    long first = engine.iteration();
    List<TrainedBatch> last = new ArrayList<>();
    trainer.checkpoints(checkpoint -> unchecked(() -> folder.save(checkpoint)));
    folder.save(trainer.checkpoint());
    long iterations =
        plan.limits.iterations == Long.MAX_VALUE ? Long.MAX_VALUE : plan.limits.iterations - first;
    Trainer.Outcome outcome;
    try (TrainProgress progress =
        new TrainProgress(terminal, first, trainer.agentSteps(), iterations, plan.limits.seconds)) {
      trainer.onBatch(
          batch -> {
            unchecked(() -> folder.log(batch, engine));
            progress.show(batch);
            last.clear();
            last.add(batch);
          });
      outcome = trainer.train(iterations);
    }
    return report(engine, trainer, outcome, last, folder, evaluate, terminal);
  }

  private static void describe(Engine engine, RunFolder folder, Terminal terminal) {
    EngineConfig config = engine.config();
    terminal.say(
        "%s: %d %s, %s, %d parameters, %d episodes per batch, %s: %s",
        config.environment(),
        engine.info().agentCount(),
        engine.info().agentCount() == 1 ? "agent" : "agents",
        EngineConfig.formatPolicies(config.policies()),
        engine.info().parameterCount(),
        config.environments(),
        engine.device(),
        engine.processor());
    terminal.say("run folder %s", folder.path());
  }

  private static int report(
      Engine engine,
      Trainer trainer,
      Trainer.Outcome outcome,
      List<TrainedBatch> last,
      RunFolder folder,
      long evaluate,
      Terminal terminal) {
    boolean interrupted = outcome.reason() == StopReason.CANCELLED;
    terminal.say(
        "%d iterations, %.1f million agent-steps in %.1f s (%.2f million agent-steps/s)",
        outcome.iterations(),
        outcome.agentSteps() * 1e-6,
        outcome.seconds(),
        outcome.seconds() > 0 ? outcome.agentSteps() / outcome.seconds() * 1e-6 : 0);
    List<Statistics> trained = last.isEmpty() ? List.of() : last.get(0).groups();
    if (evaluate > 0 && !interrupted) {
      try {
        trained = compare(engine, trainer, evaluate, terminal);
      } catch (CancelledException cancelled) {
        interrupted = true;
      }
    }
    String hash = engine.parametersSha256();
    if (!interrupted) {
      terminal.say("see how it does: swarmgrad eval --run %s", folder.path());
    }
    terminal.say("train it further: swarmgrad train --resume %s --seconds 60", folder.path());
    terminal.say("parameters_sha256 %s", hash);
    ObjectNode result =
        Json.object()
            .put("iterations", engine.iteration())
            .put("agent_steps", trainer.agentSteps());
    result.put("seconds", outcome.seconds()).put("interrupted", interrupted);
    if (!trained.isEmpty()) {
      Json.perGroup(
          result,
          engine.groups(),
          trained,
          (object, group) -> object.put("team_return_mean", group.teamReturnMean()));
    }
    result.put("run", folder.path().toString()).put("parameters_sha256", hash);
    if (interrupted) {
      terminal.note(
          "swarmgrad: interrupted after iteration %d; checkpoint in %s",
          engine.iteration(), folder.path());
    }
    terminal.result(result);
    return interrupted ? INTERRUPTED : 0;
  }

  /**
   * Random against trained play on the same evaluation episodes; returns the trained one's
   * statistics.
   */
  private static List<Statistics> compare(
      Engine engine, Trainer trainer, long episodes, Terminal terminal) {
    List<Statistics> random = trainer.evaluate(episodes, Acting.RANDOM);
    List<Statistics> trained = trainer.evaluate(episodes, Acting.SAMPLED);
    for (Group group : engine.groups()) {
      int index = engine.groups().indexOf(group);
      terminal.say(
          "team return%s over %d new episodes: random play %.2f +- %.2f, trained %.2f +- %.2f",
          engine.groups().size() == 1 ? "" : " of " + group.name(),
          episodes,
          random.get(index).teamReturnMean(),
          random.get(index).teamReturnConfidence95(),
          trained.get(index).teamReturnMean(),
          trained.get(index).teamReturnConfidence95());
    }
    return trained;
  }

  /** A file operation inside a listener. */
  private interface FileWork {
    void run() throws IOException;
  }

  private static void unchecked(FileWork work) {
    try {
      work.run();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
