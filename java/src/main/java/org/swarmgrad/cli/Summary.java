// What several seeds of one training came to: mean, median and interval over the seeds.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.swarmgrad.measurement.Sample;

final class Summary {
  private Summary() {}

  /** Of the results of the seeds, at least one. */
  static ObjectNode of(List<JsonNode> results, Terminal terminal) {
    ObjectNode summary = Json.object();
    JsonNode first = results.get(0);
    for (String group : Json.groups(first).keySet()) {
      ObjectNode target = group.isEmpty() ? summary : summary.putObject(group);
      ObjectNode returns =
          put(
              target,
              "team_return",
              results,
              result -> Json.groups(result).get(group).path("team_return_mean").asDouble());
      terminal.say(
          "team return%s over %d seeds: mean %.3f%s, median %.3f",
          group.isEmpty() ? "" : " of " + group,
          results.size(),
          returns.get("mean").asDouble(),
          returns.has("ci95")
              ? String.format(" +- %.3f (95%%)", returns.get("ci95").asDouble())
              : "",
          returns.get("median").asDouble());
    }
    for (String name : List.of("best_score", "agent_steps", "seconds")) {
      if (first.has(name)) {
        put(summary, name, results, result -> result.path(name).asDouble());
      }
    }
    summary.putArray("seeds").addAll(results);
    return summary;
  }

  private static ObjectNode put(
      ObjectNode target, String name, List<JsonNode> results, ToDoubleFunction<JsonNode> value) {
    double[] values = results.stream().mapToDouble(value).toArray();
    Sample sample = Sample.of(values);
    ObjectNode object = target.putObject(name).put("mean", sample.mean());
    object.put("median", Sample.median(values));
    sample.interval().ifPresent(interval -> object.put("ci95", interval.halfWidth()));
    return object;
  }
}
