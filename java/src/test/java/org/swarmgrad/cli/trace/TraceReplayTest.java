// The environments against recordings of their references, and the replay against spoilt
// recordings.
package org.swarmgrad.cli.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
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
  private static final String FORAGING = "lbf_Foraging-8x8-2p-2f-v3.json.gz";
  private static final String WAREHOUSE = "rware_rware-tiny-2ag-v2.json.gz";
  private static final String KITCHEN = "jaxmarl_overcooked_cramped_room.json.gz";
  private static final String CART_POLE = "gymnasium_CartPole-v1.json.gz";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "mpe_simple_spread_N2_lr0.0.json.gz, simple_spread_v3?agents=2&local_ratio=0, 26, 1, 650",
    "mpe_simple_spread_N3_lr0.5.json.gz, simple_spread_v3, 26, 1, 650",
    "gymnasium_CartPole-v1.json.gz, CartPole-v1, 10, 0, 1151",
    "lbf_Foraging-8x8-2p-2f-v3.json.gz, Foraging-8x8-2p-2f-v3?sight=8, 32, 0, 1365",
    "lbf_Foraging-10x10-3p-3f-v3.json.gz,"
        + " Foraging-8x8-2p-2f-v3?foods=3&players=3&sight=10&size=10, 36, 0, 1558",
    "lbf_Foraging-2s-8x8-2p-2f-coop-v3.json.gz, Foraging-8x8-2p-2f-v3?coop=1&sight=2, 32, 0, 1406",
    "mpe_simple_tag_1good_3adv_2obs.json.gz, simple_tag_v3, 28, 0, 700",
    "mpe_simple_speaker_listener_v4.json.gz, simple_speaker_listener_v4, 10, 0, 250",
    "mpe_simple_reference_v3.json.gz, simple_reference_v3, 10, 0, 250",
    "rware_rware-tiny-2ag-v2.json.gz,"
        + " rware-tiny-2ag-v2?request_queue_size=2&shelf_columns=3&shelf_rows=1, 31, 0, 2748",
    "jaxmarl_overcooked_cramped_room.json.gz, overcooked_cramped_room, 25, 0, 3174",
    "jaxmarl_smax_3m.json.gz, smax_3m, 20, 0, 326"
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

  /** One changed value of a step, wherever it stands, is found where it stands. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          mpe_simple_tag_1good_3adv_2obs.json.gz     | /agent_pos/3/1     | : agent_pos[3][1]
          mpe_simple_tag_1good_3adv_2obs.json.gz     | /agent_vel/0/0     | : agent_vel[0][0]
          mpe_simple_tag_1good_3adv_2obs.json.gz     | /obs/3/13          | , agent 3: observation[13]
          mpe_simple_tag_1good_3adv_2obs.json.gz     | /reward/1          | , agent 1: reward
          mpe_simple_speaker_listener_v4.json.gz     | /agent_comm/0/2    | : agent_comm[0][2]
          mpe_simple_speaker_listener_v4.json.gz     | /reward/0          | , agent 0: reward
          mpe_simple_reference_v3.json.gz            | /agent_comm/1/9    | : agent_comm[1][9]
          mpe_simple_reference_v3.json.gz            | /obs/1/10          | , agent 1: observation[10]
          gymnasium_CartPole-v1.json.gz              | /state/2           | : state[0][2]
          lbf_Foraging-10x10-3p-3f-v3.json.gz        | /player_pos/2/0    | : player_pos[2][0]
          lbf_Foraging-10x10-3p-3f-v3.json.gz        | /foods/1/2         | : foods[1][2]
          lbf_Foraging-10x10-3p-3f-v3.json.gz        | /reward/1          | , agent 1: reward
          lbf_Foraging-10x10-3p-3f-v3.json.gz        | /obs/0/17          | , agent 0: observation[17]
          lbf_Foraging-10x10-3p-3f-v3.json.gz        | /valid_actions/0/3 | , agent 0: mask[
          lbf_Foraging-10x10-3p-3f-v3.json.gz        | /done              | : done
          rware_rware-tiny-2ag-v2.json.gz            | /agents/1/2        | : agents[1][2]
          rware_rware-tiny-2ag-v2.json.gz            | /request_queue/1   | : request_queue[1][0]
          rware_rware-tiny-2ag-v2.json.gz            | /obs/1/70          | , agent 1: observation[70]
          rware_rware-tiny-2ag-v2.json.gz            | /reward/0          | , agent 0: reward
          rware_rware-tiny-2ag-v2.json.gz            | /done              | : done
          jaxmarl_overcooked_cramped_room.json.gz    | /agent_pos_xy/1/0  | : agent_pos_xy[1][0]
          jaxmarl_overcooked_cramped_room.json.gz    | /agent_dir/0       | : agent_dir[0][0]
          jaxmarl_overcooked_cramped_room.json.gz    | /agent_inv/1       | : agent_inv[1][0]
          jaxmarl_overcooked_cramped_room.json.gz    | /grid_obj/3/4      | : grid_obj[3][4]
          jaxmarl_overcooked_cramped_room.json.gz    | /pot_status/0      | : pot_status[0][0]
          jaxmarl_overcooked_cramped_room.json.gz    | /obs_nz/1/0/3      | , agent 1: observation[11]
          jaxmarl_overcooked_cramped_room.json.gz    | /shaped_reward/1   | , agent 1: shaped_reward
          jaxmarl_smax_3m.json.gz | /pos/5/0       | : pos[5][0]
          jaxmarl_smax_3m.json.gz | /health/4      | : health[4][0]
          jaxmarl_smax_3m.json.gz | /cooldown/0    | : cooldown[0][0]
          jaxmarl_smax_3m.json.gz | /alive/3       | : alive[3]
          jaxmarl_smax_3m.json.gz | /agent_done/1  | , agent 1: agent_done
          jaxmarl_smax_3m.json.gz | /avail/2/0     | , agent 2: mask[0]
          jaxmarl_smax_3m.json.gz | /obs/0/65      | , agent 0: observation[65]
          jaxmarl_smax_3m.json.gz | /reward/2      | , agent 2: reward
          jaxmarl_smax_3m.json.gz | /enemy_action/1 | :
          """)
  void oneChangedValueIsFound(String file, String pointer, String message) throws IOException {
    assertMismatch(
        file,
        step -> change(step, JsonPointer.compile(pointer)),
        "episode 2 (" + labelOf(file) + "), step 4" + message);
  }

  @Test
  void everyKindOfMismatchIsFoundAndNamed() throws IOException {
    assertMismatch(
        SPREAD,
        step -> setNumber(step.withArray("agent_pos").get(1), 0, 1e-4),
        "episode 2 (random), step 4: agent_pos[1][0]: recorded ");
    assertMismatch(
        SPREAD,
        step -> setNumber(step.withArray("obs").get(2), 17, 1e-4),
        "episode 2 (random), step 4, agent 2: observation[17]: recorded 1.0E-4, found 0.0");
    assertMismatch(
        SPREAD,
        step -> setNumber(step.get("reward"), 1, 2e-4),
        "episode 2 (random), step 4, agent 1: reward: recorded ");
    assertMismatch(
        CART_POLE,
        step -> step.put("terminated", true),
        "episode 2 (random), step 4: terminated: recorded 1.0, found 0.0");
    assertMismatch(
        CART_POLE,
        step -> step.put("truncated", true),
        "episode 2 (random), step 4: truncated: recorded 1.0, found 0.0");
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
        "episode 2 (random), step 4, agent 1: reward: recorded ");
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

  /** The reference's set order decides ties: a difference there is counted apart, and no more. */
  @Test
  void aTieMayGoTheOtherWay() throws IOException {
    ObjectNode root = golden(WAREHOUSE);
    ObjectNode episode = null;
    int step = -1;
    for (JsonNode candidate : root.get("episodes")) {
      for (int k = 0; k < candidate.get("steps").size() && step < 0; k++) {
        if (candidate.get("steps").get(k).path("order_tie").asBoolean()) {
          episode = (ObjectNode) candidate;
          step = k;
        }
      }
    }
    // What follows is cut off, for it continues the reference's choice.
    ArrayNode steps = episode.withArray("steps");
    while (steps.size() > step + 1) {
      steps.remove(step + 1);
    }
    setNumber(steps.get(step).get("agents").get(0), 2, 1);
    TraceReplay.Result found = TraceReplay.replay(write(root, true));
    assertThat(found.first()).isNull();
    assertThat(found.ties()).isOne();
    ((ObjectNode) steps.get(step)).remove("order_tie");
    found = TraceReplay.replay(write(root, true));
    assertThat(found.ties()).isZero();
    assertThat(found.mismatches()).isPositive();
    assertThat(found.first().step()).isEqualTo(step);
  }

  /** A recorded draw that is not the reference's leads elsewhere. */
  @Test
  void recordedDrawsAreFedIn() throws IOException {
    ObjectNode root = golden(WAREHOUSE);
    for (JsonNode episode : root.get("episodes")) {
      for (JsonNode step : episode.get("steps")) {
        if (step.has("new_requests")) {
          setNumber(step.get("new_requests"), 0, 1);
          TraceReplay.Result found = TraceReplay.replay(write(root, true));
          assertThat(found.first().field()).startsWith("request_queue[");
          return;
        }
      }
    }
    throw new AssertionError("no step of " + WAREHOUSE + " has new_requests");
  }

  @Test
  void variantsThatDoNotExistAreRefused() throws IOException {
    assertRefused(
        FORAGING,
        root -> root.withObject("/params").put("grid_observation", true),
        "parameter grid_observation is true; allowed: false");
    assertRefused(
        FORAGING,
        root -> root.withObject("/params").putArray("field_size").add(8).add(9),
        "parameter field_size is [8,9]; allowed: [S, S]");
    assertRefused(
        FORAGING,
        root -> root.withObject("/params").put("players", 0),
        "players is 0; allowed: whole numbers");
    assertRefused(
        WAREHOUSE,
        root -> root.withObject("/params").put("msg_bits", 2),
        "parameter msg_bits is 2; allowed: 0");
    assertRefused(
        WAREHOUSE,
        root -> root.withObject("/params").put("reward_type", "SHARED"),
        "parameter reward_type is \"SHARED\": reward_type is 'SHARED'; allowed: individual");
    assertRefused(
        KITCHEN,
        root -> root.withObject("/params/layout").putArray("pot_idx").add(3),
        "allowed: the maps of cramped_room |");
    assertRefused(
        KITCHEN,
        root -> root.withObject("/params/layout").put("width", 6),
        "allowed: the maps of cramped_room |");
  }

  @Test
  void spoiltRecordingsAreRefusedInOneLine() throws IOException {
    assertRefused(root -> root.remove("env"), "no 'env'");
    assertRefused(
        root -> root.put("env", "chess"), "environment is 'chess'; allowed: simple_spread_v3");
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
    assertRefused(root -> firstStep(root).remove("obs"), "step 0: no 'obs'");
    assertRefused(root -> firstStep(root).remove("truncated"), "step 0: no 'truncated'");
    assertRefused(FORAGING, root -> firstStep(root).remove("done"), "step 0: no 'done'");
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
        "agent_comm: holds 0.25; allowed: 0.0");
    assertRefused(root -> firstStep(root).put("agent_pos", "here"), "'\"here\"' is not a number");
    assertRefused(root -> firstStep(root).putArray("obs"), "obs: 0 rows; needed: 3");

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
    spoil.accept((ObjectNode) root.get("episodes").get(2).get("steps").get(4));
    TraceReplay.Result found = TraceReplay.replay(write(root, true));
    assertThat(found.mismatches()).isPositive();
    assertThat(found.first()).asString().startsWith(message);
  }

  private void assertRefused(Consumer<ObjectNode> spoil, String message) throws IOException {
    assertRefused(SPREAD, spoil, message);
  }

  private void assertRefused(String file, Consumer<ObjectNode> spoil, String message)
      throws IOException {
    ObjectNode root = golden(file);
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

  /** Another number, or the other truth value. */
  private static void change(ObjectNode step, JsonPointer pointer) {
    JsonNode parent = step.at(pointer.head());
    JsonNode value = step.at(pointer);
    JsonNode changed =
        value.isBoolean()
            ? BooleanNode.valueOf(!value.booleanValue())
            : new DoubleNode(value.doubleValue() + 1);
    if (parent instanceof ArrayNode array) {
      array.set(pointer.last().getMatchingIndex(), changed);
    } else {
      step.set(pointer.last().getMatchingProperty(), changed);
    }
  }

  private static String labelOf(String file) throws IOException {
    return golden(file).get("episodes").get(2).get("label").asText();
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
