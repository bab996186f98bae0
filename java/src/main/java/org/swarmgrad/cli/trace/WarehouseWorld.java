// Recordings of the robotic warehouse.
package org.swarmgrad.cli.trace;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.Map;
import java.util.regex.Pattern;
import org.swarmgrad.Simulator;

final class WarehouseWorld {
  static final World WAREHOUSE =
      new World(
          Pattern.compile("rware-.*"),
          "rware-tiny-2ag-v2",
          WarehouseWorld::read,
          true,
          false,
          null,
          World.columns(
              World.DONE,
              Map.of(
                  "shelves",
                  new Column.State("shelves", WarehouseWorld::shelves),
                  "moved_shelves",
                  new Column.State("shelves", WarehouseWorld::shelves),
                  "new_requests",
                  new Column.Chance("new_requests", WarehouseWorld::requests, Column.ignored()),
                  World.TIE,
                  Column.ignored())));

  private WarehouseWorld() {}

  private static void read(Parameters parameters) {
    parameters
        .number("n_agents", "agents")
        .number("shelf_rows", "shelf_rows")
        .number("shelf_columns", "shelf_columns")
        .number("column_height", "column_height")
        .number("request_queue_size", "request_queue_size")
        .number("sensor_range", "sensor_range")
        .choice(
            "reward_type",
            "reward_type",
            Map.of("INDIVIDUAL", "individual", "GLOBAL", "global", "TWO_STAGE", "two-stage"))
        .only("msg_bits", 0)
        .number("max_inactivity_steps", "max_inactivity_steps")
        .horizon("max_steps");
  }

  /** Rows [id, x, y]: all shelves, or those that a step moved. */
  private static double[] shelves(
      JsonNode value, Simulator.Field field, double[] last, String where) throws IOException {
    double[] places = last == null ? new double[field.size()] : last.clone();
    for (JsonNode shelf : value) {
      int[] row = Recordings.integers(shelf, 3, where);
      int index = Recordings.index(row[0] - 1, field.rows(), where);
      places[2 * index] = row[1];
      places[2 * index + 1] = row[2];
    }
    return places;
  }

  /** As many as there were deliveries; the last one stands in for draws that no delivery uses. */
  private static double[] requests(
      JsonNode value, Simulator.Field field, double[] last, String where) throws IOException {
    int[] recorded = Recordings.integers(value, value.size(), where);
    if (recorded.length < 1 || recorded.length > field.size()) {
      throw Recordings.malformed(
          where, recorded.length + " numbers; allowed: 1 to " + field.size());
    }
    double[] requests = new double[field.size()];
    for (int draw = 0; draw < requests.length; draw++) {
      requests[draw] = recorded[Math.min(draw, recorded.length - 1)];
    }
    return requests;
  }
}
