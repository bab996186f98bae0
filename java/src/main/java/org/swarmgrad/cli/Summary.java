// What several seeds of one training came to: mean, median and interval over the seeds.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.swarmgrad.measurement.Sample;

final class Summary {
  private Summary() {}

  /** Of the results of the seeds, at least one. */
  static ObjectNode of(List<JsonNode> results, Terminal terminal) {
    ObjectNode summary = Json.object();
    putReturns(summary, "", results, terminal);
    for (String name : List.of("best_score", "agent_steps", "seconds")) {
      if (results.get(0).has(name)) {
        put(summary, name, results, result -> result.path(name).asDouble());
      }
    }
    summary.putArray("seeds").addAll(results);
    return summary;
  }

  /** The returns of every group, one said line each. */
  static void putReturns(
      ObjectNode summary, String what, List<? extends JsonNode> results, Terminal terminal) {
    for (String group : Json.groups(results.get(0)).keySet()) {
      ObjectNode target = group.isEmpty() ? summary : summary.putObject(group);
      ObjectNode returns = put(target, "team_return", results, result -> teamReturn(result, group));
      terminal.say(
          "team return%s over %d seeds%s: mean %s%s, median %.3f",
          group.isEmpty() ? "" : " of " + group,
          results.size(),
          what,
          text(returns),
          returns.has("ci95") ? " (95%)" : "",
          returns.get("median").asDouble());
    }
  }

  static double teamReturn(JsonNode result, String group) {
    return Json.groups(result).get(group).get("team_return_mean").asDouble();
  }

  /** "mean +- half width" where there is an interval. */
  static String text(JsonNode interval) {
    String mean = String.format(Locale.ROOT, "%.3f", interval.get("mean").asDouble());
    return interval.has("ci95")
        ? mean + String.format(Locale.ROOT, " +- %.3f", interval.get("ci95").asDouble())
        : mean;
  }

  private static ObjectNode put(
      ObjectNode target,
      String name,
      List<? extends JsonNode> results,
      ToDoubleFunction<JsonNode> value) {
    double[] values = results.stream().mapToDouble(value).toArray();
    Sample sample = Sample.of(values);
    ObjectNode object = target.putObject(name).put("mean", sample.mean());
    object.put("median", Sample.median(values));
    sample.interval().ifPresent(interval -> object.put("ci95", interval.halfWidth()));
    return object;
  }
}
