// The environments against recordings of their references, and the replay against spoilt
// recordings.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The environments against trajectories of their reference implementations, and the replay against
 * spoilt recordings.
 */
class TraceReplayTest {
  private static final String SPREAD = "mpe_simple_spread_N3_lr0.5.json.gz";
  private static final String CART_POLE = "gymnasium_CartPole-v1.json.gz";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "mpe_simple_spread_N2_lr0.0.json.gz, simple_spread_v3, 26, 1, 650",
    "mpe_simple_spread_N3_lr0.5.json.gz, simple_spread_v3, 26, 1, 650",
    "gymnasium_CartPole-v1.json.gz, CartPole-v1, 10, 0, 1151"
  })
  void environmentsAgreeWithTheirReferences(
      String file, String environment, int episodes, int excepted, long steps) throws IOException {
    TraceReplay.Result found = TraceReplay.replay(write(golden(file), true));
    assertThat(found.first()).isNull();
    assertThat(found.mismatches()).isZero();
    assertThat(found.environment()).isEqualTo(environment);
    assertThat(found.episodes()).isEqualTo(episodes);
    assertThat(found.excepted()).isEqualTo(excepted);
    assertThat(found.steps()).isEqualTo(steps);
    assertThat(found.stateDifference()).isBetween(0.0, 1e-5);
  }

  @Test
  void plainJsonIsReadToo() throws IOException {
    assertThat(TraceReplay.replay(write(golden(CART_POLE), false)).mismatches()).isZero();
  }

  @Test
  void everyKindOfMismatchIsFoundAndNamed() throws IOException {
    assertMismatch(
        SPREAD,
        step -> setNumber(step.withArray("agent_pos").get(1), 0, 1e-4),
        "episode 2 (random), step 3: agent_pos[1][0]: recorded ");
    assertMismatch(
        SPREAD,
        step -> setNumber(step.withArray("obs").get(2), 17, 1e-4),
        "episode 2 (random), step 3, agent 2: observation[17]: recorded 1.0E-4, found 0.0");
    assertMismatch(
        SPREAD,
        step -> setNumber(step.get("reward"), 1, 2e-4),
        "episode 2 (random), step 3, agent 1: reward: recorded ");
    assertMismatch(
        CART_POLE,
        step -> step.put("terminated", true),
        "episode 2 (random), step 3: terminated: recorded 1.0, found 0.0");
    assertMismatch(
        CART_POLE,
        step -> step.put("truncated", true),
        "episode 2 (random), step 3: truncated: recorded 1.0, found 0.0");
  }

  /**
   * A collision too many is a mismatch in the middle of the plane, and a matter of rounding at the
   * contact distance.
   */
  @Test
  void collisionsMayDifferOnlyAtTheContactDistance() throws IOException {
    assertMismatch(
        SPREAD,
        step -> setNumber(step.get("reward"), 1, -0.5),
        "episode 2 (random), step 3, agent 1: reward: recorded ");
    ObjectNode root = golden(SPREAD);
    JsonNode tangent = null;
    for (JsonNode episode : root.get("episodes")) {
      if (episode.get("label").asText().contains("exactly tangent")) {
        tangent = episode;
      }
    }
    // The first step leaves positions as they were: 0.3 apart. Whoever counts that collision is
    // forgiven.
    setNumber(tangent.get("steps").get(0).get("reward"), 0, -0.5);
    TraceReplay.Result found = TraceReplay.replay(write(root, true));
    assertThat(found.first()).isNull();
    assertThat(found.undecided()).isPositive();
  }

  @Test
  void spoiltRecordingsAreRefusedInOneLine() throws IOException {
    assertRefused(root -> root.remove("env"), "no 'env'");
    assertRefused(root -> root.put("env", "chess"), "environment is 'chess'; allowed: CartPole-v1");
    assertRefused(root -> root.remove("params"), "no 'params'");
    assertRefused(root -> root.withObject("/params").put("N", 0), "agents is 0; allowed: ");
    assertRefused(
        root -> root.withObject("/params").put("wind", 1), "parameter 'wind' is 1; allowed: ");
    assertRefused(
        root -> root.withObject("/params").put("continuous_actions", true),
        "parameter continuous_actions is true; allowed: false");
    assertRefused(root -> root.withObject("/params").put("N", 2), "numbers; needed: ");
    assertRefused(root -> root.put("episodes", 3), "'episodes' is not an array");
    assertRefused(root -> root.putArray("episodes"), "no step to replay");
    assertRefused(root -> first(root).remove("initial"), "episode 0 (random): no 'initial'");
    assertRefused(
        root -> firstStep(root).remove("action"), "episode 0 (random), step 0: no 'action'");
    assertRefused(root -> firstStep(root).putArray("action").add(0).add(9).add(0), "9");
    assertRefused(
        root -> firstStep(root).putArray("action").add(0).add(0.5).add(0), "whole numbers");
    assertRefused(root -> firstStep(root).putArray("action").add(0), "1 numbers; needed: 3");
    assertRefused(
        root -> firstStep(root).putArray("wheels").add(0), "field is 'wheels'; allowed: agent_pos");
    assertRefused(
        root -> firstStep(root).putArray("agent_comm").add(0.25),
        "agent_comm: holds 0.25; allowed: 0");
    assertRefused(root -> firstStep(root).put("agent_pos", "here"), "'\"here\"' is not a number");
    assertRefused(root -> firstStep(root).putArray("obs"), "0 observations; needed: 3");

    ObjectNode unfinished = golden(CART_POLE);
    firstStep(unfinished).putArray("state").addNull().add(0).add(0).add(0);
    assertRefused(write(unfinished, false), "episode 0 (random), step 1: ");

    assertRefused(folder, "a folder");
    Path path = folder.resolve("spoilt");
    Files.writeString(path, "[1, 2]");
    assertRefused(path, "the file is not one JSON object");
    Files.writeString(path, "");
    assertRefused(path, "the file is not one JSON object");
    Files.writeString(path, "{\"env\": ");
    assertRefused(path, "not a recording: ");
    Files.writeString(path, "[".repeat(100_000));
    assertRefused(path, "not a recording: ");
    byte[] whole = Files.readAllBytes(write(golden(CART_POLE), true));
    Files.write(path, Arrays.copyOf(whole, whole.length / 2));
    assertRefused(path, "damaged gzip data");
    whole[whole.length / 2] ^= 0x55;
    Files.write(path, whole);
    assertThatThrownBy(() -> TraceReplay.replay(path)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> TraceReplay.replay(folder.resolve("absent")))
        .isInstanceOf(IOException.class);
  }

  private void assertMismatch(String file, Consumer<ObjectNode> spoil, String message)
      throws IOException {
    ObjectNode root = golden(file);
    spoil.accept((ObjectNode) root.get("episodes").get(2).get("steps").get(3));
    TraceReplay.Result found = TraceReplay.replay(write(root, true));
    assertThat(found.mismatches()).isPositive();
    assertThat(found.first()).startsWith(message);
  }

  private void assertRefused(Consumer<ObjectNode> spoil, String message) throws IOException {
    ObjectNode root = golden(SPREAD);
    spoil.accept(root);
    assertRefused(write(root, false), message);
  }

  private static void assertRefused(Path path, String message) {
    assertThatThrownBy(() -> TraceReplay.replay(path))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(path.toString())
        .hasMessageContaining(message)
        .satisfies(failure -> assertThat(failure.getMessage()).doesNotContain("\n"));
  }

  private static ObjectNode first(ObjectNode root) {
    return (ObjectNode) root.get("episodes").get(0);
  }

  private static ObjectNode firstStep(ObjectNode root) {
    return (ObjectNode) first(root).get("steps").get(0);
  }

  private static void setNumber(JsonNode array, int index, double added) {
    ((ArrayNode) array).set(index, array.get(index).doubleValue() + added);
  }

  private static ObjectNode golden(String name) throws IOException {
    try (InputStream input = TraceReplayTest.class.getResourceAsStream("/golden/" + name);
        InputStream json = new GZIPInputStream(input)) {
      return (ObjectNode) new ObjectMapper().readTree(json);
    }
  }

  private Path write(JsonNode root, boolean gzip) throws IOException {
    Path path = folder.resolve(gzip ? "recording.json.gz" : "recording.json");
    try (OutputStream file = Files.newOutputStream(path);
        OutputStream json = gzip ? new GZIPOutputStream(file) : file) {
      new ObjectMapper().writeValue(json, root);
    }
    return path;
  }
}
