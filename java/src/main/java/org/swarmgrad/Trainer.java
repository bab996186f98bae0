// The training loop: iterations, schedules, evaluation, checkpoints, stop conditions and
// listeners; no formula of learning.
package org.swarmgrad;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.Predicate;

/**
 * Trains an engine, one native call per iteration unless told otherwise. What it computes depends
 * on the engine's configuration and the schedules alone: how often it stops, for what reason, and
 * how many iterations a call holds change no bit.
 */
public final class Trainer {
  private final Engine engine;
  private final Schedules schedules;
  private final List<Consumer<TrainedBatch>> listeners = new ArrayList<>();
  private final List<Predicate<TrainedBatch>> conditions = new ArrayList<>();
  private final List<Consumer<Evaluated>> evaluationListeners = new ArrayList<>();
  private final List<Predicate<Evaluated>> evaluationConditions = new ArrayList<>();
  private Consumer<Checkpoint> checkpoints = checkpoint -> {};
  private Consumer<Checkpoint> best = checkpoint -> {};
  private Evaluation evaluation = Evaluation.NEVER;
  private Optional<Evaluation.Found> found = Optional.empty();
  private LongFunction<Map<String, Double>> curriculum;
  private long checkpointEvery = Long.MAX_VALUE;
  private double checkpointEverySeconds = Double.MAX_VALUE;
  private int iterationsPerCall = 1;
  private long agentSteps;

  /**
   * One iteration as listeners and stop conditions see it.
   *
   * @param iteration whose parameters played the batch, 0 the first
   * @param learningRate of its step, for the policies
   * @param groups statistics, [group]
   * @param agentSteps living agents' actions since iteration 0
   * @param seconds since this call of {@link #train} began; the only part that is not a function of
   *     configuration and iteration
   */
  public record TrainedBatch(
      long iteration,
      double learningRate,
      List<Statistics> groups,
      long agentSteps,
      double seconds) {
    /**
     * Mean team return of the batch, summed over groups.
     *
     * @return undiscounted
     */
    public double teamReturnMean() {
      return groups.stream().mapToDouble(Statistics::teamReturnMean).sum();
    }
  }

  /**
   * One evaluation on the way as listeners and stop conditions see it.
   *
   * @param iteration before which it was made, 0 the first
   * @param agentSteps living agents' actions since iteration 0, in training
   * @param groups statistics, [group]
   * @param score as {@link Evaluation#group} says
   * @param best whether no earlier one had so high a score
   * @param seconds since this call of {@link #train} began; the only part that is not a function of
   *     configuration and iteration
   */
  public record Evaluated(
      long iteration,
      long agentSteps,
      List<Statistics> groups,
      double score,
      boolean best,
      double seconds) {}

  /** Why training stopped. */
  public enum StopReason {
    /** All iterations that were asked for are done. */
    ITERATIONS,
    /** A stop condition held. */
    CONDITION,
    /** {@link Engine#cancel()} was called. */
    CANCELLED
  }

  /**
   * What a call of {@link #train} did.
   *
   * @param reason why it stopped
   * @param iterations complete iterations of this call
   * @param agentSteps living agents' actions of this call
   * @param seconds of this call
   */
  public record Outcome(StopReason reason, long iterations, long agentSteps, double seconds) {}

  /**
   * A trainer that goes on from the engine's state.
   *
   * @param engine stays the caller's to close
   * @param schedules of each iteration's rates
   */
  public Trainer(Engine engine, Schedules schedules) {
    this.engine = Checks.present("engine", engine);
    this.schedules = Checks.present("schedules", schedules);
  }

  /**
   * A trainer that goes on from the engine's state, with {@link Schedules#of} of its configuration.
   *
   * @param engine stays the caller's to close
   * @param learningRate of policies and value networks
   */
  public Trainer(Engine engine, Schedule learningRate) {
    this(engine, Schedules.of(learningRate, Checks.present("engine", engine).config()));
  }

  /**
   * A trainer that goes on from a checkpoint as if training had never stopped.
   *
   * @param engine opened with the checkpoint's configuration
   * @param checkpoint whose state the engine gets
   * @return the trainer
   * @throws CheckpointException naming what does not fit
   */
  public static Trainer resume(Engine engine, Checkpoint checkpoint) {
    checkpoint.restore(engine);
    Trainer trainer = new Trainer(engine, checkpoint.schedules());
    trainer.agentSteps = checkpoint.agentSteps();
    trainer.evaluation = checkpoint.evaluation();
    trainer.found = checkpoint.found();
    return trainer;
  }

  /**
   * Adds a listener, called after every iteration in the thread that trains.
   *
   * @param listener sees each batch's statistics
   * @return this
   */
  public Trainer onBatch(Consumer<TrainedBatch> listener) {
    listeners.add(Checks.present("listener", listener));
    return this;
  }

  /**
   * Adds a condition, asked after every iteration; with several iterations per call, those of the
   * call are completed.
   *
   * @param condition true stops training
   * @return this
   */
  public Trainer stopWhen(Predicate<TrainedBatch> condition) {
    conditions.add(Checks.present("condition", condition));
    return this;
  }

  /**
   * Evaluates the policy on the way. What evaluations of another kind found is forgotten.
   *
   * @param how when, how long, and what the score is
   * @return this
   * @throws IllegalArgumentException where the engine has no such group
   */
  public Trainer evaluation(Evaluation how) {
    Checks.present("evaluation", how).check(engine.groups());
    if (!how.equals(evaluation)) {
      evaluation = how;
      found = Optional.empty();
    }
    return this;
  }

  /**
   * Adds a listener, called after every evaluation on the way in the thread that trains.
   *
   * @param listener sees what was found
   * @return this
   */
  public Trainer onEvaluation(Consumer<Evaluated> listener) {
    evaluationListeners.add(Checks.present("listener", listener));
    return this;
  }

  /**
   * Adds a condition, asked after every evaluation on the way.
   *
   * @param condition true stops training
   * @return this
   */
  public Trainer stopWhenEvaluated(Predicate<Evaluated> condition) {
    evaluationConditions.add(Checks.present("condition", condition));
    return this;
  }

  /**
   * Makes a checkpoint whenever an evaluation on the way finds a higher score than all before.
   *
   * @param sink gets each checkpoint
   * @return this
   */
  public Trainer best(Consumer<Checkpoint> sink) {
    best = Checks.present("sink", sink);
    return this;
  }

  /**
   * Changes the environment from iteration to iteration. Evaluations, on the way and by {@link
   * #evaluate}, still play the environment of the configuration, so that their scores can be
   * compared.
   *
   * @param parameters of an iteration that differ from the configuration's, by name; a function: it
   *     is asked more than once about an iteration, and must always answer the same. They must
   *     leave every shape as it is, see {@link Engine#setEnvironmentParameters}
   * @return this
   */
  public Trainer curriculum(LongFunction<Map<String, Double>> parameters) {
    curriculum = Checks.present("curriculum", parameters);
    return this;
  }

  /** What training plays with, with changes. */
  private void play(Map<String, Double> changes) {
    Map<String, Double> parameters = new HashMap<>(engine.trainingParameters());
    parameters.putAll(Checks.present("parameters of the curriculum", changes));
    if (!parameters.equals(engine.environmentParameters())) {
      engine.setEnvironmentParameters(parameters);
    }
  }

  /**
   * How many iterations one native call holds: more than 1 pays where an iteration takes
   * microseconds.
   *
   * @param iterations at least 1
   * @return this
   */
  public Trainer iterationsPerCall(int iterations) {
    iterationsPerCall = Checks.range("iterations-per-call", iterations, 1, 1 << 20);
    return this;
  }

  /**
   * Makes checkpoints: when training stops, and on the way as {@link #checkpointEvery} and {@link
   * #checkpointEverySeconds} say.
   *
   * @param sink gets each checkpoint
   * @return this
   */
  public Trainer checkpoints(Consumer<Checkpoint> sink) {
    checkpoints = Checks.present("sink", sink);
    return this;
  }

  /**
   * Writes checkpoints into one file, each replacing the one before.
   *
   * @param file to write
   * @return this
   */
  public Trainer checkpoints(Path file) {
    Checks.present("file", file);
    return checkpoints(checkpoint -> checkpoint.save(file));
  }

  /**
   * Makes a checkpoint before every iteration whose number is divisible by this.
   *
   * @param iterations at least 1
   * @return this
   */
  public Trainer checkpointEvery(long iterations) {
    checkpointEvery = Checks.range("checkpoint-every", iterations, 1, Long.MAX_VALUE);
    return this;
  }

  /**
   * Makes a checkpoint when the last one is this old.
   *
   * @param seconds above 0
   * @return this
   */
  public Trainer checkpointEverySeconds(double seconds) {
    checkpointEverySeconds =
        Checks.range("checkpoint seconds", seconds, Double.MIN_VALUE, Double.MAX_VALUE);
    return this;
  }

  /**
   * The state as it is now.
   *
   * @return the checkpoint
   */
  public Checkpoint checkpoint() {
    return Checkpoint.of(engine, schedules, agentSteps, evaluation, found);
  }

  /**
   * Living agents' actions since iteration 0.
   *
   * @return their number
   */
  public long agentSteps() {
    return agentSteps;
  }

  /**
   * What the evaluations on the way found so far.
   *
   * @return empty before the first
   */
  public Optional<Evaluation.Found> found() {
    return found;
  }

  /**
   * Plays episodes 0 to episodes - 1 of the evaluation stream with the current parameters.
   *
   * @param episodes at least 1
   * @param acting how actions are chosen
   * @return [group]
   */
  public List<Statistics> evaluate(long episodes, Acting acting) {
    return engine.evaluate(0, episodes, acting);
  }

  /**
   * Trains until the iterations are done, a condition holds, or the engine is cancelled.
   *
   * @param iterations at most so many more, at least 0
   * @return what was done
   * @throws NumericException naming iteration, environment, agent and step; no checkpoint is made
   *     then
   */
  public Outcome train(long iterations) {
    Checks.range("iterations", iterations, 0, Long.MAX_VALUE);
    Run run = new Run(engine.iteration());
    run.evaluate();
    while (run.reason == null && run.done() < iterations) {
      run.call(iterations);
      run.evaluate();
      run.checkpoint(iterations);
    }
    if (run.reason == null) {
      run.reason = StopReason.ITERATIONS;
    }
    checkpoints.accept(checkpoint());
    return new Outcome(run.reason, run.done(), agentSteps - run.firstAgentSteps, run.seconds());
  }

  /** One call of train. */
  private final class Run {
    private final long start = System.nanoTime();
    private final long firstIteration;
    private final long firstAgentSteps = agentSteps;
    private long iteration;
    private StopReason reason;
    private double lastCheckpoint;

    Run(long iteration) {
      firstIteration = iteration;
      this.iteration = iteration;
    }

    long done() {
      return iteration - firstIteration;
    }

    double seconds() {
      return (System.nanoTime() - start) * 1e-9;
    }

    /** One native call: never past the iteration of a checkpoint or an evaluation. */
    void call(long iterations) {
      long toCheckpoint = checkpointEvery - iteration % checkpointEvery;
      long toStop = Math.min(toCheckpoint, evaluation.iterationsFrom(iteration));
      long count = Math.min(Math.min(iterations - done(), iterationsPerCall), toStop);
      if (curriculum != null) {
        count = stage(count);
      }
      Rates[] rates = schedules.rates(iteration, (int) count);
      try {
        report(engine.train(rates), rates);
      } catch (CancelledException cancelled) {
        report(cancelled.completed(), rates);
        reason = StopReason.CANCELLED;
      }
    }

    /** Sets up the next iteration's environment; returns how many of the next share it. */
    private long stage(long most) {
      Map<String, Double> parameters = curriculum.apply(iteration);
      play(parameters);
      long count = 1;
      while (count < most && curriculum.apply(iteration + count).equals(parameters)) {
        count++;
      }
      return count;
    }

    /**
     * Judges the parameters where that is due and has not been done: a checkpoint may have been
     * made before it.
     */
    void evaluate() {
      boolean isDone = found.isPresent() && found.get().iteration() >= iteration;
      if (reason == StopReason.CANCELLED || !evaluation.due(iteration) || isDone) {
        return;
      }
      try {
        report(evaluation.play(engine));
      } catch (CancelledException cancelled) {
        reason = StopReason.CANCELLED;
      }
    }

    private void report(List<Statistics> groups) {
      double score = evaluation.score(engine.groups(), groups);
      boolean isBest = found.isEmpty() || score > found.get().bestScore();
      found =
          Optional.of(
              isBest
                  ? new Evaluation.Found(iteration, iteration, score)
                  : new Evaluation.Found(
                      iteration, found.get().bestIteration(), found.get().bestScore()));
      Evaluated evaluated = new Evaluated(iteration, agentSteps, groups, score, isBest, seconds());
      evaluationListeners.forEach(listener -> listener.accept(evaluated));
      if (isBest) {
        best.accept(Trainer.this.checkpoint());
      }
      if (evaluationConditions.stream().anyMatch(condition -> condition.test(evaluated))) {
        reason = StopReason.CONDITION;
      }
    }

    void checkpoint(long iterations) {
      boolean due =
          iteration % checkpointEvery == 0 || seconds() - lastCheckpoint >= checkpointEverySeconds;
      if (due && reason == null && done() < iterations) {
        checkpoints.accept(Trainer.this.checkpoint());
        lastCheckpoint = seconds();
      }
    }

    private void report(List<List<Statistics>> batches, Rates[] rates) {
      for (int i = 0; i < batches.size(); i++) {
        agentSteps += batches.get(i).stream().mapToLong(Statistics::agentSteps).sum();
        TrainedBatch batch =
            new TrainedBatch(
                iteration++, rates[i].learningRate(), batches.get(i), agentSteps, seconds());
        listeners.forEach(listener -> listener.accept(batch));
        if (conditions.stream().anyMatch(condition -> condition.test(batch))) {
          reason = StopReason.CONDITION;
        }
      }
    }
  }
}
