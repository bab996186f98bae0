// Checkpoints: whole or absent, refused with a reason when damaged, and an engine that a bad one
// leaves unchanged.
package org.swarmgrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("contract")
class CheckpointTest {
  private static final Schedule SCHEDULE = Schedule.cosine(0.003, 40);

  @TempDir Path folder;

  private static EngineConfig.Builder small() {
    return EngineConfig.builder("simple_spread_v3?agents=2")
        .policy(Policy.mlp(8))
        .environments(20)
        .device(TestDevice.DEVICE)
        .baseline(Baseline.PREVIOUS_BATCH)
        .scale(Scale.RUNNING_DEVIATION);
  }

  private Path saved(int iterations) {
    Path file = folder.resolve("checkpoint.safetensors");
    try (Engine engine = Engine.open(small().build())) {
      Trainer trainer = new Trainer(engine, SCHEDULE);
      trainer.train(iterations);
      trainer.checkpoint().save(file);
    }
    return file;
  }

  @Test
  void aFileHoldsEverything() throws IOException {
    Path file = saved(3);
    Checkpoint checkpoint = Checkpoint.load(file);
    assertThat(checkpoint.config().toMap()).isEqualTo(small().build().toMap());
    assertThat(checkpoint.schedules()).isEqualTo(Schedules.of(SCHEDULE, checkpoint.config()));
    assertThat(checkpoint.iteration()).isEqualTo(3);
    assertThat(checkpoint.agentSteps()).isEqualTo(3L * 20 * 2 * 25);
    assertThat(checkpoint.backend()).isEqualTo(TestDevice.DEVICE.backend());
    try (Safetensors tensors = Safetensors.open(file);
        Engine engine = Engine.open(small().build())) {
      for (Buffer buffer : engine.buffers()) {
        assertThat(tensors.has(buffer.uniqueName()))
            .as(buffer.name())
            .isEqualTo(buffer.checkpointed());
      }
    }
  }

  @Test
  void savingTwiceGivesTheSameBytesAndLeavesNothingBeside() throws IOException {
    Path file = saved(2);
    Path copy = folder.resolve("copy.safetensors");
    Checkpoint.load(file).save(copy);
    assertThat(copy).hasSameBinaryContentAs(file);
    Checkpoint.load(file).save(copy);
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactlyInAnyOrder(file, copy);
    }
  }

  @Test
  void aFailedSaveKeepsTheOldFile() throws IOException {
    Path file = saved(2);
    Checkpoint checkpoint = Checkpoint.load(file);
    Path missing = folder.resolve("missing").resolve("checkpoint.safetensors");
    assertThatThrownBy(() -> checkpoint.save(missing))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith("checkpoint " + missing + " cannot be written: ");
    Path full = Files.createDirectory(folder.resolve("taken"));
    Files.writeString(full.resolve("something"), "here");
    assertThatThrownBy(() -> checkpoint.save(full)).isInstanceOf(CheckpointException.class);
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactlyInAnyOrder(file, full);
    }
  }

  @Test
  void aMissingFileIsNamed() {
    Path file = folder.resolve("none.safetensors");
    assertThatThrownBy(() -> Checkpoint.load(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessage("checkpoint " + file + " cannot be read: it does not exist");
  }

  @Test
  void aFileCutAnywhereIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(saved(2));
    Path file = folder.resolve("cut.safetensors");
    for (int length = 0; length < whole.length; length += 1 + length / 9) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> Checkpoint.load(file))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(file.toString())
          .hasMessageNotContaining("\n");
    }
  }

  @Test
  void aDamagedHeaderNeverCrashes() throws IOException {
    byte[] whole = Files.readAllBytes(saved(2));
    Path file = folder.resolve("damaged.safetensors");
    Random random = new Random(1);
    try (Engine engine = Engine.open(small().build())) {
      for (int i = 0; i < 300; i++) {
        byte[] damaged = whole.clone();
        damaged[random.nextInt(1500)] = (byte) random.nextInt(256);
        Files.write(file, damaged);
        try {
          Checkpoint.load(file).restore(engine);
        } catch (CheckpointException expected) {
          assertThat(expected).hasMessageNotContaining("\n");
        }
      }
      engine.train(0.001);
    }
  }

  /** A copy of a checkpoint with something changed on the way. */
  private Path rewritten(
      Path original,
      Map<String, String> metadata,
      BiConsumer<String, float[]> change,
      String dropped)
      throws IOException {
    Path file = folder.resolve("rewritten.safetensors");
    try (Safetensors tensors = Safetensors.open(original)) {
      Safetensors.Writer writer = Safetensors.writer();
      tensors
          .metadata()
          .forEach((key, value) -> writer.metadata(key, metadata.getOrDefault(key, value)));
      for (Safetensors.Tensor tensor : tensors.tensors()) {
        String name = tensor.name();
        if (name.equals(dropped)) {
          continue;
        }
        switch (tensor.type()) {
          case F32 -> {
            float[] values = tensors.floats(name);
            change.accept(name, values);
            writer.add(name, values, values.length);
          }
          case F64 -> writer.add(name, tensors.doubles(name), tensor.count());
          default -> writer.add(name, tensors.longs(name), tensor.count());
        }
      }
      writer.write(file);
    }
    return file;
  }

  private void refused(EngineConfig config, Path file, String message) {
    try (Engine engine = Engine.open(config)) {
      engine.train(0.001);
      String before = engine.parametersSha256();
      assertThatThrownBy(() -> Checkpoint.load(file).restore(engine))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(message);
      assertThat(engine.parametersSha256()).isEqualTo(before);
      assertThat(engine.iteration()).isEqualTo(1);
    }
  }

  @Test
  void whatDoesNotFitIsRefusedAndChangesNothing() throws IOException {
    Path file = saved(2);
    BiConsumer<String, float[]> unchanged = (name, values) -> {};
    refused(small().seed(9).build(), file, "seed: 0, 9");
    refused(
        small().build(),
        rewritten(
            file,
            Map.of(),
            (name, values) -> {
              if (name.equals("parameters")) {
                values[3] = Float.NaN;
              }
            },
            ""),
        "parameters holds NaN or infinity");
    refused(
        small().build(),
        rewritten(file, Map.of(), unchanged, "parameters"),
        "the checkpoint has no parameters; it has [");
    refused(
        small().build(),
        rewritten(file, Map.of("backend", "abacus"), unchanged, ""),
        "backend is 'abacus'; allowed: cpu, cuda");
    refused(
        small().build(),
        rewritten(file, Map.of("iteration", "7"), unchanged, ""),
        "the checkpoint's metadata says iteration 7, its buffer 2");
    refused(
        small().build(),
        rewritten(file, Map.of("discount", "2"), unchanged, ""),
        "cannot be read: discount is 2; allowed: 0 to 1");
    refused(
        small().build(),
        rewritten(file, Map.of("format", "other"), unchanged, ""),
        "its format is other; allowed: swarmgrad-checkpoint-2");
    refused(
        small().build(),
        rewritten(file, Map.of("environment", "nowhere"), unchanged, ""),
        "cannot be read: environment is \"nowhere\"; known: ");
  }

  @Test
  void anotherShapeIsRefused() throws IOException {
    Path file = saved(2);
    Path wrong = folder.resolve("wrong.safetensors");
    try (Safetensors tensors = Safetensors.open(file)) {
      Safetensors.Writer writer = Safetensors.writer();
      tensors.metadata().forEach(writer::metadata);
      writer.add("iteration", tensors.longs("iteration"), 1);
      writer.add("parameters", new float[3], 3);
      writer.write(wrong);
    }
    refused(small().build(), wrong, "the checkpoint's parameters is F32 [3]; allowed: F32 [");
  }
}
