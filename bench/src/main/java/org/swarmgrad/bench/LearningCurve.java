// The course of one training, read from its run folder's metrics and timing; it trains nothing.
package org.swarmgrad.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Batch means over a training.
 *
 * @param score [iteration] mean team return of the batch
 * @param agentSteps [iteration] since the first
 * @param seconds [iteration] since training began, the JVM's start excluded
 */
record LearningCurve(double[] score, double[] agentSteps, double[] seconds) {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final int PARTS = 5;

  /** Where a score was first reached. */
  record Moment(double agentSteps, double seconds) {}

  /** Reads a run folder; `group` null: all groups together. */
  static LearningCurve read(Path run, String group) throws IOException {
    List<JsonNode> metrics = lines(run.resolve("metrics.jsonl"));
    List<JsonNode> timing = lines(run.resolve("timing.jsonl"));
    if (metrics.size() != timing.size()) {
      throw new IOException(
          run + " has " + metrics.size() + " lines of metrics and " + timing.size() + " of timing");
    }
    double[] score = new double[metrics.size()];
    for (int i = 0; i < score.length; i++) {
      score[i] = teamReturn(metrics.get(i), group);
    }
    return new LearningCurve(
        score,
        metrics.stream().mapToDouble(line -> line.path("agent_steps").asDouble()).toArray(),
        timing.stream().mapToDouble(line -> line.path("seconds").asDouble()).toArray());
  }

  private static List<JsonNode> lines(Path file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      lines.add(MAPPER.readTree(line));
    }
    return lines;
  }

  /**
   * The mean team return in what the command line writes: of one group beside the other fields, of
   * several in an object each; summed over groups where none is named.
   */
  static double teamReturn(JsonNode result, String group) throws IOException {
    String field = "team_return_mean";
    List<JsonNode> found = new ArrayList<>();
    if (group != null) {
      found.add(result.path(group).path(field));
    } else if (result.has(field)) {
      found.add(result.path(field));
    } else {
      result.forEach(child -> found.add(child.path(field)));
    }
    found.removeIf(JsonNode::isMissingNode);
    if (found.isEmpty()) {
      throw new IOException(
          "no " + field + (group == null ? "" : " of group " + group) + " in " + result);
    }
    return found.stream().mapToDouble(JsonNode::asDouble).sum();
  }

  /** The first batch whose mean reached a score; null where none did. */
  Moment firstAt(double target) {
    for (int i = 0; i < score.length; i++) {
      if (score[i] >= target) {
        return new Moment(agentSteps[i], seconds[i]);
      }
    }
    return null;
  }

  /** Means of consecutive iterations, at most so many: what an eye can follow. */
  LearningCurve thinned(int points) {
    int count = Math.min(points, score.length);
    double[][] means = new double[3][count];
    for (int point = 0; point < count; point++) {
      int begin = (int) ((long) point * score.length / count);
      int end = (int) ((long) (point + 1) * score.length / count);
      means[0][point] = Arrays.stream(score, begin, end).average().orElseThrow();
      means[1][point] = Arrays.stream(agentSteps, begin, end).average().orElseThrow();
      means[2][point] = Arrays.stream(seconds, begin, end).average().orElseThrow();
    }
    return new LearningCurve(means[0], means[1], means[2]);
  }

  /** Mean of the last fifth of iterations as a part of the best fifth's. */
  double steadiness() {
    int window = Math.max(1, score.length / PARTS);
    double best = Double.NEGATIVE_INFINITY;
    double mean = Double.NaN;
    for (int begin = 0; begin + window <= score.length; begin++) {
      double sum = 0;
      for (int i = begin; i < begin + window; i++) {
        sum += score[i];
      }
      mean = sum / window;
      best = Math.max(best, mean);
    }
    return mean / best;
  }
}
