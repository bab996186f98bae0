// One training of the command line: an engine, a run folder and a Trainer from the beginning or a
// checkpoint to a limit, and what came of it.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.apache.commons.cli.CommandLine;
import org.swarmgrad.Acting;
import org.swarmgrad.CancelledException;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Group;
import org.swarmgrad.NumericException;
import org.swarmgrad.Statistics;
import org.swarmgrad.Trainer;
import org.swarmgrad.Trainer.Outcome;
import org.swarmgrad.Trainer.StopReason;
import org.swarmgrad.Trainer.TrainedBatch;

final class Training {
  /** Exit status after a signal. */
  static final int INTERRUPTED = 130;

  private static final double CHECKPOINT_SECONDS = 30;

  private final Settings settings;
  private final Habits habits;
  private final Terminal terminal;

  /**
   * What changes no bit of the training.
   *
   * @param iterationsPerCall of the Trainer
   * @param checkpointEvery iterations, Long.MAX_VALUE for every CHECKPOINT_SECONDS
   * @param evaluate episodes of the evaluation at the end, 0 for none
   */
  record Habits(int iterationsPerCall, long checkpointEvery, long evaluate) {
    static Habits parse(CommandLine line) {
      return new Habits(
          Arguments.getInt(line, "iterations-per-call", 1, 1, 1 << 20),
          Arguments.getLong(line, "checkpoint-every", Long.MAX_VALUE, 1, Long.MAX_VALUE),
          Arguments.getLong(line, "evaluate", 2000, 0, Integer.MAX_VALUE));
    }
  }

  /**
   * What came of it.
   *
   * @param folder of the run
   * @param json as the folder keeps it
   * @param interrupted whether a signal ended it before its limit
   */
  record Result(Path folder, ObjectNode json, boolean interrupted) {}

  /** Called once everything is checked and the training is about to begin. */
  interface Start {
    /** Where to keep it; null for a folder under runs/. */
    Path folder() throws IOException;
  }

  Training(Settings settings, Habits habits, Terminal terminal) {
    this.settings = settings;
    this.habits = habits;
    this.terminal = terminal;
  }

  /** Begins in a new folder. */
  Result begin(Start start, Interrupt interrupt) throws IOException {
    try (Engine engine = open(interrupt)) {
      Trainer trainer = new Trainer(engine, settings.schedules()).evaluation(settings.evaluation());
      prepare(trainer, engine, settings.limits());
      try (RunFolder folder = RunFolder.create(start.folder(), settings, trainer.checkpoint())) {
        return train(trainer, engine, folder, settings.limits());
      }
    }
  }

  /** Whether a training has reached its own limits and is given no new ones, nor anything else. */
  static boolean isDone(Path folder, CommandLine line, Terminal terminal) throws IOException {
    if (Settings.limitsAreGiven(line) || RunFolder.readResult(folder).isEmpty()) {
      return false;
    }
    settings(folder, RunFolder.checkpoint(folder, RunFolder.CHECKPOINT), line, terminal);
    return true;
  }

  private static Settings settings(
      Path folder, Checkpoint checkpoint, CommandLine line, Terminal terminal) throws IOException {
    return Settings.of(checkpoint, Settings.stored(folder).limits()).resume(line, terminal);
  }

  /** Goes on in a folder as the command line says. */
  static Result goOn(
      Path folder, CommandLine line, Habits habits, Interrupt interrupt, Terminal terminal)
      throws IOException {
    Checkpoint checkpoint = RunFolder.checkpoint(folder, RunFolder.CHECKPOINT);
    return new Training(settings(folder, checkpoint, line, terminal), habits, terminal)
        .resume(folder, checkpoint, Settings.limitsAreGiven(line), interrupt);
  }

  /**
   * Goes on in a folder.
   *
   * @param newLimits whether the limits are those of this call, not of the whole training
   */
  private Result resume(Path path, Checkpoint checkpoint, boolean newLimits, Interrupt interrupt)
      throws IOException {
    Limits limits = settings.limits();
    if (newLimits && limits.iterations() < checkpoint.iteration()) {
      throw new UsageException(
          "iterations is "
              + limits.iterations()
              + ", the run is at "
              + checkpoint.iteration()
              + "; allowed: at least that");
    }
    try (Engine engine = open(interrupt)) {
      EngineOptions.sayBackendChange(checkpoint, engine, terminal);
      Trainer trainer = Trainer.resume(engine, checkpoint);
      try (RunFolder folder = new RunFolder(path, checkpoint)) {
        Limits left = newLimits ? limits : limits.after(folder.secondsBefore());
        prepare(trainer, engine, left);
        return train(trainer, engine, folder, left);
      }
    }
  }

  private Engine open(Interrupt interrupt) {
    Engine engine = Engine.open(settings.config());
    interrupt.watch(engine);
    Stall.watch(engine, terminal);
    return engine;
  }

  private void prepare(Trainer trainer, Engine engine, Limits limits) {
    if (limits.untilReturn() != null) {
      untilReturn(trainer, limits.untilReturn(), engine.groups());
    }
    if (Double.isFinite(limits.seconds())) {
      trainer.stopWhen(batch -> batch.seconds() >= limits.seconds());
    }
    trainer.iterationsPerCall(habits.iterationsPerCall).checkpointEvery(habits.checkpointEvery);
    if (habits.checkpointEvery == Long.MAX_VALUE) {
      trainer.checkpointEverySeconds(CHECKPOINT_SECONDS);
    }
  }

  /** "X" for the only group, or "GROUP=X"; of evaluations where there are any, else of batches. */
  private void untilReturn(Trainer trainer, String text, List<Group> groups) {
    int equals = text.indexOf('=');
    List<String> names = groups.stream().map(Group::name).toList();
    int group = equals < 0 ? 0 : names.indexOf(text.substring(0, equals));
    if (group < 0 || (equals < 0 && groups.size() > 1)) {
      throw new UsageException(
          "until_return is '" + text + "'; allowed: GROUP=X with GROUP one of " + names);
    }
    double goal = Arguments.parseDouble("until_return", text.substring(equals + 1));
    Predicate<List<Statistics>> reached = found -> found.get(group).teamReturnMean() >= goal;
    if (settings.evaluation().every() > 0) {
      trainer.stopWhenEvaluated(evaluated -> reached.test(evaluated.groups()));
    } else {
      trainer.stopWhen(batch -> reached.test(batch.groups()));
    }
  }

  private Result train(Trainer trainer, Engine engine, RunFolder folder, Limits limits)
      throws IOException {
    describe(engine, folder);
    long first = engine.iteration();
    long unlimited = limits.seconds() > 0 ? Long.MAX_VALUE : 0;
    long iterations =
        limits.iterations() == Long.MAX_VALUE
            ? unlimited
            : Math.min(unlimited, Math.max(0, limits.iterations() - first));
    List<TrainedBatch> last = new ArrayList<>();
    trainer.checkpoints(checkpoint -> unchecked(() -> folder.save(checkpoint)));
    trainer.best(folder::saveBest);
    Outcome outcome;
    try (TrainProgress progress =
        new TrainProgress(terminal, first, trainer.agentSteps(), iterations, limits.seconds())) {
      trainer.onBatch(
          batch -> {
            unchecked(() -> folder.log(batch, engine));
            progress.show(batch);
            last.clear();
            last.add(batch);
          });
      trainer.onEvaluation(evaluated -> unchecked(() -> folder.log(evaluated, engine)));
      outcome = trainer.train(iterations);
    } catch (NumericException failure) {
      throw new NumericException(
          failure.getMessage()
              + "; the last good checkpoint, of iteration "
              + folder.savedIteration()
              + ", is in "
              + folder.path());
    }
    return result(trainer, engine, folder, outcome, last.isEmpty() ? null : last.get(0));
  }

  private void describe(Engine engine, RunFolder folder) {
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

  private Result result(
      Trainer trainer, Engine engine, RunFolder folder, Outcome outcome, TrainedBatch last)
      throws IOException {
    boolean interrupted = outcome.reason() == StopReason.CANCELLED;
    terminal.say(
        "%d iterations, %.1f million agent-steps in %.1f s (%.2f million agent-steps/s)",
        outcome.iterations(),
        outcome.agentSteps() * 1e-6,
        outcome.seconds(),
        outcome.seconds() > 0 ? outcome.agentSteps() / outcome.seconds() * 1e-6 : 0);
    trainer
        .found()
        .ifPresent(
            found ->
                terminal.say(
                    "best evaluation on the way %.2f, before iteration %d",
                    found.bestScore(), found.bestIteration()));
    List<Statistics> trained = last == null ? List.of() : last.groups();
    if (habits.evaluate > 0 && !interrupted) {
      try {
        trained = compare(trainer, engine);
      } catch (CancelledException cancelled) {
        interrupted = true;
      }
    }
    ObjectNode json = Json.object().put("environment", engine.config().environment().toString());
    json.set("seed", Json.scalar(Long.toUnsignedString(engine.config().seed())));
    json.put("iterations", engine.iteration());
    json.put("agent_steps", trainer.agentSteps());
    json.put("seconds", folder.secondsBefore() + outcome.seconds());
    json.put("interrupted", interrupted);
    if (!trained.isEmpty()) {
      json.put("episodes", trained.get(0).episodes());
      Json.perGroup(json, engine.groups(), trained, Json::returns);
    }
    trainer
        .found()
        .ifPresent(
            found ->
                json.put("best_score", found.bestScore())
                    .put("best_iteration", found.bestIteration()));
    json.put("run", folder.path().toString());
    json.put("parameters_sha256", engine.parametersSha256());
    if (interrupted) {
      terminal.note(
          "swarmgrad: interrupted after iteration %d; checkpoint in %s",
          engine.iteration(), folder.path());
    } else {
      folder.finish(json);
    }
    return new Result(folder.path(), json, interrupted);
  }

  /**
   * Random against trained play on the same evaluation episodes; returns the trained one's
   * statistics.
   */
  private List<Statistics> compare(Trainer trainer, Engine engine) {
    List<Statistics> random = trainer.evaluate(habits.evaluate, Acting.RANDOM);
    List<Statistics> trained = trainer.evaluate(habits.evaluate, Acting.SAMPLED);
    for (Group group : engine.groups()) {
      int index = engine.groups().indexOf(group);
      terminal.say(
          "team return%s over %d new episodes: random play %.2f +- %.2f, trained %.2f +- %.2f",
          engine.groups().size() == 1 ? "" : " of " + group.name(),
          habits.evaluate,
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
