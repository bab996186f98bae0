// swarmgrad compare: sets what trainings came to beside each other, with intervals; plays nothing.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.swarmgrad.measurement.Sample;

final class CompareCommand implements Command {
  @Override
  public String name() {
    return "compare";
  }

  @Override
  public String summary() {
    return "Set the results of trainings beside each other.";
  }

  @Override
  public String usage() {
    return "compare FOLDER FOLDER ... [--json]";
  }

  @Override
  public String example() {
    return "compare runs/simple_spread_v3-001 runs/simple_spread_v3-002";
  }

  @Override
  public Options options() {
    return Arguments.json(new Options());
  }

  @Override
  public boolean takesFiles() {
    return true;
  }

  /**
   * One line of the table.
   *
   * @param folder of one seed or of several
   * @param results of the seeds that have ended, at least one
   */
  private record Row(Path folder, List<JsonNode> results) {
    static Row read(Path folder, Terminal terminal) throws IOException {
      RunFolder.readConfig(folder);
      List<Path> trainings = RunFolder.trainings(folder);
      List<JsonNode> results = new ArrayList<>();
      for (Path training : trainings) {
        RunFolder.readResult(training).ifPresent(results::add);
      }
      if (results.isEmpty()) {
        throw new IOException(
            folder + " has no result: its training has not ended; allowed: after train --resume");
      }
      if (results.size() < trainings.size()) {
        terminal.note(
            "swarmgrad: %s: %d of %d seeds have ended", folder, results.size(), trainings.size());
      }
      return new Row(folder, results);
    }

    Set<String> groups() {
      return Json.groups(results.get(0)).keySet();
    }

    String environment() {
      return results.get(0).path("environment").asText();
    }

    boolean isOverSeeds() {
      return results.size() > 1;
    }

    /** Over seeds, or over the episodes of the only one. */
    Sample teamReturn(String group) {
      if (isOverSeeds()) {
        return Sample.of(
            results.stream().mapToDouble(result -> Summary.teamReturn(result, group)).toArray());
      }
      JsonNode only = Json.groups(results.get(0)).get(group);
      long episodes = results.get(0).get("episodes").asLong();
      return new Sample(
          episodes,
          only.get("team_return_mean").asDouble(),
          only.get("team_return_standard_error").asDouble() * Math.sqrt(episodes));
    }

    /** The mean over the seeds; empty where they have no such number. */
    Optional<Double> mean(String name) {
      return results.get(0).has(name)
          ? Optional.of(
              results.stream().mapToDouble(result -> result.get(name).asDouble()).sum()
                  / results.size())
          : Optional.empty();
    }
  }

  @Override
  public int run(CommandLine line, Terminal terminal) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (String folder : line.getArgList()) {
      rows.add(Row.read(Path.of(folder), terminal));
    }
    check(rows, terminal);
    ArrayNode runs = Json.MAPPER.createArrayNode();
    rows.forEach(row -> runs.add(describe(row)));
    for (String group : rows.get(0).groups()) {
      compare(rows, group, runs, terminal);
    }
    terminal.result(Json.object().set("runs", runs));
    return 0;
  }

  private static void check(List<Row> rows, Terminal terminal) {
    if (rows.isEmpty()) {
      throw new UsageException("no folder is given; allowed: one or more of train's");
    }
    Set<String> environments = new TreeSet<>();
    for (Row row : rows) {
      environments.add(row.environment());
      if (!row.groups().equals(rows.get(0).groups())) {
        throw new UsageException(
            row.folder()
                + " has groups "
                + row.groups()
                + ", "
                + rows.get(0).folder()
                + " "
                + rows.get(0).groups()
                + "; allowed: trainings of one environment");
      }
    }
    if (environments.size() > 1) {
      terminal.note("swarmgrad: the environments differ: %s", environments);
    }
  }

  private static ObjectNode describe(Row row) {
    ObjectNode run = Json.object().put("run", row.folder().toString());
    run.put("environment", row.environment()).put("seeds", row.results().size());
    run.put("interval_over", row.isOverSeeds() ? "seeds" : "episodes");
    for (String name : List.of("best_score", "agent_steps", "seconds")) {
      row.mean(name).ifPresent(value -> run.put(name, value));
    }
    return run;
  }

  /** One table: a line a run, the team return of one group. */
  private static void compare(List<Row> rows, String group, ArrayNode runs, Terminal terminal) {
    String heading = group.isEmpty() ? "run" : group;
    int width = rows.stream().mapToInt(row -> row.folder().toString().length()).max().orElseThrow();
    String format = "%-" + Math.max(heading.length(), width) + "s  %5s  %20s  %9s  %11s  %8s  %20s";
    terminal.say(
        format,
        heading,
        "seeds",
        "team return, 95%",
        "best",
        "agent-steps",
        "seconds",
        "minus the first");
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      ObjectNode run = (ObjectNode) runs.get(i);
      ObjectNode target = group.isEmpty() ? run : run.putObject(group);
      Sample found = row.teamReturn(group);
      ObjectNode teamReturn = target.putObject("team_return").put("mean", found.mean());
      found.interval().ifPresent(interval -> teamReturn.put("ci95", interval.halfWidth()));
      String difference = "";
      if (i > 0 && row.isOverSeeds() == rows.get(0).isOverSeeds()) {
        Optional<Sample.Interval> minus = found.minus(rows.get(0).teamReturn(group));
        if (minus.isPresent()) {
          ObjectNode object = target.putObject("minus_first").put("mean", minus.get().mean());
          difference = Summary.text(object.put("ci95", minus.get().halfWidth()));
        }
      }
      terminal.say(
          format,
          row.folder(),
          row.results().size(),
          Summary.text(teamReturn),
          row.mean("best_score").map(score -> number("%.3f", score)).orElse("-"),
          row.mean("agent_steps").map(steps -> number("%.1f M", steps * 1e-6)).orElse("-"),
          row.mean("seconds").map(seconds -> number("%.1f", seconds)).orElse("-"),
          difference);
    }
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
