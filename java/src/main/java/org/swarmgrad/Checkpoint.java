// The whole state of a training between two iterations, as a value and as a safetensors file;
// resuming from it is exact.
package org.swarmgrad;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Configuration, schedules, iteration, evaluations so far, and every buffer that the engine marks
 * as checkpointed.
 *
 * <p>In the file each buffer is a tensor under its own name, and everything else is metadata. The
 * file appears complete or not at all.
 */
public final class Checkpoint {
  private static final String FORMAT = "swarmgrad-checkpoint-2";
  private static final String EVALUATED = "evaluated_iteration";
  private static final String BEST_ITERATION = "best_iteration";
  private static final String BEST_SCORE = "best_score";

  private final EngineConfig config;
  private final Schedules schedules;
  private final long iteration;
  private final long agentSteps;
  private final Evaluation evaluation;
  private final Optional<Evaluation.Found> found;
  private final Backend backend;

  private final List<Array> arrays;

  /** A buffer's elements, little endian, under its unique name. */
  private record Array(String name, Buffer.Type type, ByteBuffer bytes) {
    long count() {
      return bytes.limit() / type.bytes();
    }

    /** NaN and infinity are in no state that an engine wrote. */
    boolean finite() {
      for (int i = 0; i < bytes.limit() && type != Buffer.Type.I64; i += type.bytes()) {
        if (!Double.isFinite(type == Buffer.Type.F32 ? bytes.getFloat(i) : bytes.getDouble(i))) {
          return false;
        }
      }
      return true;
    }
  }

  private Checkpoint(
      EngineConfig config,
      Schedules schedules,
      long iteration,
      long agentSteps,
      Evaluation evaluation,
      Optional<Evaluation.Found> found,
      Backend backend,
      List<Array> arrays) {
    this.config = config;
    this.schedules = schedules;
    this.iteration = iteration;
    this.agentSteps = agentSteps;
    this.evaluation = evaluation;
    this.found = found;
    this.backend = backend;
    this.arrays = arrays;
  }

  /**
   * Copies the state of an engine.
   *
   * @param engine between two calls
   * @param schedules that it is trained with
   * @param agentSteps living agents' actions so far, a count for reports only
   * @param evaluation on the way
   * @param found by it so far, empty before the first
   * @return the checkpoint
   */
  public static Checkpoint of(
      Engine engine,
      Schedules schedules,
      long agentSteps,
      Evaluation evaluation,
      Optional<Evaluation.Found> found) {
    List<Array> arrays = new ArrayList<>();
    for (Buffer buffer : engine.buffers()) {
      if (buffer.checkpointed()) {
        arrays.add(new Array(buffer.uniqueName(), buffer.type(), engine.readBuffer(buffer)));
      }
    }
    return new Checkpoint(
        engine.config(),
        schedules,
        engine.iteration(),
        agentSteps,
        evaluation,
        found,
        engine.device().backend(),
        arrays);
  }

  /**
   * The configuration of the engine it was taken from; device, threads and instruction set, which
   * change no bit, have their defaults after loading.
   *
   * @return the configuration
   */
  public EngineConfig config() {
    return config;
  }

  /**
   * The schedules, their horizons included.
   *
   * @return the schedules
   */
  public Schedules schedules() {
    return schedules;
  }

  /**
   * Complete iterations.
   *
   * @return the iteration that comes next
   */
  public long iteration() {
    return iteration;
  }

  /**
   * Living agents' actions so far.
   *
   * @return their number
   */
  public long agentSteps() {
    return agentSteps;
  }

  /**
   * How the training evaluates itself.
   *
   * @return the evaluation
   */
  public Evaluation evaluation() {
    return evaluation;
  }

  /**
   * What its evaluations found.
   *
   * @return empty before the first
   */
  public Optional<Evaluation.Found> found() {
    return found;
  }

  /**
   * The kind of engine it was taken from. Another kind may go on with it: by design both compute
   * the same bits.
   *
   * @return CPU or CUDA
   */
  public Backend backend() {
    return backend;
  }

  /**
   * Writes the file: under a temporary name, forced to the disk, then renamed.
   *
   * @param path replaced if it exists
   * @throws CheckpointException naming the path and what went wrong
   */
  public void save(Path path) {
    Safetensors.Writer writer =
        Safetensors.writer().metadata("format", FORMAT).metadata("backend", backend.toString());
    writer
        .metadata("iteration", String.valueOf(iteration))
        .metadata("agent_steps", String.valueOf(agentSteps));
    config.toMap().forEach(writer::metadata);
    schedules.toMap().forEach(writer::metadata);
    evaluation.toMap().forEach(writer::metadata);
    found.ifPresent(
        some ->
            writer
                .metadata(EVALUATED, String.valueOf(some.iteration()))
                .metadata(BEST_ITERATION, String.valueOf(some.bestIteration()))
                .metadata(BEST_SCORE, Double.toString(some.bestScore())));
    for (Array array : arrays) {
      writer.add(
          new Safetensors.Tensor(
              array.name, Safetensors.Type.valueOf(array.type.name()), List.of(array.count())),
          (first, chunk) ->
              chunk.put(array.bytes.slice((int) first * array.type.bytes(), chunk.remaining())));
    }
    try {
      writer.write(path);
    } catch (IOException failure) {
      throw new CheckpointException(
          "checkpoint " + path + " cannot be written: " + Checks.reason(failure));
    }
  }

  /**
   * Reads a file; every size in it is checked before memory is taken.
   *
   * @param path that {@link #save} wrote
   * @return the checkpoint
   * @throws CheckpointException naming the path and what was found
   */
  public static Checkpoint load(Path path) {
    try (Safetensors file = Safetensors.open(path)) {
      Map<String, String> metadata = file.metadata();
      String format = metadata.get("format");
      if (!FORMAT.equals(format)) {
        throw new CheckpointException(
            path
                + " is no checkpoint of this version: its format is "
                + format
                + "; allowed: "
                + FORMAT);
      }
      List<Array> arrays = new ArrayList<>();
      for (Safetensors.Tensor tensor : file.tensors()) {
        arrays.add(read(file, tensor));
      }
      return new Checkpoint(
          EngineConfig.fromMap(metadata),
          Schedules.fromMap(metadata),
          Labels.whole(metadata, "iteration", Long::valueOf),
          Labels.whole(metadata, "agent_steps", Long::valueOf),
          Evaluation.fromMap(metadata),
          metadata.containsKey(EVALUATED) ? Optional.of(found(metadata)) : Optional.empty(),
          Backend.parseMade(Labels.text(metadata, "backend")),
          arrays);
    } catch (IOException | IllegalArgumentException failure) {
      throw new CheckpointException(
          "checkpoint " + path + " cannot be read: " + Checks.reason(failure));
    }
  }

  private static Evaluation.Found found(Map<String, String> metadata) {
    return new Evaluation.Found(
        Labels.whole(metadata, EVALUATED, Long::valueOf),
        Labels.whole(metadata, BEST_ITERATION, Long::valueOf),
        Labels.number(metadata, BEST_SCORE));
  }

  private static Array read(Safetensors file, Safetensors.Tensor tensor) throws IOException {
    Buffer.Type type;
    switch (tensor.type()) {
      case F32 -> type = Buffer.Type.F32;
      case F64 -> type = Buffer.Type.F64;
      case I64 -> type = Buffer.Type.I64;
      default ->
          throw new IOException(
              "tensor " + tensor.name() + " is " + tensor.type() + "; allowed: F32, F64, I64");
    }
    if (tensor.size() > Integer.MAX_VALUE - 8) {
      throw new IOException(
          "tensor " + tensor.name() + " has " + tensor.size() + " bytes; allowed: up to 2 GiB");
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) tensor.size()).order(ByteOrder.LITTLE_ENDIAN);
    switch (type) {
      case F32 -> bytes.asFloatBuffer().put(file.floats(tensor.name()));
      case F64 -> bytes.asDoubleBuffer().put(file.doubles(tensor.name()));
      case I64 -> bytes.asLongBuffer().put(file.longs(tensor.name()));
    }
    return new Array(tensor.name(), type, bytes);
  }

  /**
   * Puts the state into an engine, which then continues with the same bits. Everything is checked
   * first: an engine that this throws for is unchanged.
   *
   * @param engine opened with a configuration that computes the same
   * @throws CheckpointException naming what does not fit
   */
  public void restore(Engine engine) {
    List<String> differences = config.differences(engine.config());
    if (!differences.isEmpty()) {
      throw new CheckpointException(
          "the checkpoint does not fit the engine (checkpoint, engine): "
              + String.join("; ", differences));
    }
    Map<Buffer, ByteBuffer> writes = new LinkedHashMap<>();
    for (Buffer buffer : engine.buffers()) {
      if (buffer.checkpointed()) {
        writes.put(buffer, array(buffer).bytes);
      }
    }
    long stored = array(engine.buffer("iteration")).bytes.getLong(0);
    if (stored != iteration) {
      throw new CheckpointException(
          "the checkpoint's metadata says iteration " + iteration + ", its buffer " + stored);
    }
    writes.forEach(engine::writeBuffer);
  }

  private Array array(Buffer buffer) {
    for (Array array : arrays) {
      if (array.name.equals(buffer.uniqueName())) {
        if (array.type != buffer.type() || array.count() != buffer.count()) {
          throw new CheckpointException(
              "the checkpoint's "
                  + array.name
                  + " is "
                  + array.type
                  + " ["
                  + array.count()
                  + "]; allowed: "
                  + buffer.type()
                  + " ["
                  + buffer.count()
                  + "]");
        }
        if (!array.finite()) {
          throw new CheckpointException(
              "the checkpoint's " + array.name + " holds NaN or infinity");
        }
        return array;
      }
    }
    throw new CheckpointException(
        "the checkpoint has no "
            + buffer.uniqueName()
            + "; it has "
            + arrays.stream().map(Array::name).toList());
  }
}
