// Recordings of level-based foraging.
package org.swarmgrad.cli.trace;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.util.Map;
import java.util.regex.Pattern;
import org.swarmgrad.Simulator;

final class ForagingWorld {
  static final World FORAGING =
      new World(
          Pattern.compile("Foraging-.*"),
          "Foraging-8x8-2p-2f-v3",
          ForagingWorld::read,
          true,
          false,
          null,
          World.columns(
              World.DONE,
              Map.of(
                  "field",
                  new Column.State("foods", ForagingWorld::field),
                  "foods",
                  new Column.State("foods", ForagingWorld::foods),
                  "valid_actions",
                  (Column.Check) ForagingWorld::validActions,
                  "current_step",
                  Column.always(0),
                  "game_over",
                  Column.always(0))));

  private ForagingWorld() {}

  private static void read(Parameters parameters) {
    JsonNode size = parameters.take("field_size");
    if (!size.isMissingNode()) {
      if (size.size() != 2 || !size.get(0).isInt() || !size.get(0).equals(size.get(1))) {
        throw Parameters.refused("field_size", size, "[S, S]");
      }
      parameters.set("size", size.get(0).intValue());
    }
    parameters
        .number("players", "players")
        .number("max_num_food", "foods")
        .number("sight", "sight")
        .number("force_coop", "coop")
        .number("penalty", "penalty")
        .number("normalize_reward", "normalize_reward")
        .number("observe_agent_levels", "observe_agent_levels")
        .number("min_player_level", "min_player_level")
        .number("max_player_level", "max_player_level")
        .number("min_food_level", "min_food_level")
        .number("max_food_level", "max_food_level")
        .only("grid_observation", false)
        .horizon("max_episode_steps");
  }

  /** The levels of all cells, as rows [row, column, level] of the food that is there. */
  private static double[] field(JsonNode value, Simulator.Field field, double[] last, String where)
      throws IOException {
    ArrayNode foods = JsonNodeFactory.instance.arrayNode();
    for (int row = 0; row < value.size(); row++) {
      for (int column = 0; column < value.get(row).size(); column++) {
        if (value.get(row).get(column).asInt() != 0) {
          foods.addArray().add(row).add(column).add(value.get(row).get(column));
        }
      }
    }
    return foods(foods, field, last, where);
  }

  /** Rows [row, column, level] of the food that is left; then [-1, -1, 0]. */
  private static double[] foods(JsonNode value, Simulator.Field field, double[] last, String where)
      throws IOException {
    if (value.size() > field.rows()) {
      throw Recordings.malformed(where, value.size() + " foods; allowed: 0 to " + field.rows());
    }
    double[] foods = new double[field.size()];
    for (int food = 0; food < field.rows(); food++) {
      int[] row =
          food < value.size()
              ? Recordings.integers(value.get(food), 3, where)
              : new int[] {-1, -1, 0};
      for (int column = 0; column < 3; column++) {
        foods[3 * food + column] = row[column];
      }
    }
    return foods;
  }

  /** Lists of actions, which only the variant with a mask shows. */
  private static void validActions(Moment moment, String name, JsonNode value) throws IOException {
    Simulator masked = moment.inSameState("mask", 1);
    int agent = 0;
    for (JsonNode actions : moment.perAgent(name, value)) {
      double[] expected = new double[masked.groups().getFirst().actionCount()];
      for (JsonNode action : actions) {
        expected[
                Recordings.index(
                    Recordings.integers(action, 1, moment.place())[0],
                    expected.length,
                    moment.place() + " " + name)] =
            1;
      }
      moment.mask(agent, masked.observe(agent).mask(), expected);
      agent++;
    }
  }
}
