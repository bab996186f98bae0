// Names, shapes and metadata of a recorded batch as a safetensors file; it neither records nor
// judges.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.swarmgrad.Engine;
import org.swarmgrad.Group;
import org.swarmgrad.Policy;
import org.swarmgrad.Recording;
import org.swarmgrad.Safetensors;
import org.swarmgrad.Safetensors.Tensor;
import org.swarmgrad.Safetensors.Type;
import org.swarmgrad.Trajectories;

/**
 * One recorded batch as a safetensors file that other frameworks can recompute the gradient from:
 * names, shapes and metadata of the tensors; it neither records nor judges.
 */
final class BatchFile {
  private BatchFile() {}

  /**
   * The bytes of data that a batch of this engine takes, in the file and, before that, in memory.
   *
   * @param engine open
   * @return bytes, infinite where they exceed any number of bytes
   */
  static double dataBytes(Engine engine) {
    double bytes = 0;
    for (Group group : engine.groups()) {
      double rows =
          (double) engine.config().environments() * engine.info().horizon() * group.agentCount();
      int perRow =
          4 * group.observationSize() + 4 * 4 + 1 + (group.masked() ? group.actionCount() : 0);
      bytes +=
          rows * perRow + 4.0 * engine.config().environments() + 2 * 4.0 * group.parameterCount();
    }
    return bytes;
  }

  /**
   * Everything about one batch.
   *
   * @param engine at the parameters that made the batch
   * @param recording the batch
   * @return a writer, complete
   */
  static Safetensors.Writer writer(Engine engine, Recording recording) {
    Safetensors.Writer writer = Safetensors.writer();
    Map<String, String> configuration = new LinkedHashMap<>(engine.config().toMap());
    configuration.put(
        "horizon", String.valueOf(engine.info().horizon())); // 0 means nothing to a reader
    configuration.forEach(writer::metadata);
    writer.metadata("activation", activations(engine));
    writer.metadata("groups", groups(engine));
    float[] parameters = engine.parameters();
    for (Trajectories batch : recording.trajectories()) {
      addTrajectories(writer, prefix(engine, batch.group()), batch);
      for (Layer layer : layers(engine, batch.group())) {
        layer.add(writer, prefix(engine, batch.group()) + "policy.", parameters);
        layer.add(
            writer,
            prefix(engine, batch.group()) + "gradient.policy.",
            recording.gradient().values());
      }
    }
    return writer;
  }

  /**
   * Reads policy tensors of the names that {@link #writer} gives them.
   *
   * @param engine whose shapes they must have
   * @param path of the file, which may hold other tensors as well
   * @return [parameter]
   * @throws IOException if the file is malformed, or a tensor is missing or of another type or
   *     shape
   */
  static float[] readParameters(Engine engine, Path path) throws IOException {
    float[] parameters = engine.parameters();
    try (Safetensors file = Safetensors.open(path)) {
      for (Group group : engine.groups()) {
        for (Layer layer : layers(engine, group)) {
          layer.read(file, path, prefix(engine, group) + "policy.", parameters);
        }
      }
    }
    return parameters;
  }

  private static void addTrajectories(
      Safetensors.Writer writer, String prefix, Trajectories batch) {
    Group group = batch.group();
    add(
        writer,
        prefix + "observation",
        Type.F32,
        batch,
        group.observationSize(),
        put(batch.observation()));
    add(
        writer,
        prefix + "action",
        Type.I32,
        batch,
        0,
        (chunk, index) -> chunk.putInt(batch.action()[index]));
    add(writer, prefix + "reward", Type.F32, batch, 0, put(batch.reward()));
    add(writer, prefix + "log_probability", Type.F32, batch, 0, put(batch.logProbability()));
    add(writer, prefix + "weight", Type.F32, batch, 0, put(batch.weight()));
    add(writer, prefix + "alive", Type.U8, batch, 0, put(batch.alive()));
    if (batch.mask() != null) {
      add(writer, prefix + "action_mask", Type.U8, batch, group.actionCount(), put(batch.mask()));
    }
    writer.add(prefix + "episode_length", batch.episodeLength(), batch.environments());
  }

  /** Puts one element of an array into a chunk of the file. */
  private interface Put {
    void element(ByteBuffer chunk, int index);
  }

  private static Put put(float[] values) {
    return (chunk, index) -> chunk.putFloat(values[index]);
  }

  private static Put put(byte[] values) {
    return (chunk, index) -> chunk.put(values[index]);
  }

  /**
   * Adds [episode, step, agent] (and [.., width] where width is not 0) from an array that has the
   * environment last.
   */
  private static void add(
      Safetensors.Writer writer, String name, Type type, Trajectories batch, int width, Put put) {
    long episodes = batch.environments();
    List<Long> shape =
        new ArrayList<>(List.of(episodes, (long) batch.steps(), (long) batch.group().agentCount()));
    if (width != 0) {
      shape.add((long) width);
    }
    Tensor tensor = new Tensor(name, type, shape);
    long perEpisode = tensor.count() / episodes;
    writer.add(
        tensor,
        (first, chunk) -> {
          for (long element = first; chunk.hasRemaining(); element++) {
            put.element(chunk, (int) (element % perEpisode * episodes + element / perEpisode));
          }
        });
  }

  /** One layer's place in the parameters, and the names of its tensors. */
  private record Layer(int number, int inputs, int outputs, int offset) {
    void add(Safetensors.Writer writer, String prefix, float[] values) {
      int bias = offset + inputs * outputs;
      writer.add(
          prefix + number + ".weight", Arrays.copyOfRange(values, offset, bias), outputs, inputs);
      writer.add(
          prefix + number + ".bias", Arrays.copyOfRange(values, bias, bias + outputs), outputs);
    }

    void read(Safetensors file, Path path, String prefix, float[] values) throws IOException {
      copy(
          file,
          path,
          prefix + number + ".weight",
          List.of((long) outputs, (long) inputs),
          values,
          offset);
      copy(
          file,
          path,
          prefix + number + ".bias",
          List.of((long) outputs),
          values,
          offset + inputs * outputs);
    }

    private static void copy(
        Safetensors file, Path path, String name, List<Long> shape, float[] values, int offset)
        throws IOException {
      if (!file.tensor(name).shape().equals(shape)) {
        throw new IOException(
            path
                + ": tensor '"
                + name
                + "' has shape "
                + file.tensor(name).shape()
                + "; allowed: "
                + shape);
      }
      float[] found = file.floats(name);
      System.arraycopy(found, 0, values, offset, found.length);
    }
  }

  private static List<Layer> layers(Engine engine, Group group) {
    List<Layer> layers = new ArrayList<>();
    int inputs = group.observationSize();
    int offset = (int) group.parameterOffset();
    List<Integer> outputs = new ArrayList<>(policy(engine, group).hidden());
    outputs.add(group.actionCount());
    for (int size : outputs) {
      layers.add(new Layer(layers.size(), inputs, size, offset));
      offset += (inputs + 1) * size;
      inputs = size;
    }
    return layers;
  }

  private static Policy policy(Engine engine, Group group) {
    List<Policy> policies = engine.config().policies();
    return policies.get(policies.size() == 1 ? 0 : engine.groups().indexOf(group));
  }

  private static String prefix(Engine engine, Group group) {
    return engine.groups().size() == 1 ? "" : "group." + group.name() + ".";
  }

  /** One name, or one a group separated by ';' as policies are. */
  private static String activations(Engine engine) {
    return engine.config().policies().stream()
        .map(policy -> policy.activation().toString())
        .collect(Collectors.joining(";"));
  }

  private static String groups(Engine engine) {
    ArrayNode groups = new ObjectMapper().createArrayNode();
    for (Group group : engine.groups()) {
      groups
          .addObject()
          .put("name", group.name())
          .put("agents", group.agentCount())
          .put("observation_size", group.observationSize())
          .put("action_count", group.actionCount());
    }
    return groups.toString();
  }
}
