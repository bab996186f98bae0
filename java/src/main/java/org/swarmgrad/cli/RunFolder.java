// The files of one training: configuration, metrics, timing, evaluations, checkpoints and result;
// what is in metrics and evaluations is a function of configuration and iteration alone.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.Engine;
import org.swarmgrad.EnvironmentSource;
import org.swarmgrad.Statistics;
import org.swarmgrad.Trainer.Evaluated;
import org.swarmgrad.Trainer.TrainedBatch;
import org.swarmgrad.internal.WholeFile;

/**
 * An open run folder; metrics and timing are appended to, one line an iteration. A folder appears
 * with its first checkpoint in it, and every later checkpoint replaces the one before, so that
 * whatever ends the process leaves a folder to go on from.
 */
final class RunFolder implements AutoCloseable {
  static final String CHECKPOINT = "checkpoint.safetensors";

  /** The checkpoint of the best evaluation on the way. */
  static final String BEST = "best.safetensors";

  /** A copy of the source of a user's own environment. */
  static final String ENVIRONMENT = "environment";

  static final String CONFIG = "config.json";
  private static final String METRICS = "metrics.jsonl";
  private static final String TIMING = "timing.jsonl";
  private static final String EVALUATIONS = "evaluations.jsonl";
  private static final String RESULT = "result.json";

  private final Path folder;
  private final FileChannel metrics;
  private final FileChannel timing;
  private final FileChannel evaluations;
  private final double secondsBefore;
  private long savedIteration;
  private long lastAgentSteps;
  private double lastSeconds;

  /** What a new folder begins with. */
  interface Content {
    void writeInto(Path folder) throws IOException;
  }

  /** Opens a folder to go on from its checkpoint: what was logged since is cut off. */
  RunFolder(Path folder, Checkpoint checkpoint) throws IOException {
    this.folder = folder;
    metrics = openLog(METRICS);
    timing = openLog(TIMING);
    evaluations = openLog(EVALUATIONS);
    lastAgentSteps = checkpoint.agentSteps();
    savedIteration = checkpoint.iteration();
    try {
      if (!isOurs(metrics)) {
        throw new IOException(folder + " is in use by another training; allowed: one at a time");
      }
      checkUnchanged(checkpoint);
      keep(metrics, METRICS, checkpoint.iteration());
      String last = keep(timing, TIMING, checkpoint.iteration());
      secondsBefore = last.isEmpty() ? 0 : Json.MAPPER.readTree(last).path("seconds").asDouble();
      long every = checkpoint.evaluation().every();
      keep(
          evaluations,
          EVALUATIONS,
          checkpoint.found().map(found -> found.iteration() / every + 1).orElse(0L));
      Files.deleteIfExists(folder.resolve(RESULT));
      deletePartialFiles();
    } catch (IOException failure) {
      close();
      throw failure;
    }
  }

  /** Another training may have gone on, and ended, since the checkpoint was read. */
  private void checkUnchanged(Checkpoint checkpoint) throws IOException {
    long now = checkpoint(folder, CHECKPOINT).iteration();
    if (now != checkpoint.iteration()) {
      throw new IOException(
          folder
              + " went from iteration "
              + checkpoint.iteration()
              + " to "
              + now
              + " while this training started; allowed: --resume once more");
    }
  }

  /** A killed process leaves the file that it was writing. */
  private void deletePartialFiles() throws IOException {
    try (var files = Files.newDirectoryStream(folder, "*" + WholeFile.PARTIAL)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    }
  }

  /**
   * Makes the folder of a new training.
   *
   * @param out as the user named it, or null for the first of runs/NAME-001, runs/NAME-002, ...
   *     that does not exist
   */
  static RunFolder create(Path out, Settings settings, Checkpoint first) throws IOException {
    Path made =
        make(
            out,
            settings,
            folder -> {
              first.save(folder.resolve(CHECKPOINT));
              for (String log : List.of(METRICS, TIMING, EVALUATIONS)) {
                Files.createFile(folder.resolve(log));
              }
              Optional<EnvironmentSource> source = settings.config().environment().source();
              if (source.isPresent()) {
                source.get().copyTo(folder.resolve(ENVIRONMENT));
              }
            });
    return new RunFolder(made, first);
  }

  /** Makes a folder with a configuration in it, which appears complete or not at all. */
  static Path make(Path out, Settings settings, Content content) throws IOException {
    String name = settings.config().environment().id();
    Path wanted = out == null ? Path.of("runs", name) : out;
    if (Files.exists(wanted)) {
      checkEmpty(out);
      wanted = wanted.toRealPath();
    }
    Path parent = Files.createDirectories(wanted.toAbsolutePath().getParent());
    Path partial = Files.createDirectory(WholeFile.partial(wanted));
    try {
      writeText(partial.resolve(CONFIG), settings.json().toPrettyString());
      content.writeInto(partial);
      WholeFile.forceFolder(partial);
      Path made = out == null ? renameToUnused(partial, name) : rename(partial, wanted, out);
      WholeFile.forceFolder(parent);
      return made;
    } finally {
      deleteTree(partial);
    }
  }

  private static void checkEmpty(Path out) throws IOException {
    try (var files = Files.list(out)) {
      if (files.findAny().isPresent()) {
        throw new FileAlreadyExistsException(
            "--out is '"
                + out
                + "', which is not empty; allowed: a new folder, or --resume "
                + out);
      }
    }
  }

  private static Path rename(Path partial, Path wanted, Path out) throws IOException {
    try {
      Files.move(partial, wanted, StandardCopyOption.ATOMIC_MOVE);
      return out;
    } catch (FileSystemException failure) {
      throw new IOException(
          "--out is '"
              + out
              + "', which cannot be made: "
              + failure.getReason()
              + "; allowed: a new folder where folders can be renamed",
          failure);
    }
  }

  private static Path renameToUnused(Path partial, String name) throws IOException {
    for (int number = 1; ; number++) {
      Path folder = Path.of("runs", String.format("%s-%03d", name, number));
      if (!Files.exists(folder)) {
        try {
          return Files.move(partial, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException failure) {
          if (!Files.exists(folder)) {
            throw failure;
          }
          // Another training took the name just now.
        }
      }
    }
  }

  private static void deleteTree(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (var files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  static JsonNode readConfig(Path folder) throws IOException {
    return readJson(folder.resolve(CONFIG))
        .orElseThrow(
            () ->
                new IOException(
                    folder
                        + " is no run folder: it has no "
                        + CONFIG
                        + "; allowed: --out of a train"));
  }

  /** The folder of one seed of several. */
  static Path ofSeed(Path folder, long seed) {
    return folder.resolve("seed-" + Long.toUnsignedString(seed));
  }

  /** The run folders of a folder of several seeds; of any other folder itself. */
  static List<Path> trainings(Path folder) throws IOException {
    Optional<JsonNode> config = readJson(folder.resolve(CONFIG));
    return config.isPresent() && config.get().has(Seeds.KEY)
        ? Settings.stored(folder).seeds().orElseThrow().values().stream()
            .map(seed -> ofSeed(folder, seed))
            .toList()
        : List.of(folder);
  }

  /** What came of a training that has ended; empty where it has not. */
  static Optional<JsonNode> readResult(Path folder) throws IOException {
    return readJson(folder.resolve(RESULT));
  }

  private static Optional<JsonNode> readJson(Path file) throws IOException {
    try {
      return Optional.of(Json.read(Json.MAPPER, file));
    } catch (NoSuchFileException missing) {
      return Optional.empty();
    }
  }

  /** Reads CHECKPOINT or BEST. */
  static Checkpoint checkpoint(Path folder, String name) throws IOException {
    if (name.equals(BEST) && !Files.exists(folder.resolve(BEST))) {
      throw new IOException(
          folder + " has no " + BEST + ": it is written by train --evaluate-every COUNT");
    }
    return Checkpoint.load(folder.resolve(name));
  }

  static void writeText(Path file, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((text + "\n").getBytes(StandardCharsets.UTF_8));
    try {
      WholeFile.write(file, channel -> WholeFile.writeFully(channel, bytes));
    } catch (IOException failure) {
      throw new IOException(file + " cannot be written: " + failure.getMessage(), failure);
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

  private FileChannel openLog(String name) throws IOException {
    return FileChannel.open(
        folder.resolve(name),
        StandardOpenOption.CREATE,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE);
  }

  /**
   * Cuts a log after its first `lines` lines, goes on there and returns the last of them. It reads
   * through the log's own channel: closing another one of the same file would release the process's
   * lock on it.
   */
  private String keep(FileChannel log, String name, long lines) throws IOException {
    InputStream input = new BufferedInputStream(Channels.newInputStream(log.position(0)));
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    long offset = 0;
    for (long found = 0; found < lines; ) {
      int next = input.read();
      if (next < 0) {
        throw new IOException(
            folder.resolve(name)
                + " has "
                + found
                + " complete lines, its checkpoint stands for "
                + lines
                + "; both are needed");
      }
      offset++;
      if (next == '\n') {
        found++;
      }
      if (found < lines) {
        if (next == '\n') {
          line.reset();
        } else {
          line.write(next);
        }
      }
    }
    log.truncate(offset);
    log.position(offset);
    return line.toString(StandardCharsets.UTF_8);
  }

  Path path() {
    return folder;
  }

  /** Seconds of training before this process, as far as the checkpoint stands for them. */
  double secondsBefore() {
    return secondsBefore;
  }

  /** The iteration of the checkpoint. */
  long savedIteration() {
    return savedIteration;
  }

  /** Appends one iteration to metrics and timing. */
  void log(TrainedBatch batch, Engine engine) throws IOException {
    ObjectNode line =
        Json.object()
            .put("iteration", batch.iteration())
            .put("learning_rate", batch.learningRate());
    line.put("agent_steps", batch.agentSteps());
    Json.perGroup(line, engine.groups(), batch.groups(), RunFolder::fields);
    append(metrics, METRICS, line);
    double seconds = batch.seconds() - lastSeconds;
    ObjectNode time =
        Json.object()
            .put("iteration", batch.iteration())
            .put("seconds", secondsBefore + batch.seconds());
    time.put(
        "agent_steps_per_s", seconds > 0 ? (batch.agentSteps() - lastAgentSteps) / seconds : 0);
    time.put("device", engine.device().toString()).put("threads", engine.info().threads());
    time.put("isa", engine.info().instructionSet().toString());
    append(timing, TIMING, time);
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

  /** Appends one evaluation on the way. */
  void log(Evaluated evaluated, Engine engine) throws IOException {
    ObjectNode line = Json.object().put("iteration", evaluated.iteration());
    line.put("agent_steps", evaluated.agentSteps());
    Json.perGroup(line, engine.groups(), evaluated.groups(), Json::returns);
    append(
        evaluations,
        EVALUATIONS,
        line.put("score", evaluated.score()).put("best", evaluated.best()));
  }

  private void append(FileChannel log, String name, ObjectNode line) throws IOException {
    try {
      WholeFile.writeFully(log, ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
    } catch (IOException failure) {
      throw new IOException(
          folder.resolve(name)
              + " cannot be written: "
              + failure.getMessage()
              + "; the folder keeps the checkpoint of iteration "
              + savedIteration,
          failure);
    }
  }

  /** Replaces the checkpoint, after the lines it stands for have reached the disk. */
  void save(Checkpoint checkpoint) throws IOException {
    metrics.force(false);
    timing.force(false);
    evaluations.force(false);
    checkpoint.save(folder.resolve(CHECKPOINT));
    savedIteration = checkpoint.iteration();
  }

  /** Replaces the best checkpoint. */
  void saveBest(Checkpoint checkpoint) {
    checkpoint.save(folder.resolve(BEST));
  }

  /** Says what came of the training, which has ended. */
  void finish(ObjectNode result) throws IOException {
    writeText(folder.resolve(RESULT), result.toPrettyString());
  }

  @Override
  public void close() throws IOException {
    try (metrics;
        timing;
        evaluations) {
      metrics.force(false);
    }
  }
}
