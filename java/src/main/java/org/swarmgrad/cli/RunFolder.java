// The files of one training: configuration, metrics, timing and checkpoint; what is in the metrics
// is a function of configuration and
// iteration alone.
package org.swarmgrad.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.Engine;
import org.swarmgrad.Statistics;
import org.swarmgrad.Trainer.TrainedBatch;

/** An open run folder; metrics and timing are appended to, one line an iteration. */
final class RunFolder implements AutoCloseable {
  static final String CHECKPOINT = "checkpoint.safetensors";

  /** A copy of the source of a user's own environment. */
  static final String ENVIRONMENT = "environment";

  private static final String CONFIG = "config.json";
  private static final String METRICS = "metrics.jsonl";
  private static final String TIMING = "timing.jsonl";

  private final Path folder;
  private final FileChannel metrics;
  private final FileChannel timing;
  private long lastAgentSteps;
  private double lastSeconds;

  /** What must still hold once the folder is locked. */
  private interface Condition {
    void check() throws IOException;
  }

  private RunFolder(Path folder, long iterations, long agentSteps, Condition condition)
      throws IOException {
    this.folder = folder;
    metrics = openLog(folder.resolve(METRICS));
    timing = openLog(folder.resolve(TIMING));
    lastAgentSteps = agentSteps;
    try {
      if (!isOurs(metrics)) {
        throw new IOException(folder + " is in use by another training; allowed: one at a time");
      }
      condition.check();
      keep(metrics, folder.resolve(METRICS), iterations);
      keep(timing, folder.resolve(TIMING), iterations);
    } catch (IOException failure) {
      close();
      throw failure;
    }
  }

  /** Makes a new folder; one that exists must be empty. */
  static RunFolder create(Path folder, ObjectNode config) throws IOException {
    Files.createDirectories(folder);
    try (var files = Files.list(folder)) {
      if (files.findAny().isPresent()) {
        throw new FileAlreadyExistsException(
            "--out is '"
                + folder
                + "', which is not empty; allowed: a new folder, or --resume "
                + folder);
      }
    }
    RunFolder run = new RunFolder(folder, 0, 0, () -> {});
    try {
      // Only now: of two trainings that found the folder empty, the one without the lock is gone.
      Files.writeString(folder.resolve(CONFIG), config.toPrettyString() + "\n");
    } catch (IOException failure) {
      run.close();
      throw failure;
    }
    return run;
  }

  /** The first of runs/NAME-001, runs/NAME-002, ... that does not exist. */
  static Path unused(String name) throws IOException {
    Path runs = Files.createDirectories(Path.of("runs"));
    for (int number = 1; ; number++) {
      try {
        return Files.createDirectory(runs.resolve(String.format("%s-%03d", name, number)));
      } catch (FileAlreadyExistsException taken) {
        // The next number.
      }
    }
  }

  /** Opens a folder to go on from its checkpoint: later metrics are cut off. */
  static RunFolder resume(Path folder, Checkpoint checkpoint) throws IOException {
    return new RunFolder(
        folder,
        checkpoint.iteration(),
        checkpoint.agentSteps(),
        () -> {
          // Another training may have gone on, and ended, since the checkpoint was read.
          long now = Checkpoint.load(folder.resolve(CHECKPOINT)).iteration();
          if (now != checkpoint.iteration()) {
            throw new IOException(
                folder
                    + " went from iteration "
                    + checkpoint.iteration()
                    + " to "
                    + now
                    + " while this training started; allowed: --resume once more");
          }
        });
  }

  static JsonNode readConfig(Path folder) throws IOException {
    Path file = folder.resolve(CONFIG);
    try {
      return Json.MAPPER.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException failure) {
      throw new IOException(file + " is not JSON: " + failure.getOriginalMessage(), failure);
    }
  }

  /** Locks the metrics until they are closed, so that two processes never write one run. */
  private static boolean isOurs(FileChannel metrics) throws IOException {
    try {
      return metrics.tryLock() != null;
    } catch (OverlappingFileLockException sameProcess) {
      return false;
    }
  }

  private static FileChannel openLog(Path file) throws IOException {
    return FileChannel.open(
        file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /** Cuts a log after its first `lines` lines and goes on there. */
  private static void keep(FileChannel log, Path file, long lines) throws IOException {
    log.truncate(offsetAfter(log, file, lines));
    log.position(log.size());
  }

  /**
   * Reads through the log's own channel: closing another one of the same file would release the
   * process's lock on it.
   */
  private static long offsetAfter(FileChannel log, Path file, long lines) throws IOException {
    InputStream input = new BufferedInputStream(Channels.newInputStream(log.position(0)));
    long offset = 0;
    long found = 0;
    while (found < lines) {
      int next = input.read();
      if (next < 0) {
        throw new IOException(
            file
                + " has "
                + found
                + " complete lines, its checkpoint is at iteration "
                + lines
                + "; both are needed");
      }
      offset++;
      if (next == '\n') {
        found++;
      }
    }
    return offset;
  }

  Path path() {
    return folder;
  }

  /** Appends one iteration to metrics and timing. */
  void log(TrainedBatch batch, Engine engine) throws IOException {
    ObjectNode line =
        Json.object()
            .put("iteration", batch.iteration())
            .put("learning_rate", batch.learningRate());
    line.put("agent_steps", batch.agentSteps());
    Json.perGroup(line, engine.groups(), batch.groups(), RunFolder::fields);
    append(metrics, line);
    double seconds = batch.seconds() - lastSeconds;
    ObjectNode time =
        Json.object().put("iteration", batch.iteration()).put("seconds", batch.seconds());
    time.put(
        "agent_steps_per_s", seconds > 0 ? (batch.agentSteps() - lastAgentSteps) / seconds : 0);
    time.put("device", engine.device().toString()).put("threads", engine.info().threads());
    time.put("isa", engine.info().instructionSet().toString());
    append(timing, time);
    lastAgentSteps = batch.agentSteps();
    lastSeconds = batch.seconds();
  }

  private static void fields(ObjectNode object, Statistics statistics) {
    object.put("team_return_mean", statistics.teamReturnMean());
    object.put("team_return_deviation", statistics.teamReturnDeviation());
    object.put("team_return_minimum", statistics.teamReturnMinimum());
    object.put("team_return_maximum", statistics.teamReturnMaximum());
    object.put("agent_return_mean", statistics.agentReturnMean());
    object.put("episode_length_mean", statistics.episodeLengthMean());
    object.put("entropy_mean", statistics.entropyMean());
    object.put("gradient_norm", statistics.gradientNorm());
    object.put("weight_variance", statistics.weightVariance());
    object.put("effective_sample_size", statistics.effectiveSampleSize());
    object.put("scale", statistics.scale());
    object.put("value_loss", statistics.valueLoss());
    object.put("value_gradient_norm", statistics.valueGradientNorm());
  }

  private static void append(FileChannel log, ObjectNode line) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      log.write(bytes);
    }
  }

  /** Replaces the checkpoint, after the lines it stands for have reached the disk. */
  void save(Checkpoint checkpoint) throws IOException {
    metrics.force(false);
    timing.force(false);
    checkpoint.save(folder.resolve(CHECKPOINT));
  }

  @Override
  public void close() throws IOException {
    try (metrics;
        timing) {
      metrics.force(false);
    }
  }
}
