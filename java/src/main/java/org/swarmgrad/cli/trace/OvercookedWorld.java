// Recordings of JaxMARL's Overcooked.
package org.swarmgrad.cli.trace;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.swarmgrad.EnvironmentParameter;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Simulator;

final class OvercookedWorld {
  static final World OVERCOOKED =
      new World(
          Pattern.compile("overcooked_.*"),
          "overcooked_cramped_room",
          OvercookedWorld::read,
          true,
          false,
          null,
          World.columns(
              World.DONE,
              Map.of(
                  World.SPARSE_OBSERVATIONS,
                  (Column.Check) OvercookedWorld::observations,
                  "shaped_reward",
                  (Column.Check) OvercookedWorld::shapedRewards)));

  /** How a map says each kind of cell, in the order in which a layout names them. */
  private static final Map<String, Integer> CODES = new LinkedHashMap<>();

  static {
    CODES.put("wall_idx", 2);
    CODES.put("onion_pile_idx", 4);
    CODES.put("plate_pile_idx", 6);
    CODES.put("goal_idx", 7);
    CODES.put("pot_idx", 8);
    CODES.put("agent_idx", 10);
  }

  private OvercookedWorld() {}

  private static void read(Parameters parameters) {
    parameters.number("max_steps", "max_steps").start("random_reset");
    JsonNode layout = parameters.take("layout");
    if (!layout.isMissingNode()) {
      parameters.set("layout", choiceOf(layout, parameters.spec()));
    }
  }

  /** The layout here that has the recorded one's map. */
  private static double choiceOf(JsonNode layout, EnvironmentSpec spec) {
    EnvironmentParameter choices = spec.info().parameter("layout");
    for (double choice = choices.minimum(); choice <= choices.maximum(); choice++) {
      try (Simulator simulator =
          Simulator.open(spec.with("layout", choice), 0, InstructionSet.AUTO)) {
        if (isMapOf(layout, simulator)) {
          return choice;
        }
      }
    }
    throw Parameters.refused("layout", layout, "the maps of " + choices.allowed());
  }

  private static boolean isMapOf(JsonNode layout, Simulator simulator) {
    Simulator.Field field = simulator.field("grid_obj");
    if (layout.path("height").asInt() != field.rows()
        || layout.path("width").asInt() != field.columns()) {
      return false;
    }
    double[] map = new double[field.size()];
    Arrays.fill(map, 1);
    for (Map.Entry<String, Integer> code : CODES.entrySet()) {
      for (JsonNode cell : layout.path(code.getKey())) {
        int index = cell.asInt(-1);
        if (index < 0 || index >= map.length) {
          return false;
        }
        map[index] = code.getValue();
      }
    }
    simulator.reset(0, 0);
    return Arrays.equals(map, simulator.get(field));
  }

  /** What the variant that pays them pays more. */
  private static void shapedRewards(Moment moment, String name, JsonNode value) throws IOException {
    float[] shaped = moment.sameStep("shaped_reward", 1).reward();
    for (int agent = 0; agent < shaped.length; agent++) {
      shaped[agent] -= moment.reward(agent);
    }
    moment.rewards(name, value, shaped);
  }

  /** Nonzero entries [row, column, channel, value] of each agent's [row][column][channel]. */
  private static void observations(Moment moment, String name, JsonNode value) throws IOException {
    Simulator.Field map = moment.simulator().field("grid_obj");
    int size = moment.simulator().groups().getFirst().observationSize();
    int channels = size / map.size();
    int agent = 0;
    for (JsonNode entries : moment.perAgent(name, value)) {
      double[] recorded = new double[size];
      String where = moment.place() + " " + name;
      for (JsonNode entry : entries) {
        int[] cell = Recordings.integers(entry, 4, where);
        int row = Recordings.index(cell[0], map.rows(), where);
        int column = Recordings.index(cell[1], map.columns(), where);
        int channel = Recordings.index(cell[2], channels, where);
        recorded[(row * map.columns() + column) * channels + channel] = cell[3];
      }
      moment.observation(agent, recorded);
      agent++;
    }
  }
}
